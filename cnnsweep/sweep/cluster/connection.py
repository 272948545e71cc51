"""The TCP connection between the launching process and a launcher's job.

Both ends say every few seconds that they are alive, so that a machine that lost its power or its
network is noticed although nobody hung up.
"""

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import AuthenticationError
from multiprocessing.connection import Connection, answer_challenge, deliver_challenge
from typing import Any

from cnnsweep.errors import UserError

Address = tuple[str, int]

HEARTBEAT_SECONDS = 5.0
# A job gives up first, so that its worker is gone before its trial is taken up elsewhere.
NANNY_TIMEOUT_SECONDS = 20.0
LAUNCHER_TIMEOUT_SECONDS = 30.0
_CONNECT_SECONDS = 3.0
REACH_SECONDS = 30.0


@dataclass(frozen=True)
class Heartbeat:
    """I am alive."""


class HeartbeatConnection:
    """A connection with a heartbeat; what is sent is pickled."""

    def __init__(self, connection: "Connection[Any, Any]", timeout: float) -> None:
        """``timeout``: seconds without a word after which the other end counts as lost."""
        self._connection = connection
        self._timeout = timeout
        self._heard_at = time.monotonic()
        self._sending = threading.Lock()
        _bound_sending(connection, timeout)
        threading.Thread(target=self._send_heartbeats, daemon=True).start()

    def send(self, message: object) -> None:
        """Raises OSError where the other end is gone, or takes nothing for too long."""
        with self._sending:
            self._connection.send(message)

    def recv(self) -> Any:
        """The next message, a Beat among others.

        Raises:
            EOFError: the other end hung up.
            OSError: the connection broke.
        """
        message = self._connection.recv()
        self._heard_at = time.monotonic()
        return message

    def recv_word(self) -> Any:
        """The next message that is no Beat; raises OSError too where none comes in time."""
        while self._connection.poll(self._timeout):
            message = self.recv()
            if not isinstance(message, Heartbeat):
                return message
        raise TimeoutError("the other end says nothing")

    def is_silent(self) -> bool:
        """Whether the other end has said nothing for too long; only true once all is read."""
        return time.monotonic() - self._heard_at > self._timeout and not self.poll()

    def poll(self, timeout: float = 0.0) -> bool:
        return self._connection.poll(timeout)

    def fileno(self) -> int:
        return self._connection.fileno()

    @property
    def closed(self) -> bool:
        return self._connection.closed

    def close(self) -> None:
        with contextlib.suppress(OSError):  # a send that hangs fails at once
            _with_socket(self._connection, lambda ours: ours.shutdown(socket.SHUT_RDWR))
        with self._sending:
            self._connection.close()

    def _send_heartbeats(self) -> None:
        with contextlib.suppress(OSError):
            while not self.closed:
                self.send(Heartbeat())
                time.sleep(HEARTBEAT_SECONDS)


def _bound_sending(connection: "Connection[Any, Any]", seconds: float) -> None:
    """Let the kernel give up on a peer that acknowledges nothing; macOS knows no such limit."""
    option = getattr(socket, "TCP_USER_TIMEOUT", None)
    if option is None:
        return
    limit = int(seconds * 1000)
    _with_socket(connection, lambda ours: ours.setsockopt(socket.IPPROTO_TCP, option, limit))


def greet(accepted: socket.socket, key: bytes) -> HeartbeatConnection:
    """The wire to whoever has just connected and knows the key.

    Raises:
        multiprocessing.AuthenticationError, EOFError, OSError: a stranger.
    """
    connection = _as_connection(accepted)
    deliver_challenge(connection, key)
    answer_challenge(connection, key)
    _wait_without_end(connection)
    return HeartbeatConnection(connection, LAUNCHER_TIMEOUT_SECONDS)


def reach(addresses: tuple[Address, ...], key: bytes) -> HeartbeatConnection:
    """The wire to the launching process, at the first of its addresses that works.

    Raises:
        UserError: none does.
    """
    deadline = time.monotonic() + REACH_SECONDS
    while True:
        for address in addresses:
            with contextlib.suppress(OSError, EOFError, AuthenticationError):
                return _reach(address, key)
        if time.monotonic() > deadline:
            tried = ", ".join(f"{host}:{port}" for host, port in addresses)
            raise UserError(
                f"{socket.gethostname()} cannot reach the launching process (tried {tried}); "
                "its firewall must let the cluster's nodes in"
            )
        time.sleep(1.0)


def _reach(address: Address, key: bytes) -> HeartbeatConnection:
    connection = _as_connection(socket.create_connection(address, timeout=_CONNECT_SECONDS))
    answer_challenge(connection, key)
    deliver_challenge(connection, key)
    _wait_without_end(connection)
    return HeartbeatConnection(connection, NANNY_TIMEOUT_SECONDS)


def _as_connection(peer: socket.socket) -> "Connection[Any, Any]":
    """For now reading fails after a few seconds: behind an address may be a stranger."""
    peer.settimeout(None)
    _limit_waiting(peer, _CONNECT_SECONDS)
    return Connection(peer.detach())


def _wait_without_end(connection: "Connection[Any, Any]") -> None:
    _with_socket(connection, lambda ours: _limit_waiting(ours, 0.0))


def _with_socket(
    connection: "Connection[Any, Any]", act: Callable[[socket.socket], object]
) -> None:
    """Act on a connection's socket, which a Connection itself does not know to be one."""
    ours = socket.socket(fileno=connection.fileno())
    try:
        act(ours)
    finally:
        ours.detach()


def _limit_waiting(peer: socket.socket, seconds: float) -> None:
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", int(seconds), 0))
