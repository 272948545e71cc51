"""The kept trials are those that Optuna's storage lists, after any calls of anybody."""

import random
from pathlib import Path

import optuna
import pytest
from optuna.storages import BaseStorage, JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState, create_trial

from cnnsweep.sweep.journal.file import WholeLines
from cnnsweep.sweep.journal.kept_trials import KeptTrials
from cnnsweep.sweep.spec.optuna_internals import storage_of, study_id, trial_id
from tests.contracts import breaks

STATES = [None, *[(state,) for state in TrialState], (TrialState.RUNNING, TrialState.WAITING),
          (TrialState.COMPLETE, TrialState.PRUNED), ()]  # fmt: skip


def change(study: optuna.Study, chance: random.Random) -> None:
    """One of the calls by which a study changes."""
    storage = storage_of(study)
    running = study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
    kind = chance.randrange(7)
    if kind == 0 or not running:
        study.ask()
    elif kind == 1:
        study.enqueue_trial({"x": chance.random()})
    elif kind == 2:
        study.add_trial(create_trial(value=1.0))
    elif kind == 3:
        study.set_user_attr("a", chance.random())
    else:
        trial = chance.choice(running)
        if kind == 4:
            storage.set_trial_intermediate_value(trial_id(trial), chance.randrange(5), 0.5)
        elif kind == 5:
            storage.set_trial_user_attr(trial_id(trial), "b", chance.random())
        else:
            state = chance.choice([TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL])
            study.tell(trial.number, 1.0 if state is TrialState.COMPLETE else None, state=state)


def open_(path: Path, kind: str) -> BaseStorage:
    if kind == "kept":
        return KeptTrials(WholeLines(path, None))
    return JournalStorage(JournalFileBackend(str(path)))


@pytest.mark.parametrize("seed", range(4))
@breaks("KeptTrials: the trials of a search")
def test_they_are_those_that_optuna_lists(tmp_path: Path, seed: int) -> None:
    chance, path = random.Random(seed), tmp_path / "study.journal"
    names = ["s", "t"]
    studies = {
        (kind, name): optuna.create_study(
            storage=open_(path, kind), study_name=name, load_if_exists=True
        )
        for kind in ("kept", "optuna")
        for name in names
    }
    for _ in range(80):
        kind = chance.choice(["kept", "kept", "optuna"])
        change(studies[kind, chance.choice(names)], chance)
        name = chance.choice(names)
        kept, theirs = studies["kept", name], studies["optuna", name]
        for states in STATES:
            listed = theirs.get_trials(deepcopy=False, states=states)
            assert kept.get_trials(deepcopy=False, states=states) == listed
            assert kept.get_trials(states=states) == listed
        for trial in kept.get_trials(deepcopy=False):
            assert storage_of(kept).get_trial(trial_id(trial)) is trial


def test_a_list_that_was_handed_out_is_its_callers(tmp_path: Path) -> None:
    study = optuna.create_study(storage=open_(tmp_path / "study.journal", "kept"))
    study.ask()
    study.get_trials(deepcopy=False).clear()
    study.trials[0].params["x"] = 1
    assert [trial.params for trial in study.get_trials(deepcopy=False)] == [{}]


def test_a_study_that_does_not_exist_has_no_trials(tmp_path: Path) -> None:
    storage = open_(tmp_path / "study.journal", "kept")
    study = optuna.create_study(storage=storage)
    with pytest.raises(KeyError):
        storage.get_all_trials(study_id(study) + 1)
