"""A mutex among hosts: one at a time, and nobody who is gone keeps it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cnnsweep.folders.lock import try_lock
from cnnsweep.sweep.multihost.host_lock import HostLock
from cnnsweep.sweep.multihost.membership import HostExpired
from tests.command import REPOSITORY

HOLDER = """
import sys, time
from pathlib import Path
from cnnsweep.sweep.multihost.host_lock import HostLock
wait = lambda seconds, waited: time.sleep(seconds)
mutex = HostLock(Path(sys.argv[1]), lambda: "other", lambda name: False, 60, wait)
mutex.acquire()
print("held", flush=True)
sys.stdin.read()
mutex.release()
"""


def mine(path: Path, gone: set[str]) -> HostLock:
    return HostLock(path, lambda: "me", lambda name: name in gone, 60, sleep)


def sleep(seconds: float, _waited: float) -> None:
    time.sleep(seconds)


def holder(path: Path) -> "subprocess.Popen[str]":
    line = [sys.executable, "-c", HOLDER, str(path)]
    process = subprocess.Popen(
        line,
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_one_that_was_killed_lets_go(tmp_path: Path) -> None:
    with holder(tmp_path / "turn") as other:
        other.kill()
        with mine(tmp_path / "turn", gone=set()):
            assert (tmp_path / "turn").read_text() == "me"


def test_one_that_is_stopped_and_silent_loses_it_and_does_no_harm_when_it_wakes(
    tmp_path: Path,
) -> None:
    with holder(tmp_path / "turn") as other:
        other.send_signal(signal.SIGSTOP)
        with mine(tmp_path / "turn", gone={"other"}):
            other.send_signal(signal.SIGCONT)
            other.communicate("", timeout=20)
            assert other.returncode == 0
            assert (tmp_path / "turn").read_text() == "me"
        assert (tmp_path / "turn").read_text() == ""


def test_one_without_a_name_is_waited_for_as_long_as_patience_lasts(tmp_path: Path) -> None:
    path = tmp_path / "turn"
    path.touch()
    with path.open("a") as stuck:
        assert try_lock(stuck)
        with HostLock(path, lambda: "me", lambda _: False, 0.3, sleep):
            assert path.stat().st_ino != os.fstat(stuck.fileno()).st_ino


def test_holders_that_follow_each_other_are_not_taken_for_one_that_is_stuck(
    tmp_path: Path,
) -> None:
    path = tmp_path / "turn"
    with path.open("a") as busy:
        assert try_lock(busy)
        before = path.stat().st_ino

        def wait(seconds: float, waited: float) -> None:
            time.sleep(seconds)
            os.utime(path)  # each of them writes to it
            if waited > 1.0:
                busy.close()

        with HostLock(path, lambda: "me", lambda _: False, 0.3, wait):
            assert path.stat().st_ino == before


def test_one_that_must_not_act_any_more_breaks_nothing(tmp_path: Path) -> None:
    path = tmp_path / "turn"

    def wait(_seconds: float, _waited: float) -> None:
        raise HostExpired

    with holder(path) as other:
        before = path.stat().st_ino
        with pytest.raises(HostExpired):
            HostLock(path, lambda: "me", lambda _: True, 60, wait).acquire()
        assert path.stat().st_ino == before
        other.communicate("", timeout=20)


def test_it_may_be_taken_again_while_held(tmp_path: Path) -> None:
    mutex = mine(tmp_path / "turn", gone=set())
    with mutex:
        with mutex:
            pass
        assert (tmp_path / "turn").read_text() == "me"
    assert (tmp_path / "turn").read_text() == ""
