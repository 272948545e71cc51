"""Killed at any moment, the same command ends as if nothing had happened."""

import json
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from cnnsweep.folders import lock
from tests.command import TINY, cnnsweep, complaint_of, start, succeeded
from tests.run_files import assert_same, metrics, result

# Everything that has a state or draws: momentum, a schedule, dropout, augmentation, early stopping.
STATEFUL = (
    "model=lenet",
    "model.dropout=0.2",
    "loss.weight=balanced",
    "loss.label_smoothing=0.1",
    "augment=light",
    "scheduler=cosine",
    "early_stopping.patience=50",
    "data.train_limit=300",
    "epochs=24",
    "threads=1",
    "pictures=false",
)


Moment = Callable[[Callable[[str], int]], bool]


def kill_when(is_time: Moment, folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start a run in the folder and SIGKILL it as soon as it is time; it may be done before.

    ``is_time`` gets a function that tells when this process last wrote a file of the folder (ns),
    0 if it has not.
    """
    began = time.time_ns()
    process = start(*arguments, f"hydra.run.dir={folder}", cwd=folder.parent)

    def written(name: str) -> int:
        try:
            when = (folder / name).stat().st_mtime_ns
        except FileNotFoundError:
            return 0
        return when if when > began else 0

    while process.poll() is None and not is_time(written):
        time.sleep(0.0002)
    process.kill()
    process.communicate()
    return process


def at_random(generator: random.Random) -> Moment:
    """A random while after the training's first sign, a new metrics.csv, and up to five epochs.

    Counted in epochs, since a fast machine is through in a fraction of a second.
    """
    epochs, wait = generator.randint(0, 5), generator.uniform(0.0, 0.05)
    seen: dict[int, float] = {}

    def is_time(written: Callable[[str], int]) -> bool:
        when = written("metrics.csv")
        if when > 0:
            seen.setdefault(when, time.monotonic())
        return len(seen) > epochs and time.monotonic() - list(seen.values())[epochs] > wait

    return is_time


def amid_a_checkpoint(written: Callable[[str], int]) -> bool:
    return written("last.pt.unfinished") > 0


def epochs_behind(folder: Path) -> int:
    path = folder / "last.pt"
    if not path.exists():
        return 0
    return len(torch.load(path, weights_only=True)["training"]["history"])


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unbroken") / "run"
    succeeded(cnnsweep(*STATEFUL, f"hydra.run.dir={folder}", cwd=folder.parent))
    return folder


def test_killed_at_random_and_amid_a_checkpoint_it_ends_as_if_nothing_had_happened(
    unbroken: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    generator = random.Random(5)  # after four epochs, then after two
    moments = [amid_a_checkpoint, at_random(generator), amid_a_checkpoint, at_random(generator)]
    killed = 0
    for is_time in moments:
        process = kill_when(is_time, folder, *STATEFUL)
        killed += process.returncode == -signal.SIGKILL
    assert killed >= 3  # a busy machine may miss a moment
    succeeded(cnnsweep(*STATEFUL, f"hydra.run.dir={folder}", cwd=tmp_path))
    assert list(folder.glob("*.unfinished")) == []
    assert_same(folder, unbroken)


@pytest.mark.slow
@pytest.mark.timeout(3000)
def test_fifty_kills_leave_the_same_bytes(unbroken: Path, tmp_path: Path) -> None:
    generator = random.Random(1)
    killed = amid_write = round_ = 0
    behind: set[int] = set()
    folder = tmp_path / "0"
    while killed < 50:
        amid = generator.random() < 0.3
        is_time = amid_a_checkpoint if amid else at_random(generator)
        process = kill_when(is_time, folder, *STATEFUL)
        if process.returncode == -signal.SIGKILL:
            killed += 1
            amid_write += amid
            behind.add(epochs_behind(folder))
            continue
        assert process.returncode == 0
        assert_same(folder, unbroken)
        round_ += 1
        folder = tmp_path / str(round_)
    succeeded(cnnsweep(*STATEFUL, f"hydra.run.dir={folder}", cwd=tmp_path))
    assert_same(folder, unbroken)
    print(
        f"{killed} kills ({amid_write} amid a checkpoint's write) over {round_ + 1} runs, "
        f"after these epochs: {sorted(behind)}"
    )


def test_a_finished_run_says_so_and_trains_nothing(tiny_run: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(tiny_run, folder)
    before = {p.name: p.stat().st_mtime_ns for p in folder.iterdir() if p.suffix in (".pt", ".csv")}
    output = succeeded(cnnsweep(*TINY, "hydra.run.dir=run", "keep=best", cwd=tmp_path))
    assert f"already finished: run (objective {result(folder)['objective']})" in output
    after = {p.name: p.stat().st_mtime_ns for p in folder.iterdir() if p.suffix in (".pt", ".csv")}
    assert after == before


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_another_config_is_refused_and_nothing_is_touched(tiny_run: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(tiny_run, folder)
    before = snapshot(folder)
    del before[lock.LOCK_NAME]
    line = complaint_of(
        cnnsweep(*TINY, "optim.lr=0.5", "seed=3", "hydra.run.dir=run", cwd=tmp_path)
    )
    assert "seed, optim.lr" in line
    after = snapshot(folder)
    del after[lock.LOCK_NAME]
    assert after == before


def test_a_folder_is_one_processs_at_a_time(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    with lock.held(folder):
        line = complaint_of(cnnsweep(*TINY, "hydra.run.dir=run", cwd=tmp_path))
    assert "run is being worked on by process" in line
    assert [path.name for path in folder.iterdir()] == [lock.LOCK_NAME]


def interrupt(how: signal.Signals, cwd: Path, *arguments: str) -> tuple[int, Path]:
    """Start a run in a folder of its own choice, signal it after its first epoch."""
    process = start(*TINY, "epochs=500", *arguments, cwd=cwd)
    while not (lasts := list(cwd.glob("outputs/*/*/last.pt"))):
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    process.send_signal(how)
    _, errors = process.communicate(timeout=30)
    assert errors.startswith("stopped; to resume: python -m cnnsweep model=lenet")
    assert errors.strip().endswith(f"resume={lasts[0].parent.relative_to(cwd)}")
    return process.returncode, lasts[0].parent


@pytest.mark.parametrize(("how", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_run_tells_so_and_can_be_gone_on_with(
    how: signal.Signals, code: int, tmp_path: Path
) -> None:
    returned, folder = interrupt(how, tmp_path, "pictures=false")
    assert returned == code
    left = json.loads((folder / "result.json").read_text())
    assert left["status"] == "interrupted"
    assert left["epochs"] == epochs_behind(folder) == len(metrics(folder))
    noted = complaint_of(cnnsweep(*TINY, "epochs=2", "resume=latest", cwd=tmp_path))
    assert "epochs" in noted


def test_the_latest_unfinished_run_is_named_and_gone_on_with(tmp_path: Path) -> None:
    arguments = (*TINY, "epochs=30", "pictures=false")
    process = start(*arguments, cwd=tmp_path)
    while not (lasts := list(tmp_path.glob("outputs/*/*/last.pt"))):
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    process.kill()
    process.communicate()
    folder = lasts[0].parent
    place = folder.relative_to(tmp_path)
    anew = succeeded(cnnsweep(*arguments, cwd=tmp_path))
    assert f"{place} is unfinished" in anew
    assert f"resume={place}" in anew
    behind = epochs_behind(folder)
    on = succeeded(cnnsweep(*arguments, "resume=latest", cwd=tmp_path))
    assert f"resuming after epoch {behind} of 30" in on
    other = next(f for f in tmp_path.glob("outputs/*/*") if f != folder)
    assert_same(folder, other)
    over = succeeded(cnnsweep(*arguments, "resume=latest", cwd=tmp_path))
    assert f"already finished: {other.relative_to(tmp_path)}" in over
    assert "no outputs" in complaint_of(
        cnnsweep(*arguments, "seed=1", "resume=latest", cwd=tmp_path)
    )


def test_two_runs_started_at_once_never_share_a_folder(tmp_path: Path) -> None:
    processes = [start(*TINY, "epochs=1", "hydra.job.chdir=false", cwd=tmp_path) for _ in range(2)]
    for process in processes:
        output, errors = process.communicate()
        assert process.returncode == 0, output + errors
    folders = list(tmp_path.glob("outputs/*/*/result.json"))
    assert len(folders) == 2


def test_a_grid_skips_what_is_finished_and_goes_on_with_the_rest(tmp_path: Path) -> None:
    arguments = (
        *("--multirun", *TINY, "pictures=false", "seed=0,1", "hydra.sweep.dir=grid"),
        "hydra.sweeper.n_jobs=1",
    )
    process = start(*arguments, cwd=tmp_path)
    while not (tmp_path / "grid" / "1" / "config.yaml").exists():
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    process.kill()
    process.communicate()
    first = (tmp_path / "grid" / "0" / "best.pt").stat().st_mtime_ns
    output = succeeded(cnnsweep(*arguments, cwd=tmp_path))
    assert "resuming: 1 of 2 jobs are over" in output
    assert (tmp_path / "grid" / "0" / "best.pt").stat().st_mtime_ns == first
    assert result(tmp_path / "grid" / "1")["status"] == "completed"
    before = snapshot(tmp_path / "grid" / "0")
    line = complaint_of(cnnsweep(*arguments, "optim.lr=0.3", cwd=tmp_path))
    assert "grid/0 holds a run of another config" in line
    assert "optim.lr" in line
    assert snapshot(tmp_path / "grid" / "0") == before


def test_a_part_of_a_sweep_names_the_sweep_to_resume(tmp_path: Path) -> None:
    part = tmp_path / "sweep" / "lenet" / "search_0"
    part.mkdir(parents=True)
    (tmp_path / "sweep" / "multirun.yaml").write_text("hydra: {}\n")
    line = complaint_of(cnnsweep("-m", f"resume={part}", cwd=tmp_path))
    assert line == f"error: resume={part}: it is a part of a sweep, so resume={part.parents[1]}"
