"""The two example apps of docs/other_apps, from a folder of somebody's own."""

import json
import random
import shutil
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.command import REPOSITORY
from tests.sweep.sweep_commands import (
    end_all,
    finish,
    kill_in_training,
    start_in,
    study,
    table,
)

EXAMPLES = REPOSITORY / "docs" / "other_apps"
needs_lightning = pytest.mark.skipif(
    find_spec("lightning") is None, reason="Lightning is not installed: the extra lightning"
)
both = pytest.mark.parametrize(
    "name", ["plain_pytorch", pytest.param("lightning", marks=needs_lightning)]
)


@pytest.fixture(autouse=True)
def _none_left() -> Iterator[None]:
    yield
    end_all()


def copied(name: str, folder: Path) -> Path:
    return shutil.copytree(EXAMPLES / name, folder / "app") / "train.py"


def search(script: Path, folder: Path, *words: str) -> list[str]:
    """The command line of a search by an example, with one worker."""
    more = (f"hydra.sweep.dir={folder}", "hydra.sweeper.n_jobs=1", *words)
    return [sys.executable, str(script), "--multirun", *more]


def done(line: list[str], cwd: Path) -> str:
    ended = finish(start_in(cwd, line))
    assert ended.code == 0, ended.text
    return ended.text


def test_the_plain_loop_runs_and_is_searched_over_from_any_folder(tmp_path: Path) -> None:
    script = copied("plain_pytorch", tmp_path)
    done([sys.executable, str(script), "hydra.run.dir=one", "epochs=2"], tmp_path)
    result = json.loads((tmp_path / "one" / "result.json").read_text())
    assert (result["status"], result["epochs"]) == ("completed", 2)
    folder = tmp_path / "sweep"
    text = done(search(script, folder, "hydra.sweeper.n_trials=4", "epochs=3"), tmp_path)
    assert "paused" in text
    assert "report: " in text
    report = (folder / "report" / "report.md").read_text(encoding="utf-8").replace("\\", "")
    assert " won with lr=" in report
    assert "val_accuracy" in report


@pytest.mark.slow
@both
def test_an_example_killed_at_random_ends_as_if_nothing_had_happened(
    tmp_path: Path, name: str
) -> None:
    script, draw = copied(name, tmp_path), random.Random(3)
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    done(search(script, whole), tmp_path)
    line = search(script, killed)
    kills = [
        kill_in_training(line, killed, draw, whom=whom, most_seconds=0.2)
        for whom in ("parent", "worker", "parent", "parent")
    ]
    print(f"{sum(kills)} kills of {name}")
    done(line, tmp_path)
    assert table(killed) == table(whole)
    assert any(t.user_attrs.get("paused") for t in study(whole).trials)


@pytest.mark.slow
@both
def test_an_example_goes_on_with_more_and_is_pruned(tmp_path: Path, name: str) -> None:
    script, folder = copied(name, tmp_path), tmp_path / "sweep"
    words = ("hydra/sweeper/sampler=random", "hydra/sweeper/pruner=median")
    early = ("hydra.sweeper.pruner.n_startup_trials=1", "hydra.sweeper.pruner.n_warmup_steps=0")
    done(search(script, folder, *words, *early, "hydra.sweeper.n_trials=2"), tmp_path)
    done(search(script, folder, *words, *early, "hydra.sweeper.n_trials=6"), tmp_path)
    ends = [trial.state.name for trial in study(folder).trials]
    assert len(ends) == 6
    assert set(ends) == {"COMPLETE", "PRUNED"}
    for trial, end in enumerate(ends):
        result = json.loads((folder / str(trial) / "result.json").read_text())
        assert result["status"] == {"COMPLETE": "completed", "PRUNED": "pruned"}[end]
    said = done([sys.executable, "-m", "cnnsweep.report", "sweep"], tmp_path)
    assert "6 runs: " in said
