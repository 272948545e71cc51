"""A run in its folder: whose it is, and which checkpoints it keeps once finished."""

import shutil
from pathlib import Path

import pytest

from cnnsweep.folders.lock import LOCK_NAME
from tests.command import QUICK, TINY, cnnsweep, succeeded
from tests.sweep.sweep_commands import study


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


@pytest.mark.parametrize("status", ["completed", None])
def test_a_jobs_folder_that_holds_a_run_of_another_config_stays_as_it_is(
    status: str | None, tiny_run: Path, tmp_path: Path
) -> None:
    """A trial that is resumed finds another run in its folder, whatever led there."""
    search = [
        *("-m", *QUICK, "epochs=1", "search=sgd", "hydra.sweeper.n_jobs=1"),
        *("hydra.sweep.dir=sweep", "hydra.sweeper.n_trials={}"),
    ]
    succeeded(cnnsweep(*(word.format(1) for word in search), cwd=tmp_path))
    trial = study(tmp_path / "sweep").ask(study(tmp_path / "sweep").trials[0].distributions)
    trial.set_user_attr("folder", "1")
    shutil.copytree(tiny_run, tmp_path / "sweep/1")
    result = tmp_path / "sweep/1/result.json"
    if status is None:
        result.unlink()
    else:
        result.write_text(result.read_text().replace('"completed"', f'"{status}"'))
    before = _contents(tmp_path / "sweep/1")
    done = cnnsweep(*(word.format(2) for word in search), cwd=tmp_path)
    (refusal,) = [line for line in done.stdout.splitlines() if line.startswith("trial 1: failed")]
    assert "sweep/1 holds a run of another config; these keys differ: " in refusal
    assert _contents(tmp_path / "sweep/1") == before


def _contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != LOCK_NAME)
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}
