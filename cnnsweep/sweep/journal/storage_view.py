"""A study's storage as somebody sees it who shall not see, or change, all that is stored."""

from typing import Any, cast

from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial


class StorageView:
    """Another storage, except for what a subclass answers in its own way.

    The best of its trials is the best of those that it shows, also where the other storage is a
    database that can name one without listing them.
    """

    def __init__(self, storage: BaseStorage) -> None:
        self._storage = storage

    def __getattr__(self, name: str) -> Any:
        return getattr(self._storage, name)

    def get_best_trial(self, study_id: int) -> FrozenTrial:
        """As a storage's own."""
        return BaseStorage.get_best_trial(cast(BaseStorage, self), study_id)

    def get_n_trials(self, study_id: int, state: Any = None) -> int:
        """As a storage's own."""
        return BaseStorage.get_n_trials(cast(BaseStorage, self), study_id, state)
