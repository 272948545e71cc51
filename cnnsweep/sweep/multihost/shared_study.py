"""Which host works on which trial, where several launches work on the same study.

Trials carry the name of the host that works on them. One host at a time does what changes that or
depends on it: ask for a trial, take over one that was left behind, tell how a trial ended.
"""

import contextlib
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from optuna.study import Study
from optuna.trial import FrozenTrial

from cnnsweep.folders import lock
from cnnsweep.folders.sweep_folder import MUTEXES
from cnnsweep.sweep.multihost.host_lock import HostLock
from cnnsweep.sweep.multihost.membership import GONE_SECONDS, HostMembership
from cnnsweep.sweep.spec.optuna_internals import JournalFileLock, storage_of, trial_id
from cnnsweep.sweep.spec.plan import FOLDER
from cnnsweep.sweep.study.coordination import Coordination, SingleLaunch, TryLater, not_in_hand

HOST = "host"  # the trial attribute that names the host which works on it
LOOK_SECONDS = 3.0  # between two looks for trials that were left behind
BUSY_SECONDS = 1.0  # of waiting for another host, before the event loop gets its turn


class Busy(TryLater):
    """Another host keeps a lock of the study."""


@contextlib.contextmanager
def joined(sweep: Path, shared: bool, say: Callable[[str], None]) -> Iterator[Coordination]:
    """Be one of the launches on a sweep for the length of a block; not ``shared``: the only one."""
    if not shared:
        yield SingleLaunch()
        return
    shared_study = SharedStudy(sweep, HostMembership(sweep))
    if not shared_study.is_first():
        say(f"sharing this sweep with {shared_study.host.others()} more at work")
    try:
        yield shared_study
    finally:
        shared_study.leave()


@dataclass
class SharedStudy:
    """One launch of several."""

    sweep: Path
    host: HostMembership
    _looked: dict[str, float] = field(default_factory=dict)

    is_alone = False
    only_looks = False

    def __post_init__(self) -> None:
        self._turn = self._lock("turn", self._wait_shortly)
        self._finishing = self._lock("finishing", self._wait_long)

    @property
    def heartbeat(self) -> Path | None:
        return self.host.file

    def check(self) -> None:
        self.host.check()

    def is_first(self) -> bool:
        return self.host.others() == 0

    def own_folder(self, folder: Path) -> Path:
        return folder / self.host.name

    def journal_lock(self) -> JournalFileLock | None:
        return self._lock("journal", self._wait_shortly)

    def begin_finishing(self) -> None:
        self._finishing.acquire()

    def leave(self) -> None:
        """Free the locks and stop being a host."""
        self._turn.drop()
        self._finishing.drop()
        self.host.leave()

    def _lock(self, name: str, wait: Callable[[float, float], None]) -> HostLock:
        folder = self.sweep / MUTEXES
        folder.mkdir(exist_ok=True)
        return HostLock(
            folder / name,
            lambda: self.host.name,
            lambda name: self.host.is_silent(name),
            GONE_SECONDS,
            wait,
        )

    def _wait_shortly(self, seconds: float, waited: float) -> None:
        """For a lock that is held briefly, unless its holder is stopped."""
        if waited > BUSY_SECONDS:
            raise Busy
        self._wait_long(seconds, waited)

    def _wait_long(self, seconds: float, _waited: float) -> None:
        self.host.check()
        time.sleep(seconds)

    def rejoin(self) -> None:
        self.leave()
        self.host = HostMembership(self.sweep)
        self._looked.clear()

    def turn(self) -> AbstractContextManager[None]:
        return self._turn

    def should_look(self, study: Study, in_hand: Collection[int]) -> bool:
        now = time.monotonic()
        if now - self._looked.get(study.study_name, -LOOK_SECONDS) < LOOK_SECONDS:
            return False
        self._looked[study.study_name] = now
        return any(self._is_left(trial) for trial in not_in_hand(study, in_hand))

    def left_behind(
        self, study: Study, folder: Path, in_hand: Collection[int]
    ) -> FrozenTrial | None:
        running = not_in_hand(study, in_hand)
        return next((t for t in running if self._is_left(t) and self._is_free(t, folder)), None)

    def claim(self, study: Study, trial: FrozenTrial) -> FrozenTrial:
        storage_of(study).set_trial_user_attr(trial_id(trial), HOST, self.host.name)
        return storage_of(study).get_trial(trial_id(trial))

    def is_ours(self, trial: FrozenTrial) -> bool:
        return trial.user_attrs.get(HOST) == self.host.name

    def _is_left(self, trial: FrozenTrial) -> bool:
        """Of a trial without a host's name, seen in our turn, the host died while asking for it."""
        name = trial.user_attrs.get(HOST)
        return name is None or name == self.host.name or self.host.is_gone(name)

    def _is_free(self, trial: FrozenTrial, folder: Path) -> bool:
        name = trial.user_attrs.get(HOST)
        is_silent = name is not None and self.host.is_silent(name)
        if not _clear(folder / str(trial.user_attrs.get(FOLDER, trial.number)), silent=is_silent):
            return False
        if name is not None:
            self.host.bury(name)
        return True


def _clear(run: Path, *, silent: bool) -> bool:
    """Whether no worker holds the lock of a run folder or of one below it.

    A worker of a silent host may be stopped and still hold one. Such locks are removed, since it
    is killed the moment it wakes (see workers/watchdog.py).
    """
    held = [p for p in run.rglob(lock.LOCK_NAME) if lock.is_held_elsewhere(p.parent)]
    if held and not silent:
        return False
    for path in held:
        lock.take_from_the_dead(path.parent)
    return True
