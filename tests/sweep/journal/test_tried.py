"""Which points were tried, and how many trials there are, as a look at all trials says."""

import random
from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState

from cnnsweep.sweep.journal.tried import Tried, number_of_begun, number_of_trials
from cnnsweep.sweep.spec.optuna_internals import storage_of, trial_id
from cnnsweep.sweep.spec.plan import FOLDER
from cnnsweep.sweep.spec.space.points import identity
from cnnsweep.sweep.study.opening.storage import open_storage

POINTS = [round(0.1 * k, 1) for k in range(30)]


@pytest.mark.parametrize("kind", ["journal", "in memory"])
@pytest.mark.parametrize("seed", range(3))
def test_they_are_those_of_all_trials_but_one(tmp_path: Path, seed: int, kind: str) -> None:
    chance = random.Random(seed)
    storage = open_storage(None, tmp_path, None) if kind == "journal" else None
    study = optuna.create_study(storage=storage, sampler=optuna.samplers.RandomSampler(seed=seed))
    tried = Tried(study)
    for _ in range(60):
        running = study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
        step = chance.randrange(4)
        if step == 0 or not running:
            study.ask().suggest_float("x", 0, 2.9, step=0.1)
        elif step == 1:
            study.enqueue_trial({"x": chance.choice(POINTS)})
        elif step == 2:
            key = trial_id(chance.choice(running))
            storage_of(study).set_trial_user_attr(key, FOLDER, "f")
        else:
            study.tell(chance.choice(running).number, chance.random())
        trials = study.get_trials(deepcopy=False)
        but = chance.choice([None, len(trials) - 1])
        there = {identity(trial.params) for trial in trials if trial.number != but}
        unsettled = {} if but is None else trials[but].user_attrs
        if but is None or not (trials[but].state.is_finished() or FOLDER in unsettled):
            is_tried = tried.now(but)
            assert {p for p in POINTS if is_tried(identity({"x": p}))} == {
                p for p in POINTS if identity({"x": p}) in there
            }
        assert number_of_trials(study) == len(trials)
        assert number_of_begun(study) == sum(t.state is not TrialState.WAITING for t in trials)
