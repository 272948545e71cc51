"""A mutex among hosts: one at a time, and nobody who is gone keeps it."""

import signal
import subprocess
import sys
import time
from pathlib import Path

from cnnsweep.sweep.mutex import Mutex

HOLDER = """
import sys, time
from pathlib import Path
from cnnsweep.sweep.mutex import Mutex
mutex = Mutex(Path(sys.argv[1]), lambda: "other", lambda name: False, 60, time.sleep)
mutex.acquire()
print("held", flush=True)
sys.stdin.read()
mutex.release()
"""


def mine(path: Path, gone: set[str]) -> Mutex:
    return Mutex(path, lambda: "me", lambda name: name in gone, 60, time.sleep)


def holder(path: Path) -> "subprocess.Popen[str]":
    line = [sys.executable, "-c", HOLDER, str(path)]
    process = subprocess.Popen(
        line,
        cwd=Path(__file__).parents[2],
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


def test_it_may_be_taken_again_while_held(tmp_path: Path) -> None:
    mutex = mine(tmp_path / "turn", gone=set())
    with mutex:
        with mutex:
            pass
        assert (tmp_path / "turn").read_text() == "me"
    assert (tmp_path / "turn").read_text() == ""
