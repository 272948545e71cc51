"""Where launchers' jobs report to the launching process, each in a thread of its own."""

import contextlib
import os
import queue
import socket
import threading
from dataclasses import dataclass
from multiprocessing import AuthenticationError

import psutil

from cnnsweep.sweep.cluster.connection import Address, Wire, greet
from cnnsweep.sweep.cluster.nanny import Arrival, Hello, Unfit

_BACKLOG = 1024


@dataclass(frozen=True)
class Arrived:
    """A job that reported; ``unfit`` says why it cannot work."""

    arrival: Arrival
    wire: Wire
    unfit: str | None


class Reception:
    """Listens on a free TCP port of all interfaces; strangers without the key are sent away."""

    def __init__(self, hello: Hello) -> None:
        self.key = os.urandom(32)
        self._hello = hello
        self._arrived: queue.SimpleQueue[Arrived] = queue.SimpleQueue()
        self._listener = socket.create_server(("", 0), backlog=_BACKLOG)
        threading.Thread(target=self._listen, daemon=True).start()

    def addresses(self) -> tuple[Address, ...]:
        """Ours as other machines may see them, the likeliest first."""
        port = self._listener.getsockname()[1]
        return tuple((host, port) for host in dict.fromkeys(_hosts()))

    def arrived(self) -> list[Arrived]:
        """Those who have come since the last call."""
        return [self._arrived.get() for _ in range(self._arrived.qsize())]

    def close(self) -> None:
        """Nobody comes in any more; those who wait are sent away."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
        self._listener.close()
        for arrived in self.arrived():
            arrived.wire.close()

    def _listen(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                peer, _ = self._listener.accept()
                threading.Thread(target=self._receive, args=(peer,), daemon=True).start()

    def _receive(self, peer: socket.socket) -> None:
        with contextlib.suppress(AuthenticationError, EOFError, OSError):  # a stranger, or gone
            wire = greet(peer, self.key)
            arrival: Arrival = wire.recv_word()
            wire.send(self._hello)
            answer = wire.recv_word()
            unfit = answer.reason if isinstance(answer, Unfit) else None
            self._arrived.put(Arrived(arrival, wire, unfit))


def _hosts() -> list[str]:
    """The interface of the default route, all others, our name, and ourselves."""
    return [*_default_route(), *_interfaces(), socket.gethostname(), "127.0.0.1"]


def _default_route() -> list[str]:
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
