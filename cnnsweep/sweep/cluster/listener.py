"""Where launchers' jobs connect to the launching process, each in a thread of its own."""

import contextlib
import os
import queue
import socket
import threading
from dataclasses import dataclass
from multiprocessing import AuthenticationError

import psutil

from cnnsweep.sweep.cluster.connection import Address, HeartbeatConnection, authenticated
from cnnsweep.sweep.cluster.nanny import Registration, Welcome

_BACKLOG = 1024


@dataclass(frozen=True)
class Registered:
    """A job that has connected; ``unfit`` says why it cannot work, None: it can."""

    registration: Registration
    connection: HeartbeatConnection
    unfit: str | None


class Listener:
    """Listens on a free TCP port of all interfaces; who does not know the key is refused."""

    def __init__(self, welcome: Welcome) -> None:
        self.key = os.urandom(32)
        self._welcome = welcome
        self._registered: queue.SimpleQueue[Registered] = queue.SimpleQueue()
        self._listener = socket.create_server(("", 0), backlog=_BACKLOG)
        threading.Thread(target=self._listen, daemon=True).start()

    def addresses(self) -> tuple[Address, ...]:
        """Where other machines may reach us, the likeliest first."""
        port = self._listener.getsockname()[1]
        hosts = [*_default_route(), *_interfaces(), socket.gethostname(), "127.0.0.1"]
        return tuple((host, port) for host in dict.fromkeys(hosts))

    def registered(self) -> list[Registered]:
        """The jobs that have connected since the last call."""
        return [self._registered.get() for _ in range(self._registered.qsize())]

    def close(self) -> None:
        """Accept no more jobs, and disconnect those that `registered` has not returned."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
        self._listener.close()
        for registered in self.registered():
            registered.connection.close()

    def _listen(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                peer, _ = self._listener.accept()
                threading.Thread(target=self._receive, args=(peer,), daemon=True).start()

    def _receive(self, peer: socket.socket) -> None:
        with contextlib.suppress(AuthenticationError, EOFError, OSError):  # a stranger, or gone
            connection = authenticated(peer, self.key, is_launcher=True)
            registration: Registration = connection.recv_word()
            connection.send(self._welcome)
            unfit: str | None = connection.recv_word()
            self._registered.put(Registered(registration, connection, unfit))


def _default_route() -> list[str]:
    """The address of the interface that leads to the internet, if there is one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # reserved for documentation; nothing is sent
        except OSError:
            return []
        return [probe.getsockname()[0]]


def _interfaces() -> list[str]:
    all_addresses = [a for addresses in psutil.net_if_addrs().values() for a in addresses]
    found = [a.address for a in all_addresses if a.family == socket.AF_INET]
    return [address for address in found if not address.startswith("127.")]
