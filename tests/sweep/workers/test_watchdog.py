"""A worker does nothing any more once its host was silent for too long."""

import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.command import REPOSITORY

SCRIPT = """
import os, sys, time
from pathlib import Path
os.setsid()
from cnnsweep.sweep.workers.watchdog import die_without_heartbeat
die_without_heartbeat(Path(sys.argv[1]), float(sys.argv[3]))
print("watched", flush=True)
while True:
    Path(sys.argv[2]).write_text(str(time.monotonic()))
"""


def watched(tmp_path: Path, seconds: float = 2.0) -> "subprocess.Popen[str]":
    (tmp_path / "beat").touch()
    files = str(tmp_path / "beat"), str(tmp_path / "trace")
    line = [sys.executable, "-c", SCRIPT, *files, str(seconds)]
    process = subprocess.Popen(line, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "watched\n"
    return process


def test_it_lives_while_its_host_beats_and_dies_soon_after(tmp_path: Path) -> None:
    with watched(tmp_path) as process:
        for _ in range(6):
            time.sleep(0.5)
            (tmp_path / "beat").touch()
        assert process.poll() is None
        assert process.wait(timeout=30) == -signal.SIGALRM


def test_a_stopped_one_does_not_write_another_byte_when_it_wakes(tmp_path: Path) -> None:
    with watched(tmp_path) as process:
        process.send_signal(signal.SIGSTOP)
        time.sleep(2.5)
        (tmp_path / "trace").unlink(missing_ok=True)
        process.send_signal(signal.SIGCONT)
        assert process.wait(timeout=30) == -signal.SIGALRM
        assert not (tmp_path / "trace").exists()


def test_a_moments_trouble_of_the_file_system_costs_nothing(tmp_path: Path) -> None:
    beat, loop, good = tmp_path / "beat", tmp_path / "loop", tmp_path / "good"
    with watched(tmp_path, seconds=3.0) as process:
        loop.symlink_to("beat")
        loop.replace(beat)  # a link to itself: opening it fails
        time.sleep(1.5)
        good.touch()
        good.replace(beat)
        for _ in range(6):
            time.sleep(0.5)
            beat.touch()
        assert process.poll() is None
        process.kill()


def test_one_whose_host_was_buried_is_killed(tmp_path: Path) -> None:
    with watched(tmp_path, seconds=60.0) as process:  # long before the silence tells
        (tmp_path / "beat").unlink()
        assert process.wait(timeout=30) == -signal.SIGKILL
