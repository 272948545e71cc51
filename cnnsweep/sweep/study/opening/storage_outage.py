"""A database or proxy that does not answer for a while: noticed, waited for, and given up."""

import time
from collections.abc import Callable
from typing import Any, TypeVar

from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial
from sqlalchemy.exc import (
    DBAPIError,
    InterfaceError,
    OperationalError,
    PendingRollbackError,
)

from cnnsweep.errors import StoppedEarly, causes
from cnnsweep.sweep.study.coordination import TryLater

OUTAGE_SECONDS = 300.0  # without an answer, until the sweep gives up
_PAUSE_SECONDS = 0.5
_T = TypeVar("_T")
_NO_OUTAGE = ("NOT_FOUND", "ALREADY_EXISTS", "FAILED_PRECONDITION", "INVALID_ARGUMENT")


class StorageAway(TryLater):
    """The storage did not answer. What it was asked to do may have been done all the same."""

    pause = _PAUSE_SECONDS


class OutageStorage:
    """A storage whose outages raise StorageAway; other errors are raised as they are.

    ``check`` is called before each call and raises where this launch may not act any more.
    """

    def __init__(self, storage: BaseStorage, check: Callable[[], None]) -> None:
        self._storage = storage
        self._check = check
        self._study_id: int | None = None
        self._was_away = False

    def __getattr__(self, name: str) -> Any:
        if name == "together":  # each write asks `check`, and is made or not
            raise AttributeError(name)
        call = getattr(self._storage, name)
        if not callable(call):
            return call

        def attempt(*arguments: Any, **keywords: Any) -> Any:
            return self._attempt(lambda: call(*arguments, **keywords))

        return attempt

    def get_all_trials(self, study_id: int, *arguments: Any, **keywords: Any) -> list[FrozenTrial]:
        """As the storage's own."""
        self._study_id = study_id
        return self._attempt(lambda: self._storage.get_all_trials(study_id, *arguments, **keywords))

    def _attempt(self, call: Callable[[], _T]) -> _T:
        self._check()
        try:
            if self._was_away and self._study_id is not None:
                # A proxy that was started again takes a running trial only once it has read it.
                self._storage.get_all_trials(self._study_id, deepcopy=False)
            answer = call()
        except Exception as error:
            if not is_outage(error):
                raise
            self._was_away = True
            raise StorageAway(reason(error)) from error
        self._was_away = False
        return answer


class Outage:
    """How long the storage has been away; says when it goes and comes back."""

    def __init__(self, say: Callable[[str], None], seconds: float = OUTAGE_SECONDS) -> None:
        """``seconds`` without an answer end the sweep."""
        self._say = say
        self._seconds = seconds
        self._since: float | None = None

    def note(self, error: TryLater) -> None:
        """A call was in vain.

        Raises:
            StoppedEarly: the storage has been away for too long.
        """
        if not isinstance(error, StorageAway):
            return
        if self._since is None:
            self._since = time.monotonic()
            self._say(
                f"the study's storage does not answer ({error}): waiting up to "
                f"{self._seconds:.0f} s, running trials continue"
            )
        if time.monotonic() - self._since > self._seconds:
            raise StoppedEarly(
                f"the study's storage has not answered for {self._seconds:.0f} s "
                f"({error}); the same command resumes once it is back"
            )

    def over(self) -> None:
        """Calls are answered."""
        if self._since is not None:
            seconds = time.monotonic() - self._since
            self._since = None
            self._say(f"the study's storage answers again after {seconds:.0f} s")

    def retry(self, call: Callable[[], _T]) -> _T:
        """Make a call that may be made several times, until it is answered."""
        while True:
            try:
                answer = call()
            except TryLater as error:
                self.note(error)
                time.sleep(error.pause)
            else:
                self.over()
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
