"""A run in its folder: whose it is, and which checkpoints it keeps once finished."""

import shutil
from pathlib import Path

from tests.command import TINY, cnnsweep, succeeded


def test_checkpoints_that_a_killed_run_could_not_drop_any_more_go_when_it_is_found_finished(
    tiny_run: Path, tmp_path: Path
) -> None:
    for keep, left in (("best", ["best.pt"]), ("none", [])):
        folder = tmp_path / keep
        shutil.copytree(tiny_run, folder)
        config = (folder / "config.yaml").read_text()
        assert "keep: all\n" in config
        (folder / "config.yaml").write_text(config.replace("keep: all\n", f"keep: {keep}\n"))
        arguments = (*TINY, f"keep={keep}", f"hydra.run.dir={keep}")
        assert "already finished" in succeeded(cnnsweep(*arguments, cwd=tmp_path))
        assert [path.name for path in folder.glob("*.pt")] == left


def test_a_trials_folder_with_another_config_is_refused_in_a_search_too(
    tiny_run: Path, tmp_path: Path
) -> None:
    """A worker holds the folder's lock before its task, as a single run's callback does."""
    trial = tmp_path / "sweep" / "0"
    trial.mkdir(parents=True)
    shutil.copy(tiny_run / "config.yaml", trial)
    search = ("search=sgd", "model=resnet", "hydra.sweeper.n_trials=1", "hydra.sweeper.n_jobs=1")
    done = cnnsweep("-m", *TINY[1:], *search, "hydra.sweep.dir=sweep", cwd=tmp_path)
    assert done.returncode == 1
    refusal = next(line for line in done.stdout.splitlines() if line.startswith("trial 0: failed"))
    assert "sweep/0 holds a run of another config" in refusal
    assert "model._target_" in refusal
