"""What is an outage, and what is told of it; see test_search.py for what it costs: nothing."""

import optuna
import pytest
from optuna.exceptions import StorageInternalError
from optuna.storages import InMemoryStorage
from sqlalchemy.exc import IntegrityError, OperationalError

from cnnsweep.errors import StoppedEarly
from cnnsweep.sweep.study.coordination import TryLater
from cnnsweep.sweep.study.opening.storage_outage import (
    Outage,
    OutageStorage,
    StorageAway,
    is_outage,
)


class Away(InMemoryStorage):
    """Does not answer the next ``left`` times it is asked for all trials or a state is set."""

    left = 0

    def get_all_trials(self, *arguments: object, **keywords: object) -> list[object]:  # type: ignore[override]
        self._fail()
        return super().get_all_trials(*arguments, **keywords)  # type: ignore[arg-type, return-value]

    def _fail(self) -> None:
        if self.left:
            self.left -= 1
            raise StorageInternalError("as Optuna wraps it") from OperationalError(
                "", {}, OSError()
            )


def make_study(storage: InMemoryStorage) -> optuna.Study:
    return optuna.create_study(storage=OutageStorage(storage, lambda: None))  # type: ignore[arg-type]


def test_an_outage_is_raised_as_such_with_its_reason() -> None:
    storage = Away()
    study = make_study(storage)
    storage.left = 1
    with pytest.raises(StorageAway, match="OperationalError"):
        study.get_trials()
    assert study.get_trials() == []


def test_other_errors_are_nobodys_outage() -> None:
    study = make_study(InMemoryStorage())
    with pytest.raises(KeyError):
        study._storage.get_trial(17)
    assert not is_outage(IntegrityError("", {}, Exception()))


def test_every_call_is_preceded_by_the_check() -> None:
    class Expired(Exception):
        pass

    def check() -> None:
        raise Expired

    with pytest.raises(Expired):
        OutageStorage(InMemoryStorage(), check).get_all_studies()


def test_a_call_is_made_again_until_it_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(StorageAway, "pause", 0.0)
    said: list[str] = []
    storage = Away()
    study = make_study(storage)
    storage.left = 3
    assert Outage(said.append).retry(study.get_trials) == []
    assert ["does not answer" in said[0], "answers again" in said[1], len(said)] == [True, True, 2]


def test_a_storage_that_stays_away_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(StorageAway, "pause", 0.01)
    storage = Away()
    study = make_study(storage)
    storage.left = 10**9
    with pytest.raises(StoppedEarly, match="the same command resumes once it is back"):
        Outage(lambda _: None, seconds=0.05).retry(study.get_trials)


def test_waiting_for_another_host_is_no_outage() -> None:
    said: list[str] = []
    answers = iter([TryLater(), TryLater(), None])

    def call() -> int:
        error = next(answers)
        if error is not None:
            raise error
        return 7

    assert Outage(said.append, seconds=0.0).retry(call) == 7
    assert said == []
