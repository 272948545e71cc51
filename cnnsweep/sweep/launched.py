"""Workers started by a Hydra launcher (joblib, ray, submitit): each connects back to us."""

import contextlib
import os
import secrets
import time
from collections.abc import Callable, Sequence
from copy import copy
from pathlib import Path

import cloudpickle
from hydra._internal.callbacks import Callbacks
from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn

from cnnsweep.sweep.failures import StoppedEarly
from cnnsweep.sweep.launches import Launches
from cnnsweep.sweep.master import Master
from cnnsweep.sweep.pool import Pool
from cnnsweep.sweep.reception import Arrived, Reception
from cnnsweep.sweep.relay import Hello, Place, Relay
from cnnsweep.sweep.remote import RemoteWorker
from cnnsweep.sweep.worker import Setup

TOKEN = "token"
_PATIENCE_SECONDS = 20.0  # without any worker, until a person is told what we wait for
_JOIN_SECONDS = 1.0


class LaunchedPool(Pool):
    """A slot exists once its worker has connected; workers that went are asked for again."""

    # A file server may keep the locks of a machine that vanished for a minute and a half.
    _earlier_seconds = 100.0

    def __init__(
        self, folder: Path, setup: Setup, devices: list[str | None], say: Callable[[str], None]
    ) -> None:
        super().__init__(folder, setup, devices)
        self._say = say
        self._said: set[str] = set()
        self._alone_since: float | None = time.monotonic()
        self._count = 0  # of all workers that ever came
        token = secrets.token_hex(16)
        (folder / TOKEN).write_text(token, encoding="ascii")
        self._reception = Reception(Hello(cloudpickle.dumps(setup), folder / TOKEN, token))
        self._launches = Launches(make_launch(setup.master, folder, self._reception))

    def free_slots(self) -> list[int]:
        """Connected slots without a job.

        Raises:
            StoppedEarly: no worker is there, and there is no hope for any.
        """
        for arrived in self._reception.arrived():
            self._receive(arrived)
        self._launches.keep(len(self._devices))
        self._mind_being_alone()
        return [s for s, worker in self._workers.items() if _remote(worker).is_free]

    def log(self, slot: int) -> Path:
        """A worker's own: that of a lost one may still be locked by it."""
        return _remote(self._workers[slot]).place.log

    def close(self, *, grace: float, stop: bool) -> None:
        self._reception.close()
        (self._folder / TOKEN).unlink(missing_ok=True)
        super().close(grace=grace, stop=stop)
        self._launches.join(_JOIN_SECONDS)
        _remove_empty_folders(self._folder)

    def _receive(self, arrived: Arrived) -> None:
        launch, job = arrived.arrival.launch, arrived.arrival.job
        slot = next((s for s in range(len(self._devices)) if s not in self._workers), None)
        if arrived.unfit is not None:
            self._launches.refused(launch, job, arrived.unfit)
            self._say_once(arrived.unfit)
            arrived.wire.close()
        elif slot is None:
            arrived.wire.close()  # its replacement was here first
        else:
            place = Place(self._folder / f"{self._count}.log", self._devices[slot])
            self._count += 1
            self._workers[slot] = RemoteWorker(arrived, place)
            self._launches.came(launch, job)

    def _let_go(self, slot: int) -> None:
        worker = _remote(self._workers[slot])
        super()._let_go(slot)
        if slot not in self._workers:
            self._launches.went(worker.arrival.launch, worker.arrival.job)

    def _mind_being_alone(self) -> None:
        if self._workers:
            self._alone_since = None
            return
        failure = self._launches.failure()
        if failure is not None:
            raise StoppedEarly(f"the launcher brings no workers: {failure}")
        now = time.monotonic()
        if self._alone_since is None:
            self._alone_since = now
        elif now - self._alone_since > _PATIENCE_SECONDS:
            error = self._launches.last_error()
            why = "is there room for what each one asks for?" if error is None else error
            self._say_once(f"no worker yet: waiting for the launcher to start one; {why}")

    def _say_once(self, line: str) -> None:
        if line not in self._said:
            self._said.add(line)
            self._say(line)


def _remote(worker: object) -> RemoteWorker:
    assert isinstance(worker, RemoteWorker)
    return worker


def make_launch(
    master: Master, folder: Path, reception: Reception
) -> Callable[[int, int], Sequence[JobReturn]]:
    """The launcher's work: so many relays as jobs of their own below ``folder``.

    The user's callbacks are for trials, so these jobs have none, nor logs and configs.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # a cluster of our own phones nobody
    context = copy(master.context)
    context.callbacks = Callbacks()

    def launch(number: int, jobs: int) -> Sequence[JobReturn]:
        relay = Relay(reception.addresses(), reception.key, number)
        launcher = Plugins.instance().instantiate_launcher(
            hydra_context=context, task_function=relay, config=master.config
        )
        overrides = [
            [
                *(f"hydra.sweep.dir={folder}", f"hydra.sweep.subdir=job_{number}_{job}"),
                *("hydra.output_subdir=null", "hydra/job_logging=disabled"),
                "hydra.job.chdir=false",
            ]
            for job in range(jobs)
        ]
        return launcher.launch(overrides, initial_job_idx=0)

    return launch


def _remove_empty_folders(folder: Path) -> None:
    """Hydra makes one for each of a launcher's jobs."""
    if folder.is_dir():
        for path in (*folder.glob("job_*"), folder):
            with contextlib.suppress(OSError):  # something is in it
                path.rmdir()
