"""A paused trial's note: written once, gives way to that of the end, and spares a person's text."""

import random
from pathlib import Path

import optuna
import pytest
from optuna.trial import FrozenTrial, TrialState
from optuna_dashboard import save_note  # type: ignore[import-untyped]
from optuna_dashboard._note import (  # type: ignore[import-untyped]
    get_note_from_system_attrs,
    save_note_with_version,
)

from cnnsweep.sweep.spec.optuna_internals import storage_of, study_id, trial_id
from cnnsweep.sweep.study.dashboard_notes import tell_of, tell_of_pause
from cnnsweep.sweep.study.search import Search
from tests.sweep.test_results import make_search

MINE = "What I think of it. " * 150  # more than fits into one attribute


def begun(folder: Path) -> tuple[Search, FrozenTrial]:
    search = make_search(folder, confirm=0)
    return search, search.asker.ask()


def note(study: optuna.Study, trial: FrozenTrial) -> str:
    attributes = storage_of(study).get_study_system_attrs(study_id(study))
    return str(get_note_from_system_attrs(attributes, trial_id(trial))["body"])


def version(study: optuna.Study, trial: FrozenTrial) -> int:
    attributes = storage_of(study).get_study_system_attrs(study_id(study))
    return int(get_note_from_system_attrs(attributes, trial_id(trial))["version"])


def write(study: optuna.Study, trial: FrozenTrial, body: str) -> None:
    """As a person does in the dashboard."""
    save_note_with_version(
        storage_of(study), study_id(study), trial_id(trial), version(study, trial) + 1, body
    )


def pause(search: Search, trial: FrozenTrial) -> None:
    tell_of_pause(search.study, search.plan, trial, search.plan.place(trial))


def end(search: Search, trial: FrozenTrial, values: list[float]) -> None:
    tell_of(search.study, search.plan, trial, search.plan.place(trial), values, None)


def test_it_is_written_once_and_says_how_to_go_on(tmp_path: Path) -> None:
    search, trial = begun(tmp_path)
    pause(search, trial)
    first = note(search.study, trial)
    assert first.startswith("**paused** as long as its user attribute `paused` names an epoch")
    for said in ("hydra.sweeper.pruner.budget", str(search.plan.place(trial)), " from="):
        assert said in first
    for _ in range(3):
        pause(search, trial)
    assert (note(search.study, trial), version(search.study, trial)) == (first, 1)


@pytest.mark.parametrize("seed", range(40))
def test_what_a_person_wrote_stays_through_pauses_and_the_end(tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)
    search, trial = begun(tmp_path)
    study, mine = search.study, draw.choice([MINE, "Mine"])
    has_written = False
    for _ in range(draw.randint(1, 5)):
        step = draw.choice(["pause", "above", "below"])
        if step == "pause":
            pause(search, trial)
        elif not has_written:
            has_written = True
            there = note(study, trial)
            parts = [mine, there] if step == "above" else [there, mine]
            write(study, trial, "\n".join(filter(None, parts)))
    is_over = draw.random() < 0.7
    if is_over:
        for _ in range(draw.randint(1, 2)):  # again, where the storage went away
            end(search, trial, [0.5])
    body = note(study, trial)
    assert body.count(mine) == has_written
    assert body.count("**completed**, val_loss 0.5") == is_over
    if is_over:
        assert "**paused**" not in body
        assert "gives way" not in body
    else:
        assert body.count("**paused**") <= 1


def test_a_long_note_that_gives_way_to_a_short_one_leaves_nothing(tmp_path: Path) -> None:
    search, trial = begun(tmp_path / ("long" * 50) / ("long" * 50))
    pause(search, trial)
    write(search.study, trial, note(search.study, trial) + MINE)
    end(search, trial, [0.25])
    body = note(search.study, trial)
    assert body.startswith("**completed**, val_loss 0.25")
    assert body.endswith(f"\n---\n\n{MINE}")
    assert "**paused**" not in body


def test_a_note_of_the_study_is_another(tmp_path: Path) -> None:
    search, trial = begun(tmp_path)
    save_note(search.study, "Mine")
    pause(search, trial)
    search.study.tell(trial.number, state=TrialState.PRUNED)
    assert "**paused**" in note(search.study, trial)
