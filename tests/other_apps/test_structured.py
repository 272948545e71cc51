"""An app whose config is dataclasses in Hydra's store, with an Enum, a Path and bytes."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cnnsweep.report.read.safe_io import read_yaml
from tests.command import REPOSITORY
from tests.sweep.sweep_commands import end_all, finish, start_in, sweep

APP = ("tests.other_apps.structured.train",)
SPACE = (
    "net.optimizer.lr=interval(0,1)", "net=small,wide", "net.shape=ROUND,SQUARE",
    "hydra.sweeper.metric=val_loss", "hydra.sweeper.checkpoint=state.json",
    "hydra.sweeper.n_trials=4", "hydra.sweeper.n_jobs=1",
)  # fmt: skip


@pytest.fixture(autouse=True)
def _none_left() -> Iterator[None]:
    yield
    end_all()


def states(folder: Path) -> list[str]:
    runs = sorted(folder.glob("[0-9]"))
    return [json.loads((run / "result.json").read_text())["status"] for run in runs]


def test_its_search_pauses_goes_on_and_is_reported(tmp_path: Path) -> None:
    folder = tmp_path / "s"
    first = sweep(APP, folder, *SPACE)
    assert first.code == 0, first.text
    assert "paused" in states(folder)
    assert "trial 0: val_loss 1.08 " in first.text  # the default config: an Enum is in its space
    more = sweep(APP, folder, *SPACE, "hydra.sweeper.pruner.budget=1")
    assert more.code == 0, more.text
    assert states(folder) == ["completed"] * 4
    assert read_yaml(folder / "0" / ".hydra" / "config.yaml")["where"] == "a/b"
    line = [sys.executable, "-m", "cnnsweep.report", str(folder)]
    said = finish(start_in(REPOSITORY, line)).text
    assert "4 runs: 4 completed" in said
    assert "damaged" not in said


def test_a_grid_of_its_groups_is_run_once(tmp_path: Path) -> None:
    words = ("hydra/sweeper=cnnsweep_grid", "net/optimizer=sgd,adam", "kind=ROUND,SQUARE")
    first, second = (sweep(APP, tmp_path / "g", *words).text for _ in range(2))
    assert "4 of 4 completed" in first
    assert "job 0: " in first
    assert "4 of 4 completed" in second
    assert "job 0: " not in second
