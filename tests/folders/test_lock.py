"""Who has a folder, and how a new one appears."""

import fcntl
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from cnnsweep.errors import UserError
from cnnsweep.folders import lock
from tests.command import REPOSITORY

RACER = """
import sys, time
from pathlib import Path
from cnnsweep.folders import lock

root, name = Path(sys.argv[1]), sys.argv[2]
print("ready", flush=True)
sys.stdin.readline()
for number in range(8):
    made = lock.make_new(
        root / "16-00-00", lambda f: (f / "record").write_text(f"{name} {number}")
    )
    print(made.name, (made / "record").read_text(), flush=True)
sys.stdin.readline()
"""


@pytest.mark.parametrize("racers", [2, 12])
def test_processes_that_want_one_name_at_once_get_a_folder_each(
    tmp_path: Path, racers: int
) -> None:
    root = tmp_path / "day"
    line = [sys.executable, "-c", RACER, str(root)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    started = [
        subprocess.Popen([*line, f"r{i}"], cwd=REPOSITORY, **pipes)  # type: ignore[call-overload]
        for i in range(racers)
    ]
    try:
        for process in started:
            assert process.stdout.readline() == "ready\n"
        for process in started:
            process.stdin.write("go\n")
            process.stdin.flush()
        said = [process.stdout.readline().split() for process in started for _ in range(8)]
        assert all(lock.is_held_elsewhere(root / name) for name, *_ in said)
    finally:
        for process in started:
            process.communicate("end\n")
    names = Counter(name for name, *_ in said)
    assert len(names) == 8 * racers
    assert {entry.name for entry in root.iterdir()} == set(names)
    for name, racer, number in said:
        assert (root / name / "record").read_text() == f"{racer} {number}"


def test_a_folder_that_cannot_be_filled_is_not_left(tmp_path: Path) -> None:
    def fill(_folder: Path) -> None:
        raise OSError("no space left on device")

    with pytest.raises(OSError, match="no space"):
        lock.make_new(tmp_path / "new", fill)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("age", [0, 3600])
def test_what_a_killed_process_left_is_removed_once_it_is_old(tmp_path: Path, age: int) -> None:
    left = tmp_path / ".16-00-00.123.new"
    left.mkdir()
    os.utime(left, (time.time() - age,) * 2)
    made = lock.make_new(tmp_path / "16-00-01", lambda _: None)
    assert made == tmp_path / "16-00-01"
    assert left.exists() == (age == 0)


def test_a_file_of_the_name_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "new").write_text("mine")
    made = lock.make_new(tmp_path / "new", lambda _: None)
    assert made.name == "new_2"
    assert (tmp_path / "new").read_text() == "mine"


def test_the_holder_is_named(tmp_path: Path) -> None:
    made = lock.make_new(tmp_path / "new", lambda _: None)
    imports = "from pathlib import Path; from cnnsweep.folders import lock"
    script = f"{imports}; lock.acquire(Path({str(made)!r}))"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert f"UserError: {made} is being worked on by {lock.holder(made)}" in done.stderr
    assert lock.holder(made).startswith(f"process {os.getpid()} on ")


def test_whether_a_folder_is_busy_is_found_out_without_a_trace(tmp_path: Path) -> None:
    lock.refuse_busy(tmp_path / "none")
    lock.refuse_busy(tmp_path)
    assert list(tmp_path.iterdir()) == []
    path = tmp_path / ".lock"
    path.write_text("process 1 on a machine")
    before = path.stat().st_mtime_ns
    with path.open() as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        lock.refuse_busy(tmp_path, shared=True)
        with pytest.raises(UserError, match="is being worked on by process 1 on a machine"):
            lock.refuse_busy(tmp_path)
    lock.refuse_busy(tmp_path)
    assert (path.stat().st_mtime_ns, path.read_text()) == (before, "process 1 on a machine")


def test_the_name_of_a_new_folder_is_known_before_it_is_made(tmp_path: Path) -> None:
    for number in range(3):
        expected = lock.free_name(tmp_path / "one")
        made = lock.make_new(tmp_path / "one", lambda _: None)
        assert made == expected
        assert made.name == ("one" if number == 0 else f"one_{number + 1}")
