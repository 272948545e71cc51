"""Weights of a run that was not completed say so, whatever ended it."""

from pathlib import Path

import pytest

from cnnsweep.folders.missing_checkpoints import why_not_resumed
from cnnsweep.folders.not_final import why_not_final
from cnnsweep.folders.run_folder import PAUSED, STATUSES, RunFolder


def run_in(folder: Path, status: str | None, epochs: int) -> RunFolder:
    folder.mkdir(parents=True)
    run = RunFolder(folder)
    run.write_config({"keep": "all", "epochs": 9})
    if status is not None:
        run.write_result({"status": status, "epochs": epochs, "best_epoch": epochs or None})
    return run


@pytest.mark.parametrize("epochs", [0, 3])
@pytest.mark.parametrize("status", [*STATUSES, None])
def test_all_but_completed_ones_are_called_not_fully_trained(
    tmp_path: Path, status: str | None, epochs: int
) -> None:
    line = why_not_final(run_in(tmp_path / "run", status, epochs))
    if status == "completed":
        assert line is None
        return
    assert line is not None
    assert "\n" not in line
    assert (f"{status}" in line) == (status is not None)
    assert ("after epoch 3 of 9" in line) == (status is not None and epochs == 3)
    assert "not fully trained" in line


@pytest.mark.parametrize("has_last", [True, False])
@pytest.mark.parametrize("is_in_sweep", [True, False])
@pytest.mark.parametrize("status", [*STATUSES, None])
def test_a_paused_trial_is_resumed_by_its_search_alone(
    tmp_path: Path, status: str | None, is_in_sweep: bool, has_last: bool
) -> None:
    run = run_in(tmp_path / "sweep" / "7", status, 3)
    if is_in_sweep:
        (tmp_path / "sweep" / "multirun.yaml").touch()
    if has_last:
        run.last.touch()
    line = why_not_resumed(run)
    is_dropped = status in ("pruned", "failed") and not has_last
    assert (line is not None) == (is_in_sweep and (status == PAUSED or is_dropped))
    if is_in_sweep and status == PAUSED:
        assert f"resume={tmp_path / 'sweep'} hydra.sweeper.pruner.budget=1" in str(line)
        assert str(line).endswith(f"python -m cnnsweep from={run}")
