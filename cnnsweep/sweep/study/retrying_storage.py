"""A storage that is away for a while costs nothing but time."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.exc import (
    DBAPIError,
    InterfaceError,
    OperationalError,
    PendingRollbackError,
)

from cnnsweep.errors import causes
from cnnsweep.sweep.study.failure_policy import StoppedEarly

PATIENCE_SECONDS = 300.0
_PAUSE_SECONDS = 0.5
_T = TypeVar("_T")
_NO_OUTAGE = ("NOT_FOUND", "ALREADY_EXISTS", "FAILED_PRECONDITION", "INVALID_ARGUMENT")


@dataclass
class RetryPolicy:
    """``meanwhile`` spends some seconds; ``check`` raises where this host may not act any more."""

    say: Callable[[str], None]
    meanwhile: Callable[[float], None] = time.sleep
    check: Callable[[], None] = lambda: None
    seconds: float = PATIENCE_SECONDS


class RetryingStorage:
    """Calls a storage again until it answers.

    A call whose answer was lost may have done its work. Most do the same when they are made
    again; the others first look whether it is done.
    """

    def __init__(self, storage: BaseStorage, patience: RetryPolicy) -> None:
        self._storage = storage
        self._patience = patience
        self._study_id: int | None = None

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._storage, name)
        if not callable(call):
            return call

        def patiently(*arguments: Any, **keywords: Any) -> Any:
            return self._patiently(lambda: call(*arguments, **keywords))

        return patiently

    def create_new_trial(self, study_id: int, template_trial: FrozenTrial | None = None) -> int:
        """A trial that is there after a lost answer is ours: nobody else asks in our turn."""
        known = {trial.number for trial in self._trials(study_id)}

        def again() -> int:
            new = [t for t in self._trials(study_id) if t.number not in known]
            if new:
                return new[0]._trial_id
            return self._storage.create_new_trial(study_id, template_trial)

        return self._patiently(
            lambda: self._storage.create_new_trial(study_id, template_trial), again
        )

    def set_trial_param(self, trial_id: int, name: str, value: float, distribution: Any) -> None:
        def again() -> None:
            if name not in self._storage.get_trial(trial_id).params:
                self._storage.set_trial_param(trial_id, name, value, distribution)

        self._patiently(
            lambda: self._storage.set_trial_param(trial_id, name, value, distribution), again
        )

    def set_trial_state_values(self, trial_id: int, state: TrialState, values: Any = None) -> bool:
        def again() -> bool:
            if self._storage.get_trial(trial_id).state is state:
                return True
            return self._storage.set_trial_state_values(trial_id, state, values)

        return self._patiently(
            lambda: self._storage.set_trial_state_values(trial_id, state, values), again
        )

    def _trials(self, study_id: int) -> list[FrozenTrial]:
        self._study_id = study_id
        return self._patiently(lambda: self._storage.get_all_trials(study_id, deepcopy=False))

    def _remind(self) -> None:
        """A proxy that was started again takes a running trial only once it has read it."""
        if self._study_id is not None:
            self._storage.get_all_trials(self._study_id, deepcopy=False)

    def _patiently(self, call: Callable[[], _T], again: Callable[[], _T] | None = None) -> _T:
        patience = self._patience
        begun, said = time.monotonic(), False
        while True:
            patience.check()
            try:
                if said:
                    self._remind()
                answer = call()
            except Exception as error:
                if not is_outage(error):
                    raise
                if time.monotonic() - begun > patience.seconds:
                    raise StoppedEarly(
                        f"the study's storage has not answered for {patience.seconds:.0f} s "
                        f"({reason(error)}); the same command goes on once it is back"
                    ) from None
                if not said:
                    patience.say(
                        f"the study's storage does not answer ({reason(error)}): waiting up to "
                        f"{patience.seconds:.0f} s, running trials go on"
                    )
                said, call = True, again or call
                patience.meanwhile(_PAUSE_SECONDS)
                continue
            if said:
                seconds = time.monotonic() - begun
                patience.say(f"the study's storage answers again after {seconds:.0f} s")
            return answer


def is_outage(error: BaseException) -> bool:
    """Whether an error of a storage is one of the way there, and may pass."""
    return any(map(_is_of_the_way, causes(error)))


def reason(error: BaseException) -> str:
    """An outage in a word or two; messages of drivers are long, and may tell too much."""
    cause = next(filter(_is_of_the_way, causes(error)), error)
    code = _grpc_code(cause)
    return type(cause).__name__ if code is None else f"gRPC: {code}"


def _is_of_the_way(error: BaseException) -> bool:
    if isinstance(error, PendingRollbackError):  # Optuna went on with a connection that was lost
        return True
    if isinstance(error, DBAPIError):
        lost = error.connection_invalidated
        return lost or isinstance(error, OperationalError | InterfaceError)
    code = _grpc_code(error)
    return code is not None and code not in _NO_OUTAGE


def _grpc_code(error: BaseException) -> str | None:
    """The status of a gRPC error; a proxy whose database is away answers UNKNOWN."""
    code = getattr(error, "code", None)
    status = code() if callable(code) else None
    return getattr(status, "name", None)
