"""The connection between the launching process and launchers' jobs."""

import socket
import time
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from cnnsweep.errors import UserError
from cnnsweep.sweep.cluster import connection
from cnnsweep.sweep.cluster.connection import HeartbeatConnection, reach
from cnnsweep.sweep.cluster.listener import Listener, Registered
from cnnsweep.sweep.cluster.nanny import Registration, Welcome


def arrivals(listener: Listener) -> list[Registered]:
    """Those who come within ten seconds, the first of them."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if found := listener.registered():
            return found
        time.sleep(0.01)
    return []


def test_strangers_keep_nobody_from_reporting(tmp_path: Path) -> None:
    listener = Listener(Welcome(b"setup", tmp_path / "token", "word"))
    port = listener.addresses()[0][1]
    silent = [socket.create_connection(("127.0.0.1", port)) for _ in range(3)]
    silent[0].sendall(b"GET / HTTP/1.1\r\n\r\n")
    silent[1].close()
    ours = reach(listener.addresses(), listener.key)
    ours.send(Registration(launch=0, job=4, host="here"))
    assert ours.recv_word().setup == b"setup"
    ours.send(None)
    (registered,) = arrivals(listener)
    assert registered.registration.job == 4
    for one in silent:
        one.close()
    ours.close()
    registered.connection.close()
    listener.close()


def test_an_address_that_does_not_work_is_followed_by_the_next(tmp_path: Path) -> None:
    listener = Listener(Welcome(b"", tmp_path / "token", ""))
    port = listener.addresses()[0][1]
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        others = (("no-such-host.invalid", port), ("127.0.0.1", stranger.getsockname()[1]))
        reach((*others, ("127.0.0.1", port)), listener.key).close()
    listener.close()


def test_whoever_cannot_reach_the_launching_process_says_what_it_tried(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connection, "REACH_SECONDS", 0.0)
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(UserError, match=rf"cannot reach .* \(tried 127.0.0.1:{port}\)"):
        reach((("127.0.0.1", port),), b"key")


def test_silence_is_noticed_once_all_is_read() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        theirs = socket.create_connection(server.getsockname())
        accepted, _ = server.accept()
    ours = HeartbeatConnection(Connection(accepted.detach()), timeout=0.2)
    assert not ours.is_silent()
    time.sleep(0.3)
    assert ours.is_silent()
    theirs.sendall(b"\0\0\0\1N")
    assert ours.poll(5)
    assert not ours.is_silent()
    theirs.close()
    ours.close()
