"""``resume=GRID epochs=N``: each job of a grid becomes the run of that length, in its place."""

import time
from pathlib import Path
from typing import Any

import pytest

from cnnsweep.folders.run_folder import RunFolder
from tests.command import cnnsweep, complaint_of, start, succeeded
from tests.run_files import metrics, result, tensors, tree

SMALL = ("--multirun", "model=simple", "data.train_limit=100", "threads=1", "pictures=false")


def assert_same_but_for_the_note(one: Path, other: Path) -> None:
    assert metrics(one) == metrics(other)
    for name in ("best.pt", "last.pt"):
        assert tensors(one / name) == tensors(other / name)
    notes: dict[str, Any] = {"lengthened": []}
    assert result(one) | notes == result(other) | notes
    assert not (one / ".longer").exists()


@pytest.fixture(scope="module")
def grids(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of two grids of two seeds: one of two epochs, and one of thirty."""
    root = tmp_path_factory.mktemp("grids")
    for name, epochs in (("short", 2), ("long", 30)):
        words = (*SMALL, "seed=0,1", f"epochs={epochs}", f"hydra.sweep.dir={name}")
        succeeded(cnnsweep(*words, cwd=root))
    return root


def test_killed_and_resumed_every_job_is_the_longer_one(grids: Path) -> None:
    run = grids / "short" / "0"
    old = (run / "last.pt").stat().st_ino
    process = start("resume=short", "epochs=30", cwd=grids)
    while process.poll() is None:
        try:
            if (run / ".longer" / "last.pt").stat().st_ino != old:
                break
        except FileNotFoundError:
            time.sleep(0.0005)
    process.kill()
    process.communicate()
    for seed in ("0", "1"):
        folder = RunFolder(grids / "short" / seed)
        assert (folder.read_result() or {})["epochs"] == len(folder.read_metrics())
    output = succeeded(cnnsweep("resume=short", cwd=grids))
    assert "2 of 2 completed" in output
    for seed in ("0", "1"):
        assert_same_but_for_the_note(grids / "short" / seed, grids / "long" / seed)
        (former,) = result(grids / "short" / seed)["lengthened"]
        assert former["epochs"] == 2


def test_a_job_whose_schedule_depends_on_the_length_is_named_before_anything(
    tmp_path: Path,
) -> None:
    words = (*SMALL, "scheduler=none,cosine", "epochs=1", "hydra.sweep.dir=grid")
    succeeded(cnnsweep(*words, cwd=tmp_path))
    line = complaint_of(cnnsweep("resume=grid", "epochs=2", cwd=tmp_path))
    assert "scheduler.T_max would differ too" in line
    assert not list(tmp_path.rglob(".longer"))
    line = complaint_of(cnnsweep("resume=grid/0", "epochs=2", cwd=tmp_path))
    assert "python -m cnnsweep resume=grid epochs=2" in line
    assert line.endswith("python -m cnnsweep from=grid/0 epochs=2")


def test_a_job_without_checkpoints_is_trained_anew(tmp_path: Path) -> None:
    for name, epochs in (("short", 1), ("long", 2)):
        words = (*SMALL, "optim.lr=0.1,0.001", f"epochs={epochs}", f"hydra.sweep.dir={name}")
        succeeded(cnnsweep(*words, "hydra.sweeper.keep_best=1", cwd=tmp_path))
    (gone,) = (n for n in "01" if not (tmp_path / "short" / n / "last.pt").exists())
    before = tree(tmp_path / "short")
    typed = ("resume=short", "epochs=2")
    dry = succeeded(cnnsweep(*typed, "hydra.sweeper.dry_run=true", cwd=tmp_path))
    jobs = [line for line in dry.splitlines() if line.startswith("  job ")]
    assert [line.partition(":")[0] for line in jobs] == ["  job 0", "  job 1"]
    assert tree(tmp_path / "short") == before
    output = succeeded(cnnsweep(*typed, cwd=tmp_path))
    assert "1 from the first epoch on, having no last.pt" in output
    for number in "01":
        assert metrics(tmp_path / "short" / number) == metrics(tmp_path / "long" / number)
    assert result(tmp_path / "short" / gone)["lengthened"][0]["epochs"] == 1
