"""What a launch needs to know of other launches on its sweep; and one that has none beside it."""

import contextlib
from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from optuna.storages.journal._file import BaseJournalFileLock
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState


class Coordination(Protocol):
    """What a launch needs to know of others on its sweep."""

    is_alone: bool  # whether there can be no others

    @property
    def heartbeat(self) -> Path | None:
        """The file that shows our workers that we live."""

    def is_first(self) -> bool:
        """Whether others could be at work, and none is."""

    def own_folder(self, folder: Path) -> Path:
        """A folder of our own for ``folder``, which others have too."""

    def journal_lock(self) -> BaseJournalFileLock | None:
        """What a journal is written under; None: its own lock."""

    def begin_finishing(self, folders: list[Path]) -> None:
        """Wait until no other launch runs confirmations (in ``folders``) or writes results."""

    def rejoin(self) -> None:
        """Go on as a new host, with no trials."""

    def turn(self) -> AbstractContextManager[None]:
        """A block in which no other launch asks, takes over or tells."""

    def should_look(self, study: Study, in_hand: Collection[int]) -> bool:
        """Whether it is worth to look for a trial left behind; ``in_hand`` are ours by number."""

    def left_behind(
        self, study: Study, folder: Path, in_hand: Collection[int]
    ) -> FrozenTrial | None:
        """A running trial on which nobody works any more; asked in our turn."""

    def claim(self, study: Study, trial: FrozenTrial) -> FrozenTrial:
        """Make a trial ours; in our turn."""

    def is_ours(self, trial: FrozenTrial) -> bool:
        """Whether we are to say what becomes of a trial; in our turn."""

    def others_run(self, study: Study) -> bool:
        """Whether trials of other launches are running."""


class SingleLaunch:
    """A launch that has its study to itself."""

    is_alone = True
    heartbeat: Path | None = None

    def is_first(self) -> bool:
        return False

    def own_folder(self, folder: Path) -> Path:
        return folder

    def journal_lock(self) -> BaseJournalFileLock | None:
        return None

    def begin_finishing(self, _folders: list[Path]) -> None:
        return

    def rejoin(self) -> None:
        raise AssertionError("nobody takes a lone launch for gone")

    def turn(self) -> AbstractContextManager[None]:
        return contextlib.nullcontext()

    def should_look(self, study: Study, in_hand: Collection[int]) -> bool:
        return next(not_in_hand(study, in_hand), None) is not None

    def left_behind(
        self, study: Study, _folder: Path, in_hand: Collection[int]
    ) -> FrozenTrial | None:
        """One whose creation was not heard of: the storage's answer was lost."""
        return next(not_in_hand(study, in_hand), None)

    def claim(self, _study: Study, trial: FrozenTrial) -> FrozenTrial:
        return trial

    def is_ours(self, _trial: FrozenTrial) -> bool:
        return True

    def others_run(self, _study: Study) -> bool:
        return False


def not_in_hand(study: Study, in_hand: Collection[int]) -> Iterator[FrozenTrial]:
    """Running trials but for those with these numbers."""
    running = study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
    return (trial for trial in running if trial.number not in in_hand)
