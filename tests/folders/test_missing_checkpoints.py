"""Why a checkpoint is not there, in one line."""

from pathlib import Path
from typing import Any

import pytest

from cnnsweep.folders.missing_checkpoints import why_no_weights, why_not_resumed
from cnnsweep.folders.run_folder import RunFolder


def run_in(folder: Path, keep: str = "all", **result: Any) -> RunFolder:
    folder.mkdir(parents=True)
    run = RunFolder(folder)
    run.write_config({"keep": keep})
    run.write_result({"status": "completed", "best_epoch": 1, "epochs": 2} | result)
    return run


@pytest.mark.parametrize(
    ("place", "keep", "result", "said"),
    [
        ("sweep/3", "all", {}, "hydra.sweeper.keep_best dropped it"),
        ("sweep/simple/3/seed_1", "best", {}, "hydra.sweeper.keep_best dropped it"),
        ("sweep/3", "none", {}, "keep=none dropped it"),
        ("alone", "none", {}, "keep=none dropped it"),
        ("alone", "all", {}, "it was removed"),
        ("alone", "all", {"best_epoch": None}, "no epoch is over yet"),
    ],
)
def test_a_run_without_weights(
    tmp_path: Path, place: str, keep: str, result: dict[str, Any], said: str
) -> None:
    (tmp_path / "sweep").mkdir()
    (tmp_path / "sweep" / "multirun.yaml").touch()
    run = run_in(tmp_path / place, keep, **result)
    line = why_no_weights(run)
    assert said in line
    assert "\n" not in line
    assert (f"python -m cnnsweep from={run}" in line) == (said != "no epoch is over yet")


@pytest.mark.parametrize(
    ("place", "result", "is_refused"),
    [
        ("sweep/3", {"status": "pruned"}, True),
        ("sweep/3", {"status": "failed"}, True),
        ("sweep/3", {"status": "failed", "epochs": 0}, False),
        ("sweep/3", {"status": "completed"}, False),
        ("alone", {"status": "failed"}, False),
    ],
)
def test_a_run_that_could_only_begin_anew(
    tmp_path: Path, place: str, result: dict[str, Any], is_refused: bool
) -> None:
    (tmp_path / "sweep").mkdir()
    (tmp_path / "sweep" / "multirun.yaml").touch()
    run = run_in(tmp_path / place, **result)
    assert (why_not_resumed(run) is not None) == is_refused
    run.last.touch()
    assert why_not_resumed(run) is None
