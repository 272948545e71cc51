"""The TCP connection between the launching process and a launcher's job.

Both ends send a heartbeat every few seconds, so that each notices when the other's machine lost its
power or its network, which closes no connection.
"""

import contextlib
import socket
import struct
import threading
import time
from dataclasses import dataclass
from multiprocessing import AuthenticationError
from multiprocessing.connection import Connection, answer_challenge, deliver_challenge
from typing import Any

from cnnsweep.errors import UserError

Address = tuple[str, int]

HEARTBEAT_SECONDS = 5.0
# The nanny gives up first: its worker is gone before another worker resumes the trial.
NANNY_TIMEOUT_SECONDS = 20.0
LAUNCHER_TIMEOUT_SECONDS = 30.0
_CONNECT_SECONDS = 3.0
REACH_SECONDS = 30.0


@dataclass(frozen=True)
class Heartbeat:
    """Sent every HEARTBEAT_SECONDS by both ends."""


class HeartbeatConnection:
    """A connection that sends heartbeats; what is sent is pickled."""

    def __init__(self, connection: "Connection[Any, Any]", timeout: float) -> None:
        """``timeout``: seconds without any message after which the other end counts as lost."""
        self._connection = connection
        self._timeout = timeout
        self._heard_at = time.monotonic()
        self._sending = threading.Lock()
        threading.Thread(target=self._send_heartbeats, daemon=True).start()

    def send(self, message: object) -> None:
        """Raises OSError where the other end is gone, or accepts no data for too long."""
        with self._sending:
            self._connection.send(message)

    def recv(self) -> Any:
        """The next message, which may be a Heartbeat.

        Raises:
            EOFError: the other end hung up.
            OSError: the connection broke.
        """
        message = self._connection.recv()
        self._heard_at = time.monotonic()
        return message

    def recv_word(self) -> Any:
        """The next message that is no Heartbeat; also raises OSError where none comes in time."""
        while self._connection.poll(self._timeout):
            message = self.recv()
            if not isinstance(message, Heartbeat):
                return message
        raise TimeoutError("the other end says nothing")

    def is_silent(self) -> bool:
        """Whether nothing has come for too long; False while anything is still to be read."""
        return time.monotonic() - self._heard_at > self._timeout and not self.poll()

    def poll(self, timeout: float = 0.0) -> bool:
        return self._connection.poll(timeout)

    def fileno(self) -> int:
        return self._connection.fileno()

    @property
    def closed(self) -> bool:
        return self._connection.closed

    def close(self) -> None:
        with contextlib.suppress(OSError):
            ours = socket.socket(fileno=self.fileno())
            try:
                ours.shutdown(socket.SHUT_RDWR)  # makes a send that hangs fail at once
            finally:
                ours.detach()
        with self._sending:
            self._connection.close()

    def _send_heartbeats(self) -> None:
        with contextlib.suppress(OSError):
            while not self.closed:
                self.send(Heartbeat())
                time.sleep(HEARTBEAT_SECONDS)


def reach(addresses: tuple[Address, ...], key: bytes) -> HeartbeatConnection:
    """The connection to the launching process, at the first of its addresses that works.

    Raises:
        UserError: none worked within REACH_SECONDS.
    """
    deadline = time.monotonic() + REACH_SECONDS
    while True:
        for address in addresses:
            with contextlib.suppress(OSError, EOFError, AuthenticationError):
                peer = socket.create_connection(address, timeout=_CONNECT_SECONDS)
                return authenticated(peer, key, is_launcher=False)
        if time.monotonic() > deadline:
            tried = ", ".join(f"{host}:{port}" for host, port in addresses)
            raise UserError(
                f"{socket.gethostname()} cannot reach the launching process (tried {tried}); "
                "its firewall must let the cluster's nodes in"
            )
        time.sleep(1.0)


def authenticated(peer: socket.socket, key: bytes, *, is_launcher: bool) -> HeartbeatConnection:
    """A connection that takes over the socket ``peer``, once both ends have shown the key.

    Until then reading fails after a few seconds: a stranger may say nothing.

    Raises:
        multiprocessing.AuthenticationError, EOFError, OSError: the other end does not know it.
    """
    timeout = LAUNCHER_TIMEOUT_SECONDS if is_launcher else NANNY_TIMEOUT_SECONDS
    challenges = (deliver_challenge, answer_challenge)
    peer.settimeout(None)
    _limit_waiting(peer, _CONNECT_SECONDS)
    connection = Connection(peer.fileno())
    try:
        for challenge in challenges if is_launcher else reversed(challenges):
            challenge(connection, key)
        _limit_waiting(peer, 0.0)
        option = getattr(socket, "TCP_USER_TIMEOUT", None)  # macOS has none
        if option is not None:  # the kernel gives up on a peer that acknowledges nothing
            peer.setsockopt(socket.IPPROTO_TCP, option, int(timeout * 1000))
    finally:
        peer.detach()  # the connection has its file descriptor, and closes it
    return HeartbeatConnection(connection, timeout)


def _limit_waiting(peer: socket.socket, seconds: float) -> None:
    """Let reading from a socket fail after whole ``seconds``; 0: never."""
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", int(seconds), 0))
