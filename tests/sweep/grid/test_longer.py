"""``resume=GRID epochs=N``: each job of a grid becomes the run of that length, in its place."""

import os
import shutil
import signal
import time
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml

from cnnsweep.folders.run_folder import RunFolder
from cnnsweep.folders.winner import chosen_run
from tests.command import (
    REPOSITORY,
    cnnsweep,
    complaint_of,
    environment,
    fork_server,
    start,
    succeeded,
)
from tests.run_files import metrics, result, tensors, tree

MOMENT = "PYTEST_KILLED_AFTER"
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


def kill_while_preparing() -> None:
    """Have a launch be killed after so many folders that it has prepared; in its process."""
    module: Any = import_module("cnnsweep.sweep.grid.longer")
    begin, left = module.begin, [int(os.environ[MOMENT])]

    def counting(*arguments: Any) -> Any:
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left[0] -= 1
        return begin(*arguments)

    module.begin = counting


def epochs_of(grid: Path) -> list[int]:
    return [len(metrics(grid / number)) for number in "01"]


def test_killed_while_folders_are_prepared_it_is_the_old_grid_or_goes_on(tmp_path: Path) -> None:
    words = (*SMALL, "seed=0,1", "epochs=1", "hydra.sweep.dir=grid")
    succeeded(cnnsweep(*words, cwd=tmp_path))
    before = f"{__name__}:{kill_while_preparing.__name__}"
    for prepared in (0, 1):
        shutil.copytree(tmp_path / "grid", tmp_path / f"killed_{prepared}")
        variables = environment(**{"PYTHONPATH": str(REPOSITORY), MOMENT: str(prepared)})
        typed = (f"resume=killed_{prepared}", "epochs=2")
        ended = fork_server().run("cnnsweep", typed, tmp_path, variables, before=before)
        assert ended.code == -signal.SIGKILL
    typed_again = {"killed_0": ((), 2), "killed_1": (("epochs=3",), 3)}
    said = chosen_run(tmp_path / "killed_1").said or ""
    assert "so far, of which 1 of fewer epochs are being made longer" in said
    files = tree(tmp_path / "killed_1")
    for other in ("epochs=1", "epochs=3"):
        dry = ("resume=killed_1", other, "hydra.sweeper.dry_run=true")
        succeeded(cnnsweep(*dry, cwd=tmp_path))
        assert tree(tmp_path / "killed_1") == files
    shutil.copytree(tmp_path / "killed_1", tmp_path / "back")
    for name, (more, epochs) in typed_again.items():
        output = succeeded(cnnsweep(f"resume={name}", *more, cwd=tmp_path))
        assert "2 of 2 completed" in output
        assert epochs_of(tmp_path / name) == [epochs, epochs]
    output = succeeded(cnnsweep(*words[:-1], "hydra.sweep.dir=back", cwd=tmp_path))
    assert "not made longer any more: 1 job" in output
    assert "2 of 2 completed" in output
    assert epochs_of(tmp_path / "back") == [1, 1]
    assert not list(tmp_path.rglob(".longer"))
    assert "is unfinished" in complaint_of(cnnsweep("resume=latest", cwd=tmp_path))


def test_jobs_of_which_some_have_become_longer_become_longer_still(tmp_path: Path) -> None:
    """As a launch leaves them that is killed after its first job."""
    for name, epochs in (("grid", 1), ("half", 2)):
        words = (*SMALL, "seed=0,1", f"epochs={epochs}", f"hydra.sweep.dir={name}")
        succeeded(cnnsweep(*words, cwd=tmp_path))
    shutil.rmtree(tmp_path / "half" / "1")
    shutil.copytree(tmp_path / "grid" / "1", tmp_path / "half" / "1")
    line = complaint_of(cnnsweep("resume=half", "epochs=1", cwd=tmp_path))
    assert "has 2 epochs, and epochs=1 are fewer" in line
    line = complaint_of(cnnsweep("resume=half", "epochs=3", "optim.lr=0.3", cwd=tmp_path))
    assert "with no other key in the same command than epochs" in line
    assert line.count("optim.lr") == 2
    assert "2 of 2 completed" in succeeded(cnnsweep("resume=half", "epochs=3", cwd=tmp_path))
    assert epochs_of(tmp_path / "half") == [3, 3]


def test_a_grid_of_several_epochs_is_not_made_one_of_twice_the_same(tmp_path: Path) -> None:
    words = (*SMALL, "epochs=1,2", "hydra.sweep.dir=grid")
    succeeded(cnnsweep(*words, cwd=tmp_path))
    line = complaint_of(cnnsweep(*SMALL, "epochs=3", "hydra.sweep.dir=grid", cwd=tmp_path))
    assert "these keys differ" in line
    assert epochs_of(tmp_path / "grid") == [1, 2]


def test_an_unfinished_job_that_has_more_epochs_already_is_not_cut(tmp_path: Path) -> None:
    words = (*SMALL, "seed=0,1", "epochs=3", "hydra.sweep.dir=grid")
    succeeded(cnnsweep(*words, cwd=tmp_path))
    (tmp_path / "grid" / "0" / "result.json").unlink()
    shutil.rmtree(tmp_path / "grid" / "1")
    line = complaint_of(cnnsweep("resume=grid", "epochs=2", cwd=tmp_path))
    assert "has 3 epochs already, and epochs=2" in line
    recorded = yaml.safe_load((tmp_path / "grid" / "multirun.yaml").read_text())
    assert recorded["epochs"] == 3
