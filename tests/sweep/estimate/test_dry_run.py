"""Dry runs by the real command line: what they say, and that they leave nothing."""

import fcntl
import re
import signal
import time
from pathlib import Path

import psutil
import pytest

from tests.command import QUICK, cnnsweep, complaint_of, start, succeeded
from tests.run_files import tree
from tests.sweep.sweep_commands import TOY, TOY_SPACE, study, sweep

DRY = "hydra.sweeper.dry_run=true"
GRID = ("tests.sweep.toy.app", "hydra/sweeper=grid")
QUICKLY = ("epoch_seconds=0", "hydra.sweeper.n_jobs=1")
LAST = "dry run: nothing was trained or written"


def test_a_new_grid_is_told_job_by_job_and_timed_and_leaves_nothing(tmp_path: Path) -> None:
    before = tree(tmp_path)
    done = cnnsweep(
        "-m", *QUICK, "model=simple,lenet", "data.batch_size=32,2000", DRY, cwd=tmp_path
    )
    lines = succeeded(done).splitlines()
    assert tree(tmp_path) == before
    jobs = [line for line in lines if line.startswith("  job ")]
    assert [line.partition(":")[0] for line in jobs] == [f"  job {n}" for n in range(4)]
    assert "model=simple" in jobs[0]
    assert "data.batch_size=2000" in jobs[3]
    timed = next(line for line in lines if line.startswith("time: "))
    assert re.match(r"time: about \d+ (s|min).*, by some steps of 4 of 4 kinds of runs", timed)
    assert "would fail" not in timed
    assert lines[-3].startswith("some runs would fail: data.batch_size=2000: allowed is 1 to ")
    assert re.match(r"disk: up to [\d.]+ MB more when it is over, of", lines[-2])
    assert lines[-1] == LAST


@pytest.mark.parametrize(
    "words",
    [
        ("search=sgd",),
        ("search=compare", "hydra.sweeper.searches=2", "hydra.sweeper.seeds=2"),
    ],
)
def test_new_searches_say_their_space_and_leave_nothing(
    words: tuple[str, ...], tmp_path: Path
) -> None:
    before = tree(tmp_path)
    short = ("data.train_limit=200", "epochs=2", "hydra.sweeper.n_trials=3")
    lines = succeeded(cnnsweep("-m", *words, *short, DRY, cwd=tmp_path)).splitlines()
    assert tree(tmp_path) == before
    assert any("optim.momentum: 0" in line and "0.99" in line for line in lines)
    assert not any(line.startswith(" ") and "/search_0: " in line for line in lines)
    assert any(line.startswith("time: about ") for line in lines)
    assert lines[-1] == LAST


def test_what_remains_of_a_search_is_told_and_no_byte_of_it_changes(tmp_path: Path) -> None:
    folder = tmp_path / "sweep"
    assert sweep(TOY, folder, *TOY_SPACE, *QUICKLY, "hydra.sweeper.n_trials=2").code == 0
    before = tree(tmp_path)
    done = sweep(TOY, folder, *TOY_SPACE, *QUICKLY, "hydra.sweeper.n_trials=5", DRY)
    assert done.code == 0, done.text
    assert tree(tmp_path) == before
    assert "so far: 2 of 5 trials are over" in done.text
    assert "lr: 0.001 to 1.0, logarithmic" in done.text
    assert sweep(TOY, folder, *TOY_SPACE, *QUICKLY, "hydra.sweeper.n_trials=3").code == 0
    assert len(study(folder).trials) == 3


def test_a_grids_done_jobs_are_named_and_no_byte_of_it_changes(tmp_path: Path) -> None:
    folder = tmp_path / "sweep"
    jobs = ("mishap=none,raise", "lr=0.1,0.2", *QUICKLY)
    assert sweep(GRID, folder, *jobs).code == 1
    before = tree(tmp_path)
    done = sweep(GRID, folder, *jobs, DRY)
    assert done.code == 0, done.text
    assert tree(tmp_path) == before
    assert "done, and not run again: 2 (0, 1)" in done.text
    assert "tried again, for they failed: 2, 3" in done.text
    assert [line for line in done.text.splitlines() if line.startswith("  job ")] == [
        f"  job {n}: mishap=raise lr={lr} {' '.join(QUICKLY[:1])}" for n, lr in ((2, 0.1), (3, 0.2))
    ]


def test_a_folder_that_is_busy_is_one_line(tmp_path: Path) -> None:
    folder = tmp_path / "sweep"
    folder.mkdir()
    lock = folder / ".lock"
    lock.write_text("process 1 on a machine")
    before = tree(tmp_path)
    with lock.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        done = sweep(TOY, folder, *TOY_SPACE, DRY)
    assert done.code == 1
    line = f"error: {folder} is being worked on by process 1 on a machine; wait for it or end it"
    assert done.text.strip().splitlines() == [line]
    assert tree(tmp_path) == before


@pytest.mark.parametrize(
    "words",
    [
        ("hydra.sweeper.n_trials=0",),
        ("momentum=interval(1, 0)",),
        ("hydra.sweeper.pruner.budget=0.01", "hydra/sweeper/pruner=freeze_thaw"),
        ("hydra.sweeper.storage=sqlite:////nowhere/at/all.db",),
    ],
)
def test_what_a_launch_refuses_a_dry_run_refuses_with_the_same_line(
    words: tuple[str, ...], tmp_path: Path
) -> None:
    real = sweep(TOY, tmp_path / "real", *TOY_SPACE, *words)
    before = tree(tmp_path)
    dry = sweep(TOY, tmp_path / "dry", *TOY_SPACE, *words, DRY)
    assert (real.code, dry.code) == (1, 1)
    lines = [done.text.strip().splitlines()[-1] for done in (real, dry)]
    assert lines[1].replace(f"{tmp_path}/dry", f"{tmp_path}/real") == lines[0]
    assert tree(tmp_path) == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("device=cuda:7",), "device=cuda:7 is not there"),
        (("data=mnist", "data.root=nowhere"), "not found below data.root="),
    ],
)
def test_data_and_devices_that_are_not_there_are_refused(
    words: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    before = tree(tmp_path)
    line = complaint_of(cnnsweep("-m", *QUICK, "seed=0,1", *words, DRY, cwd=tmp_path))
    assert said in line
    assert tree(tmp_path) == before


def test_a_database_is_not_made_and_one_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    storage = f"hydra.sweeper.storage=sqlite:///{tmp_path}/study.db"
    words = (*TOY_SPACE, *QUICKLY, "hydra.sweeper.n_trials=2", storage)
    before = tree(tmp_path)
    assert sweep(TOY, tmp_path / "sweep", *words, DRY).code == 0
    assert tree(tmp_path) == before
    assert sweep(TOY, tmp_path / "sweep", *words).code == 0
    before = tree(tmp_path)
    done = sweep(TOY, tmp_path / "sweep", *words, DRY)
    assert "so far: 2 of 2 trials are over" in done.text
    assert tree(tmp_path) == before


def test_a_dry_run_that_is_killed_leaves_nothing_either(tmp_path: Path) -> None:
    before = tree(tmp_path)
    process = start("-m", *QUICK, "seed=0,1", DRY, cwd=tmp_path)
    children = list[psutil.Process]()
    while process.poll() is None and not children:
        children = psutil.Process(process.pid).children()
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert children
    assert psutil.wait_procs(children, timeout=20)[1] == []
    assert tree(tmp_path) == before


def test_a_dry_run_without_multirun_trains_nothing(tmp_path: Path) -> None:
    before = tree(tmp_path)
    line = complaint_of(cnnsweep(*QUICK, DRY, cwd=tmp_path))
    assert line == "error: hydra.sweeper.dry_run=true is for sweeps: it needs --multirun"
    assert tree(tmp_path) == before
