"""What a launch needs to know of other launches on its sweep; and a launch that has none."""

import contextlib
from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from cnnsweep.sweep.freeze_thaw.paused import is_paused
from cnnsweep.sweep.journal.theirs import before_ours
from cnnsweep.sweep.spec.optuna_internals import JournalFileLock


class TryLater(Exception):
    """The study cannot be reached now, or another host is at work on it.

    Whoever raises it may have written part of what it meant to write; the same call made again
    writes the rest. ``pause``: seconds to wait before that.
    """

    pause = 0.0


class Coordination(Protocol):
    """What a launch needs to know of other launches on its sweep."""

    is_alone: bool  # whether there can be no others

    @property
    def heartbeat(self) -> Path | None:
        """The file whose age shows our workers that this launch is alive."""

    def check(self) -> None:
        """Raise HostExpired where the others may have taken over our trials."""

    def is_first(self) -> bool:
        """Whether others could be at work, and none is."""

    def own_folder(self, folder: Path) -> Path:
        """A folder of our own for ``folder``, which others have too."""

    def journal_lock(self) -> JournalFileLock | None:
        """What a journal is written under; None: its own lock."""

    def begin_finishing(self) -> None:
        """Wait until no other launch runs confirmations or writes results."""

    def rejoin(self) -> None:
        """Go on as a new host, with no trials."""

    def turn(self) -> AbstractContextManager[None]:
        """A block in which no other launch asks, takes over or tells.

        Raises:
            TryLater: on entering, where another launch keeps it for long.
        """

    def should_look(self, study: Study, in_hand: Collection[int]) -> bool:
        """Whether to look for a trial left behind; ``in_hand`` are the numbers of ours."""

    def left_behind(
        self, study: Study, folder: Path, in_hand: Collection[int]
    ) -> FrozenTrial | None:
        """A running trial on which nobody works any more; asked in our turn."""

    def claim(self, study: Study, trial: FrozenTrial) -> FrozenTrial:
        """Make a trial ours; in our turn."""

    def is_ours(self, trial: FrozenTrial) -> bool:
        """Whether a trial is ours to tell, or was when it was told; in our turn."""


class SingleLaunch:
    """A launch that has its study to itself."""

    is_alone = True
    heartbeat: Path | None = None

    def check(self) -> None:
        return

    def is_first(self) -> bool:
        return False

    def own_folder(self, folder: Path) -> Path:
        return folder

    def journal_lock(self) -> JournalFileLock | None:
        return None

    def begin_finishing(self) -> None:
        return

    def rejoin(self) -> None:
        raise AssertionError("nobody takes over a single launch's trials")

    def turn(self) -> AbstractContextManager[None]:
        return contextlib.nullcontext()

    def should_look(self, study: Study, in_hand: Collection[int]) -> bool:
        return next(not_in_hand(study, in_hand), None) is not None

    def left_behind(
        self, study: Study, _folder: Path, in_hand: Collection[int]
    ) -> FrozenTrial | None:
        """One that was asked for when the storage went away."""
        return next(not_in_hand(study, in_hand), None)

    def claim(self, _study: Study, trial: FrozenTrial) -> FrozenTrial:
        return trial

    def is_ours(self, _trial: FrozenTrial) -> bool:
        return True


def not_in_hand(study: Study, in_hand: Collection[int]) -> Iterator[FrozenTrial]:
    """Running trials but for those with these numbers; nobody is to work on a paused one.

    What others began before the study became ours is theirs to end.
    """
    running = study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
    left = [t for t in running if t.number not in in_hand and not is_paused(t)]
    theirs = before_ours(study) if left else ()
    return (trial for trial in left if trial.number not in theirs)
