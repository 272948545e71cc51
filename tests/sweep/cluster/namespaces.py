"""Hosts that cannot reach each other: network namespaces with a wire to this machine each."""

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

_KNOCK = (
    "import socket, sys; knock = socket.socket(); knock.settimeout(3); "
    "code = knock.connect_ex((sys.argv[1], 9)); sys.exit(str(code) not in sys.argv[2:])"
)
_ANSWERS = (0, errno.ECONNREFUSED)


@dataclass(frozen=True)
class Namespace:
    """A host of its own; ``gateway`` is this machine's address as it sees it."""

    name: str
    gateway: str
    address: str

    @property
    def prefix(self) -> tuple[str, ...]:
        """What a command begins with that is to run there."""
        return ("ip", "netns", "exec", self.name)

    def reaches(self, address: str) -> bool:
        """Whether a machine answers at all, be it that nobody listens."""
        line = [*self.prefix, sys.executable, "-c", _KNOCK, address, *map(str, _ANSWERS)]
        return subprocess.run(line, check=False).returncode == 0


def can_be_made() -> bool:
    return os.getuid() == 0 and shutil.which("ip") is not None


@contextmanager
def two_namespaces() -> Iterator[list[Namespace]]:
    """Each has an address and no route beyond its own wire."""
    with _made(1) as first, _made(2) as second:
        yield [first, second]


@contextmanager
def _made(number: int) -> Iterator[Namespace]:
    name = f"cnnsweep{os.getpid()}-{number}"
    ours, theirs = f"cs{os.getpid() % 10000}-{number}", f"ct{os.getpid() % 10000}-{number}"
    subnet = f"10.{64 + os.getpid() % 64}.{number}"
    _ip("netns", "add", name)
    try:
        _wire(name, ours, theirs, subnet)
        yield Namespace(name, f"{subnet}.1", f"{subnet}.2")
    finally:
        _ip("netns", "delete", name)  # and the wire with it


def _wire(name: str, ours: str, theirs: str, subnet: str) -> None:
    _ip("link", "add", ours, "type", "veth", "peer", "name", theirs, "netns", name)
    _ip("address", "add", f"{subnet}.1/24", "dev", ours)
    _ip("link", "set", ours, "up")
    _ip("-n", name, "address", "add", f"{subnet}.2/24", "dev", theirs)
    _ip("-n", name, "link", "set", theirs, "up")
    _ip("-n", name, "link", "set", "lo", "up")


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True)
