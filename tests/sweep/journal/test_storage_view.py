"""What a view of a storage does not answer itself is the storage's; what follows from it is its."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.storages import BaseStorage, InMemoryStorage, RDBStorage
from optuna.trial import FrozenTrial, TrialState

from cnnsweep.sweep.journal.storage_view import StorageView
from cnnsweep.sweep.spec.optuna_internals import storage_of, with_storage


class Odd(StorageView):
    def get_all_trials(self, *arguments: Any, **keywords: Any) -> list[FrozenTrial]:
        return [t for t in self._storage.get_all_trials(*arguments, **keywords) if t.number % 2]


@pytest.fixture(params=["memory", "database"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[BaseStorage]:
    if request.param == "memory":
        yield InMemoryStorage()
        return
    database = RDBStorage(f"sqlite:///{tmp_path / 'study.db'}")
    yield database
    database.remove_session()
    database.engine.dispose()


def test_best_and_count_are_of_the_trials_that_are_shown(storage: BaseStorage) -> None:
    study = optuna.create_study(storage=storage)
    for number in range(4):
        study.tell(study.ask().number, float(number))
    study.ask()
    seen = with_storage(study, Odd(storage_of(study)))
    assert [t.number for t in seen.trials] == [1, 3]
    assert (study.best_trial.number, seen.best_trial.number) == (0, 1)
    view = storage_of(seen)
    assert view.get_n_trials(study._study_id) == 2
    assert view.get_n_trials(study._study_id, TrialState.RUNNING) == 0
    assert study._storage.get_n_trials(study._study_id, TrialState.RUNNING) == 1


def test_all_else_is_the_storages_own(storage: BaseStorage) -> None:
    study = optuna.create_study(storage=storage)
    seen = with_storage(study, Odd(storage_of(study)))
    seen.set_user_attr("key", 1)
    trial = seen.ask()
    trial.report(0.5, 1)
    assert study.user_attrs == {"key": 1}
    assert study.trials[0].intermediate_values == {1: 0.5}
    assert seen.trials == []
