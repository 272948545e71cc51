"""Ports for servers that tests start."""

import socket
from contextlib import ExitStack


def free_ports(count: int) -> list[int]:
    """So many ports on which nobody listens now."""
    with ExitStack() as probes:
        held = [probes.enter_context(socket.create_server(("", 0))) for _ in range(count)]
        return [int(probe.getsockname()[1]) for probe in held]


def free_port() -> int:
    """One on which nobody listens now."""
    (port,) = free_ports(1)
    return port
