"""Of trials that are none of a search's own, the first of the best, where it is better."""

import random
from pathlib import Path

import pytest
from omegaconf import OmegaConf
from optuna.trial import TrialState, create_trial

from cnnsweep.metric_names import Direction
from cnnsweep.sweep.checkpoints import best_trials
from cnnsweep.sweep.earlier.beforehand import beforehand, best_known
from cnnsweep.sweep.earlier.warm_start import RUN, WARM
from cnnsweep.sweep.spec.plan import FOLDER, Plan
from cnnsweep.sweep.spec.space.search_space import SearchSpace
from cnnsweep.sweep.study.confirmation import winner
from tests.sweep.study.studies import SPACE, make_study


@pytest.mark.parametrize("direction", ["minimize", "maximize"])
@pytest.mark.parametrize("seed", range(20))
def test_better_is_better_and_of_equals_the_lowest_number_comes_first(
    seed: int, direction: Direction
) -> None:
    draw = random.Random(seed)
    own, earlier = ([draw.choice([0.25, 0.5, 0.75]) for _ in range(6)] for _ in range(2))
    study, plan = make_study(direction=direction), _plan(direction)
    point = {"x": 0.5, "n": 1}
    for number, value in enumerate(own):
        study.add_trial(
            create_trial(
                state=TrialState.COMPLETE,
                value=value,
                params=point,
                distributions=SPACE,
                user_attrs={FOLDER: str(number)},
            )
        )
    known = [
        {"params": point, "status": "completed", "values": [value], "curve": {}, RUN: f"s/{number}"}
        for number, value in enumerate(earlier)
    ]
    study.set_user_attr(WARM, {"s": known})
    best = max if direction == "maximize" else min
    won, top = winner(study), best_known(study, plan, winner(study))
    assert won is not None
    assert won.number == own.index(best(own))
    assert best_trials(study, 3)[0].number == won.number
    if best(earlier) == best(own) or best(best(earlier), best(own)) == best(own):
        assert top is None
        assert "better_elsewhere" not in beforehand(study, plan, won)
    else:
        assert top is not None
        assert top.user_attrs[RUN] == f"s/{earlier.index(best(earlier))}"


def _plan(direction: Direction) -> Plan:
    return Plan(
        sweep=Path("s"),
        subfolder="",
        study_name="test",
        space=SearchSpace(SPACE, ()),
        config=OmegaConf.create({}),
        objectives=("val_loss",),
        directions=(direction,),
        n_trials=6,
        points=None,
        seed=0,
        threads=None,
        typed=frozenset(),
    )
