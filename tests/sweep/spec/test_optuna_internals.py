"""Optuna's private names behave as ours expect; a failure says what breaks with this release."""

from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import optuna
import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.pruners import SuccessiveHalvingPruner
from optuna.samplers import GridSampler, QMCSampler
from optuna.storages import InMemoryStorage, JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState, create_trial
from scipy.stats.qmc import Sobol

from cnnsweep.sweep.spec.optuna_internals import (
    JournalFileLock,
    NumberedPoints,
    allow_stop,
    distribution_of,
    draw,
    draw_into,
    get_trial,
    grid_values,
    reopened,
    storage_of,
    study_id,
    trial_id,
    was_stopped,
    with_storage,
)
from tests.contracts import breaks

pytestmark = pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
SPACE: dict[str, BaseDistribution] = {
    "x": FloatDistribution(0.0, 1.0),
    "n": IntDistribution(1, 9, step=2),
    "c": CategoricalDistribution(["a", "b"]),
}


@pytest.fixture
def storage() -> InMemoryStorage:
    """With a study and a trial already, so that keys and numbers differ."""
    storage = InMemoryStorage()
    optuna.create_study(storage=storage).ask()
    return storage


@pytest.fixture
def study(storage: InMemoryStorage) -> optuna.Study:
    return optuna.create_study(storage=storage)


@breaks("all that is stored beside a trial: its folder, host, deaths, verdicts, dashboard note")
def test_the_keys_of_a_study_and_its_trials_are_those_of_its_storage(
    storage: InMemoryStorage, study: optuna.Study
) -> None:
    trial = study.ask()
    assert storage_of(study) is storage
    assert storage.get_study_name_from_id(study_id(study)) == study.study_name
    assert trial.number == 0
    assert storage.get_trial(trial_id(trial)) == study.trials[0]
    assert trial_id(study.trials[0]) == trial_id(trial)


@breaks("Recorder.trial and StudyPruner, which look a trial up several times an epoch")
def test_one_trial_is_read_without_the_others(
    storage: InMemoryStorage, study: optuna.Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = study.ask(SPACE), study.ask(SPACE)
    monkeypatch.setattr(storage, "get_all_trials", None)
    assert get_trial(study, 0).params == first.params
    assert get_trial(study, 1).params == second.params


@breaks("StudyPruner: what a pruner notes is stored with its verdict, or a rung is skipped")
def test_a_pruner_notes_in_the_storage_that_the_study_was_given(
    storage: InMemoryStorage, study: optuna.Study
) -> None:
    trial = study.ask()
    trial.report(1.0, 1)
    notes = Mock(wraps=storage, set_trial_system_attr=Mock())
    SuccessiveHalvingPruner(min_resource=1).prune(with_storage(study, notes), study.trials[0])
    notes.set_trial_system_attr.assert_called()
    assert study.trials[0].system_attrs == {}
    assert storage_of(study) is storage


@breaks("Asker: a proposal is drawn to its end before any of it is stored")
@pytest.mark.parametrize("again", [False, True])
def test_a_trial_draws_all_its_parameters_and_stores_them_where_told(
    storage: InMemoryStorage, study: optuna.Study, again: bool
) -> None:
    trial = study.ask()
    if again:
        draw(trial, "x", SPACE["x"])
        trial = reopened(study, study.trials[0])
    before = study.trials[0].params
    told = Mock(wraps=storage, set_trial_param=Mock())
    draw_into(trial, told)
    assert (trial.number, trial.params) == (0, {})
    for name, distribution in SPACE.items():
        draw(trial, name, distribution)
    assert [call.args[1] for call in told.set_trial_param.call_args_list] == list(SPACE)
    assert trial.distributions == SPACE
    assert study.trials[0].params == before


@breaks("Asker.ask_again: its draws depend on all trials that are over, as those of ask do")
def test_for_a_reopened_trial_samplers_see_the_trials_of_now(
    storage: InMemoryStorage, study: optuna.Study
) -> None:
    def seen() -> dict[str, BaseDistribution]:
        anything = create_trial(state=TrialState.RUNNING)
        return QMCSampler().infer_relative_search_space(study, anything)

    assert seen() == {}
    theirs = optuna.load_study(study_name=study.study_name, storage=storage)
    theirs.tell(theirs.ask(SPACE), 0.0)
    theirs.ask()
    assert seen() == {}  # a study keeps what it has read until it asks
    reopened(study, theirs.trials[-1])
    assert seen() == SPACE


@breaks("Asker.ask: how every trial gets its parameters, the default config's among them")
def test_a_drawn_parameter_is_stored_and_that_of_a_waiting_trial_is_as_given(
    study: optuna.Study,
) -> None:
    study.enqueue_trial({"x": 0.25, "c": "b"})
    trial = study.ask()
    for name, distribution in SPACE.items():
        draw(trial, name, distribution)
    stored = study.trials[0]
    assert stored.distributions == SPACE
    assert stored.params == {"x": 0.25, "n": trial.params["n"], "c": "b"}
    assert trial.params["n"] in (1, 3, 5, 7, 9)


@breaks("Recorder: a grid that is at its end ends the sweep, instead of failing its last trial")
def test_a_sampler_that_has_no_more_points_may_stop_the_study() -> None:
    study = optuna.create_study(sampler=GridSampler({"x": [0.0, 1.0]}))
    with pytest.raises(RuntimeError):
        study.stop()
    allow_stop(study)
    over = []
    for _ in range(2):
        study.tell(study.ask({"x": FloatDistribution(0.0, 1.0)}), 0.0)
        over.append(was_stopped(study))
    assert over == [False, True]


class CountingLock(JournalFileLock):
    def __init__(self) -> None:
        self.taken = self.held = 0

    def acquire(self) -> bool:
        assert not self.held
        self.taken, self.held = self.taken + 1, 1
        return True

    def release(self) -> None:
        self.held -= 1


@breaks("FlockLock, MendingLock and HostLock: a journal that outlives SIGKILL and torn lines")
def test_a_journal_is_written_under_the_lock_that_it_is_given(tmp_path: Path) -> None:
    lock, path = CountingLock(), tmp_path / "journal"
    storage = JournalStorage(JournalFileBackend(str(path), lock_obj=lock))
    study = optuna.create_study(storage=storage)
    before, lines = lock.taken, len(path.read_bytes().splitlines())
    study.set_user_attr("a", 1)
    assert len(path.read_bytes().splitlines()) == lines + 1
    assert lock.taken > before
    assert not lock.held
    assert list(tmp_path.iterdir()) == [path]


SPANS = {
    "x=interval(0.0,1.0)": FloatDistribution(0.0, 1.0),
    "n=int(interval(1,9))": IntDistribution(1, 9),
    "lr=tag(log,interval(0.001,0.1))": FloatDistribution(0.001, 0.1, log=True),
    "n=range(1,6,2)": IntDistribution(1, 5, step=2),
    "c=choice(a,b)": CategoricalDistribution(["a", "b"]),
    "c=a,b": CategoricalDistribution(["a", "b"]),
}


@pytest.mark.parametrize("typed", SPANS)
@breaks("read_space: what is typed spans what it spans for hydra/sweeper=optuna")
def test_a_sweep_override_spans_a_distribution(typed: str) -> None:
    assert distribution_of(OverridesParser.create().parse_override(typed)) == SPANS[typed]


@breaks("read_space: an empty range is refused in one line")
def test_an_empty_range_spans_nothing() -> None:
    with pytest.raises(ValueError, match="at least one value"):
        distribution_of(OverridesParser.create().parse_override("n=range(3,3)"))


@breaks("hydra/sweeper/sampler=grid: its points, and how many trials it has")
def test_a_grid_has_the_steps_of_a_distribution_both_ends_among_them() -> None:
    assert grid_values(SPACE["n"]) == [1, 3, 5, 7, 9]
    assert grid_values(SPACE["c"]) == ["a", "b"]
    assert grid_values(FloatDistribution(0.0, 1.0, step=0.5)) == [0.0, 0.5, 1.0]
    with pytest.raises(ValueError, match="discrete"):
        grid_values(SPACE["x"])


@breaks("hydra/sweeper/sampler=qmc: a proposal that is made again gets the same point")
def test_trial_k_gets_point_k_however_often_it_is_asked_for(study: optuna.Study) -> None:
    space: dict[str, BaseDistribution] = {name: FloatDistribution(0.0, 1.0) for name in "xy"}
    sampler, trial = NumberedPoints(seed=0), create_trial(state=TrialState.RUNNING)

    def point(number: int) -> list[Any]:
        trial.number = number
        return list(sampler.sample_relative(study, trial, space).values())

    points = Sobol(2, scramble=False).random(4)
    assert np.allclose([point(number) for number in (3, 1, 1, 2)], points[[3, 1, 1, 2]])
    assert storage_of(study).get_study_system_attrs(study_id(study)) == {}
