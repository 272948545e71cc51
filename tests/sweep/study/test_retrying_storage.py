"""A storage that is away, or whose answer is lost, costs nothing but time."""

from typing import Any

import optuna
import pytest
from optuna.exceptions import StorageInternalError
from optuna.storages import InMemoryStorage
from optuna.trial import TrialState
from sqlalchemy.exc import OperationalError

from cnnsweep.sweep.study.failure_policy import StoppedEarly
from cnnsweep.sweep.study.retrying_storage import RetryingStorage, RetryPolicy

WRITES = ("create_new_trial", "set_trial_param", "set_trial_state_values", "set_trial_user_attr")


class Outage(InMemoryStorage):
    """A storage that fails ``times``, before or after it has done what it was asked for."""

    def __init__(self, failing: str, *, after: bool, times: int) -> None:
        super().__init__()
        self.left = times
        method = getattr(self, failing)

        def fail(*arguments: Any, **keywords: Any) -> Any:
            if not self.left:
                return method(*arguments, **keywords)
            self.left -= 1
            if after:
                method(*arguments, **keywords)
            raise StorageInternalError("as Optuna wraps it") from OperationalError(
                "", {}, OSError()
            )

        setattr(self, failing, fail)


def patient(storage: InMemoryStorage, said: list[str], seconds: float = 60) -> Any:
    return RetryingStorage(storage, RetryPolicy(said.append, lambda _: None, seconds=seconds))


@pytest.mark.parametrize("after", [True, False])
@pytest.mark.parametrize("failing", WRITES)
def test_each_write_is_done_once_whether_its_answer_was_lost_or_never_came(
    failing: str, after: bool
) -> None:
    said: list[str] = []
    storage = Outage(failing, after=after, times=0 if failing == "create_new_trial" else 1)
    study = optuna.create_study(storage=patient(storage, said))
    storage.left = 1
    trial = study.ask()
    trial.suggest_float("x", 0, 1)
    trial.set_user_attr("folder", "0")
    study.tell(trial, 1.0)
    (only,) = study.trials
    assert (only.number, only.state, only.values) == (0, TrialState.COMPLETE, [1.0])
    assert list(only.params) == ["x"]
    assert ["does not answer" in said[0], "answers again" in said[1], len(said)] == [True, True, 2]


def test_a_waiting_trial_begins_once_though_the_answer_was_lost() -> None:
    storage = Outage("set_trial_state_values", after=True, times=0)
    study = optuna.create_study(storage=patient(storage, []))
    study.enqueue_trial({"x": 0.5})
    storage.left = 1
    assert study.ask().number == 0
    assert [trial.state for trial in study.trials] == [TrialState.RUNNING]


def test_a_storage_that_stays_away_ends_the_sweep_in_one_line() -> None:
    storage = Outage("get_all_trials", after=False, times=0)
    study = optuna.create_study(storage=patient(storage, [], seconds=0.05))
    storage.left = 10**9
    with pytest.raises(StoppedEarly, match="the same command goes on once it is back"):
        study.get_trials()


def test_other_errors_are_nobodys_outage() -> None:
    study = optuna.create_study(storage=patient(InMemoryStorage(), []))
    with pytest.raises(KeyError):
        study._storage.get_trial(17)
