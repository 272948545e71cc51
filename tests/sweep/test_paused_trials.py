"""What a terminal and the results say of trials that wait, beside those of every other state."""

import math
import random
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf
from optuna.trial import TrialState
from rich.console import Console

from cnnsweep.folders.sweep_folder import IS_DEFAULT
from cnnsweep.sweep.estimate.in_words import about
from cnnsweep.sweep.freeze_thaw.paused import PAUSED
from cnnsweep.sweep.freeze_thaw.pruner import FreezeThaw
from cnnsweep.sweep.gain import gain_lines
from cnnsweep.sweep.progress import SweepProgress, counted
from cnnsweep.sweep.results import result_lines, write_results
from cnnsweep.sweep.spec.messages import Epoch, Job
from cnnsweep.sweep.spec.optuna_internals import storage_of, trial_id
from cnnsweep.sweep.study.ask import Asker
from cnnsweep.sweep.study.search import Search
from tests.sweep.test_results import make_search

ENDS = {"completed": TrialState.COMPLETE, "pruned": TrialState.PRUNED, "failed": TrialState.FAIL}
STATES = (*ENDS, "running", PAUSED, "thawed")
EPOCHS = 6


def searching(folder: Path, states: list[str], budget: Any = "auto", **fields: Any) -> Search:
    """A search with trials in these states; values that are not final are better than any final."""
    search = make_search(folder, confirm=0, objective="val_accuracy")
    search.plan.config.epochs = EPOCHS
    search.study.pruner = FreezeThaw(budget, 1)
    for name, value in fields.items():
        setattr(search, name, value)
    search.study.enqueue_trial({"x": 0.5, "n": 3}, user_attrs={IS_DEFAULT: True})
    storage = storage_of(search.study)
    for number, state in enumerate(states):
        trial = search.asker.ask()
        epochs = EPOCHS if state == "completed" else 3
        value = (0.5 if state == "completed" else 0.9) + number / 1000
        for epoch in range(1, epochs + 1):
            storage.set_trial_intermediate_value(trial_id(trial), epoch, value)
        if state in ENDS:
            final = value if state == "completed" else None
            search.study.tell(trial.number, final, state=ENDS[state])
        elif state != "running":
            at = epochs if state == PAUSED else None
            storage.set_trial_user_attr(trial_id(trial), PAUSED, at)
        if state == PAUSED:
            place = search.plan.place(trial)
            place.mkdir()
            (place / "last.pt").write_bytes(b"x" * 700_000)
            (place / "best.pt").write_bytes(b"x" * 300_000)
    return search


def drawn(seed: int) -> list[str]:
    draw = random.Random(seed)
    return ["completed", *(draw.choice(STATES) for _ in range(draw.randint(0, 8)))]


def table(search: Search, progress: SweepProgress | None = None) -> list[list[str]]:
    """The words of the live table's first two lines."""
    console = Console(width=200)
    shown = progress or SweepProgress(console, None)
    with console.capture() as capture:
        console.print(shown.table([search]))
    return [line.split() for line in capture.get().splitlines()[:2]]


@pytest.mark.parametrize("seed", range(30))
def test_every_trial_is_counted_once_and_none_that_waits_as_over(tmp_path: Path, seed: int) -> None:
    states = drawn(seed)
    search = searching(tmp_path, states)
    n = {state: states.count(state) for state in STATES}
    over = n["completed"] + n["pruned"] + n["failed"]
    ofs = search.asker.trials_in_all()
    waiting = f", {n[PAUSED]} {'is' if n[PAUSED] == 1 else 'are'} paused" if n[PAUSED] else ""
    assert (
        counted(search)
        .replace(f", more than hydra.sweeper.n_trials={ofs}", "")
        .endswith(f"are over{waiting}")
    )
    assert counted(search).startswith(f"{over} ")
    names, numbers = table(search)
    shown = dict(zip(names, numbers, strict=False))
    assert int(shown["running"]) == n["running"] + n["thawed"]
    assert int(shown.get("paused", 0)) == n[PAUSED]
    assert [int(shown[word]) for word in ("done", "pruned", "failed")] == [
        n["completed"], n["pruned"], n["failed"],
    ]  # fmt: skip


@pytest.mark.parametrize("seed", range(30))
def test_the_winner_is_a_completed_trial_and_the_paused_ones_are_named(
    tmp_path: Path, seed: int
) -> None:
    states = drawn(seed)
    search = searching(tmp_path, states)
    write_results(tmp_path, [search])
    results = OmegaConf.load(tmp_path / "optimization_results.yaml")
    best = max(number for number, state in enumerate(states) if state == "completed")
    assert (results.best_trial, results.best_value) == (best, 0.5 + best / 1000)
    lines = result_lines([search])
    paused = states.count(PAUSED)
    (line,) = (line for line in lines if line.startswith("validation best"))
    tried = len(states) - states.count("failed")
    assert f"(best of {tried} trial" in line
    assert (f"{paused} paused" in line) == (paused > 0)
    (of_all,) = (x for x in lines if "best of" in x and "tried" in x) if len(states) > 1 else ("",)
    if tried > 1:
        assert f"the best of {tried} tried" in of_all
    more = [line for line in lines if "of checkpoints; to train on all of them" in line]
    assert len(more) == (paused > 0)
    if paused:
        assert f"paused, with {paused} MB" in more[0]
        again = lines[lines.index(more[0]) + 1]
        assert again.endswith(f"resume={tmp_path} hydra.sweeper.pruner.budget=1")


@pytest.mark.parametrize("state", STATES)
def test_the_gain_is_told_only_over_a_default_config_that_was_completed(
    tmp_path: Path, state: str
) -> None:
    search = searching(tmp_path, [state, "completed"])
    line = gain_lines(search)[0]
    if state == "completed":
        assert "0.10 points above the default config" in line
        return
    if state == PAUSED:
        assert "points below the default config (trial 0" in line
        assert "after 3 of" in line
        return
    assert "points" not in line
    assert "what the winner gained over it is unknown" in line


@pytest.mark.parametrize(("budget", "left"), [(1, 15), (0.5, 3), (0.1, 0), ("auto", None)])
def test_the_time_left_is_that_of_the_epochs_that_may_be_spent(
    tmp_path: Path, budget: Any, left: int | None
) -> None:
    """Of 24 epochs nine are trained."""
    search = searching(tmp_path, [PAUSED, PAUSED, PAUSED], budget)
    assert isinstance(search.asker, Asker)
    search.asker.wanted = 4
    search.time_left = lambda: math.inf
    console = Console(width=200)
    progress = SweepProgress(console, None)
    assert table(search, progress)[1][-1] == "?"
    now = [0.0]
    progress.time_left.clock = lambda: now[0]
    progress.begun(0, Job(0, 0, 0, "0", 0, (), is_prunable=True))
    now[0] = 20.0
    progress.epoch_ended(0, Epoch(1, {"train_seconds": 18.0, "val_accuracy": 0.5}))
    shown = " ".join(table(search, progress)[1])
    assert ("at most about" in shown) == (left is None)
    if left is not None:
        assert shown.endswith(about(20.0 * left))
