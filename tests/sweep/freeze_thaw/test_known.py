"""A sampler learns from paused trials, and the study itself is left as it was."""

from collections.abc import Callable, Mapping
from typing import Any

import optuna
import pytest
from omegaconf import DictConfig, OmegaConf
from optuna.distributions import FloatDistribution
from optuna.pruners import BasePruner, HyperbandPruner
from optuna.trial import FrozenTrial, TrialState, create_trial

from cnnsweep.metric_names import Direction
from cnnsweep.sweep.freeze_thaw.known import BLIND_TO_PRUNED, known
from cnnsweep.sweep.freeze_thaw.paused import PAUSED, is_paused, paused_at
from cnnsweep.sweep.spec.optuna_internals import storage_of, trial_id
from tests.sweep.study.studies import SPACE, asker, make_study, sampler
from tests.sweep.study.test_ask import interrupt

SAMPLERS = {
    "random": sampler("RandomSampler"),
    "tpe": sampler("TPESampler", n_startup_trials=3, multivariate=None, constant_liar=True),
    "tpe of old": sampler("TPESampler", n_startup_trials=3, multivariate=False),
    "tpe in groups": sampler("TPESampler", n_startup_trials=3, group=True),
    "gp": sampler("GPSampler", n_startup_trials=6),
    "cmaes": sampler("CmaEsSampler", popsize=4),
    "cmaes of pruned": sampler("CmaEsSampler", popsize=4, consider_pruned_trials=True),
    "nsgaii": sampler("NSGAIISampler", population_size=3),
    "nsgaiii": sampler("NSGAIIISampler", population_size=3),
    "qmc": OmegaConf.create(
        {"_target_": "cnnsweep.sweep.spec.samplers.NumberedPoints", "seed": None}
    ),
    "brute force": sampler("BruteForceSampler"),
    "grid": sampler("GridSampler"),
}
TRIALS = 9
End = Callable[[optuna.Study, FrozenTrial], None]
pytestmark = pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")


@pytest.fixture(
    params=[
        pytest.param(name, marks=pytest.mark.slow) if name == "gp" else name for name in SAMPLERS
    ]
)
def config(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> DictConfig:
    if request.param in ("grid", "brute force"):
        monkeypatch.setitem(SPACE, "x", FloatDistribution(0.0, 1.0, step=0.25))
    return SAMPLERS[request.param]


def pause(study: optuna.Study, trial: FrozenTrial) -> None:
    epoch = trial.last_step
    storage_of(study).set_trial_user_attr(trial_id(trial), PAUSED, epoch)


def prune(study: optuna.Study, trial: FrozenTrial) -> None:
    study.tell(trial.number, state=TrialState.PRUNED)


def complete(study: optuna.Study, trial: FrozenTrial) -> None:
    best = max if study.direction is optuna.study.StudyDirection.MAXIMIZE else min
    study.tell(trial.number, best(trial.intermediate_values.values()))


def proposals(
    study: optuna.Study, config: DictConfig, end: End, count: int = TRIALS
) -> list[Mapping[str, Any]]:
    """Parameters of trials of one or two epochs: every fourth runs on, every third is completed."""
    asked = asker(study, config)
    for number in range(count):
        trial = asked.ask()
        value = (trial.params["x"] - 0.3) ** 2 + trial.params["n"]
        for epoch in range(1, 2 + number % 2):
            storage_of(study).set_trial_intermediate_value(
                trial_id(trial), epoch, value + 0.1 * epoch * (-1) ** number
            )
        if number % 3 == 0:
            study.tell(trial.number, value)
        elif number % 4:
            end(study, study.trials[number])
    return [trial.params for trial in study.trials]


@pytest.mark.parametrize(
    ("direction", "pruner"), [("minimize", None), ("maximize", HyperbandPruner(1, 9))]
)
def test_a_paused_trial_is_seen_pruned_or_completed_where_the_sampler_looks_at_no_other(
    config: DictConfig, direction: Direction, pruner: BasePruner | None
) -> None:
    study = make_study(pruner, direction)
    sampling = asker(study, config).sampling
    over = complete if isinstance(sampling.sampler_for(0), BLIND_TO_PRUNED) else prune
    paused = proposals(study, config, pause)
    assert paused == proposals(make_study(pruner, direction), config, over)
    assert sum(map(is_paused, study.trials)) == sum(k % 3 > 0 and k % 4 > 0 for k in range(TRIALS))


def test_what_paused_trials_have_reached_changes_the_proposals_of_samplers_that_learn(
    config: DictConfig,
) -> None:
    paused = proposals(make_study(), config, pause)
    unknown = proposals(make_study(), config, lambda *_: None)
    learns = config not in [SAMPLERS[name] for name in ("random", "qmc", "brute force", "grid")]
    assert (paused != unknown) == learns


def test_asking_leaves_the_other_trials_as_they_are(config: DictConfig) -> None:
    study = make_study()
    proposals(study, config, pause)
    before = study.get_trials(deepcopy=True)
    asker(study, config).ask()
    assert study.trials[:-1] == before
    assert {t.state for t in before if is_paused(t)} == {TrialState.RUNNING}


def test_an_interrupted_proposal_is_made_again_beside_paused_and_running_trials(
    config: DictConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, broken = make_study(), make_study()
    proposals(whole, config, pause)
    proposals(broken, config, pause)
    expected = asker(whole, config).ask().params
    interrupt(asker(broken, config), monkeypatch)
    assert asker(broken, config).ask_again(broken.trials[-1]).params == expected


def test_without_paused_trials_a_sampler_sees_the_study_itself() -> None:
    study = make_study()
    proposals(study, SAMPLERS["tpe"], prune)
    assert known(study).get_trials() == study.get_trials()
    for state in TrialState:
        assert known(study).get_trials(states=[state]) == study.get_trials(states=[state])


def test_a_sampler_that_runs_out_of_points_ends_the_search_itself() -> None:
    study = make_study()
    asker(study, SAMPLERS["random"])  # which lets samplers stop
    known(study).stop()
    assert study._stop_flag


@pytest.mark.parametrize("state", TrialState)
def test_only_a_running_trial_is_paused(state: TrialState) -> None:
    value = 1.0 if state is TrialState.COMPLETE else None
    trial = create_trial(state=state, value=value, user_attrs={PAUSED: 3})
    assert paused_at(trial) == (3 if state is TrialState.RUNNING else None)
    assert not is_paused(create_trial(state=state, value=value, user_attrs={PAUSED: None}))
