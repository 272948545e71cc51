"""Workers that a Hydra launcher (joblib, Ray, submitit) starts: each connects back to us."""

import contextlib
import secrets
import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import takewhile
from pathlib import Path

from cnnsweep.config.launchers import is_slurm, submissions
from cnnsweep.errors import StoppedEarly
from cnnsweep.folders.sweep_folder import LAUNCHER_JOB, LAUNCHER_LOG, TOKEN, WORKER_LOG
from cnnsweep.sweep.cluster.heartbeat_file import HeartbeatFile
from cnnsweep.sweep.cluster.launcher_process import LauncherProcess, LaunchRequest
from cnnsweep.sweep.cluster.listener import Listener, Registered
from cnnsweep.sweep.cluster.nanny import Assignment, Nanny, Welcome
from cnnsweep.sweep.cluster.remote_worker import RemoteWorker
from cnnsweep.sweep.cluster.slurm import Queue
from cnnsweep.sweep.machine.gpus import Gpu
from cnnsweep.sweep.workers.pool import Pool
from cnnsweep.sweep.workers.worker_main import Setup

NO_WORKER_SECONDS = 20.0  # without any worker, until a line says what is waited for
LOCAL_JOB_SECONDS = 120.0  # for submitit's local jobs, which start at once
JOIN_SECONDS = 0.5
QUEUE_SECONDS = 5.0  # for SLURM's jobs to end by themselves


class LaunchedPool(Pool):
    """A slot exists once its worker has connected; lost workers are asked for again."""

    # A file server may keep the locks of a lost machine for 90 seconds.
    old_workers_seconds = 100.0

    def __init__(
        self,
        folder: Path,
        setup: Setup,
        launcher_setup: Setup,
        gpus: list[Gpu],
        say: Callable[[str], None],
    ) -> None:
        """``setup`` is for workers, ``launcher_setup`` for the launcher that starts them."""
        config = launcher_setup.context.config
        self._submissions = submissions(config)
        self._queue = Queue(self._submissions) if self._submissions and is_slurm(config) else None
        if self._queue is not None:
            self._queue.end(0.0)  # jobs of an earlier launch that still wait
        folder.mkdir(parents=True, exist_ok=True)
        # One of several launches has a heartbeat already, for the others to see.
        self._heartbeat = None if setup.heartbeat is not None else HeartbeatFile(folder)
        if self._heartbeat is not None:
            setup = replace(setup, heartbeat=self._heartbeat.path)
        super().__init__(folder, setup, gpus)
        self._launcher_setup = launcher_setup
        self._say = say
        self._said: set[str] = set()
        self._had_worker_at = time.monotonic()
        self._count = 0  # of all workers that have ever connected
        self._jobs: dict[int, tuple[int, int]] = {}  # slot: its launch, and the job's number in it
        is_local = self._submissions is not None and self._queue is None
        self._report_seconds = LOCAL_JOB_SECONDS if is_local else float("inf")
        token = secrets.token_hex(16)
        (folder / TOKEN).write_text(token, encoding="ascii")
        self._listener = Listener(Welcome(self._setup, folder / TOKEN, token))
        queued = None if self._queue is None else self._queue.count
        self._launches = LauncherProcesses(self._launch_jobs, queued)

    def free_slots(self) -> list[int]:
        """Connected slots without a job.

        Raises:
            StoppedEarly: there is no worker, and the launcher cannot start any.
        """
        for registered in self._listener.registered():
            self._receive(registered)
        self._check_for_lack_of_workers()
        self._launches.keep(len(self._gpus))
        return [s for s, worker in self._workers.items() if worker.is_free]

    def log(self, slot: int) -> Path:
        """One for each worker: a lost worker may still lock its own."""
        return self._workers[slot].log

    def close(self, *, grace: float, stop: bool) -> None:
        self._listener.close()
        (self._folder / TOKEN).unlink(missing_ok=True)
        super().close(grace=grace, stop=stop)
        if self._heartbeat is not None:
            self._heartbeat.close()
        self._launches.end(JOIN_SECONDS)
        if self._queue is not None:
            self._queue.end(0.0 if stop else QUEUE_SECONDS)
        if self._submissions is not None and not stop:
            shutil.rmtree(self._submissions, ignore_errors=True)  # a job may still write in it
        _remove_empty_folders(self._folder)

    def _launch_jobs(self, number: int, jobs: int) -> LauncherProcess:
        if number > 0:
            self._say(f"{jobs} of {len(self._gpus)} workers are missing: asked for new ones")
        nanny = Nanny(self._listener.addresses(), self._listener.key, number)
        request = LaunchRequest(self._launcher_setup, nanny, self._folder, jobs)
        log = self._folder / LAUNCHER_LOG.format(number)
        return LauncherProcess(request, log, self._report_seconds)

    def _receive(self, registered: Registered) -> None:
        launch, job = registered.registration.launch, registered.registration.job
        slot = next((s for s in range(len(self._gpus)) if s not in self._workers), None)
        if registered.unfit is not None:
            self._launches.refused(launch, job, registered.unfit)
            self._say_once(registered.unfit)
            registered.connection.close()
        elif slot is None:
            registered.connection.close()  # its replacement was here first
        else:
            log = self._folder / WORKER_LOG.format(self._count)
            assignment = Assignment(log, self._gpus[slot])
            self._count += 1
            self._workers[slot] = RemoteWorker(registered, assignment)
            self._jobs[slot] = launch, job
            self._launches.came(launch, job)

    def _let_go(self, slot: int) -> None:
        super()._let_go(slot)
        if slot not in self._workers:
            self._launches.went(*self._jobs[slot])

    def _check_for_lack_of_workers(self) -> None:
        now = time.monotonic()
        if self._workers:
            self._had_worker_at = now
            return
        failure = self._launches.failure()
        if failure is not None:
            raise StoppedEarly(f"the launcher brings no workers: {failure}")
        if now - self._had_worker_at > NO_WORKER_SECONDS:
            error = self._launches.last_error()
            why = "is there room for what each one asks for?" if error is None else error
            self._say_once(f"no worker yet: waiting for the launcher to start one; {why}")

    def _say_once(self, line: str) -> None:
        if line not in self._said:
            self._said.add(line)
            self._say(line)


def _remove_empty_folders(folder: Path) -> None:
    """Remove those that Hydra made, one for each of a launcher's jobs."""
    if folder.is_dir():
        for path in (*folder.glob(LAUNCHER_JOB.format("*", "*")), folder):
            with contextlib.suppress(OSError):  # not empty
                path.rmdir()


RELAUNCH_SECONDS = 10.0  # between two launches
QUEUED_SECONDS = 30.0  # the same where there is a queue, which shows new jobs late
_VAIN = 3  # launches in a row that end without any worker, after which the sweep ends


class LauncherProcesses:
    """All launches of a sweep, numbered from 0."""

    def __init__(
        self, launch: Callable[[int, int], LauncherProcess], queued: Callable[[], int | None] | None
    ) -> None:
        """``launch(number, jobs)`` asks the launcher for so many jobs.

        ``queued`` asks the cluster how many jobs run or wait, also to run again; None: unknown.
        """
        self._launch = launch
        self._queued = queued
        self._all: list[LauncherProcess] = []
        self._asked_at = float("-inf")

    def keep(self, wanted: int) -> None:
        """Ask for as many jobs as are missing of ``wanted``."""
        now = time.monotonic()
        here = sum(len(one.here) for one in self._all)
        pause = RELAUNCH_SECONDS if self._queued is None else QUEUED_SECONDS
        if here >= wanted or now - self._asked_at < pause:
            return
        missing = wanted - max(here, self._expected(now))
        if missing > 0:
            self._asked_at = now
            self._all.append(self._launch(len(self._all), missing))

    def _expected(self, now: float) -> int:
        """How many jobs are here, have not started yet, or may be started again."""
        queued = None if self._queued is None or not self._all else self._queued()
        if queued is None:
            return sum(len(one.here) + one.may_come(now) for one in self._all)
        if queued == 0:
            for one in self._all:
                one.is_forgotten = True
        return queued

    def came(self, launch: int, job: int) -> None:
        """A job has connected, and has a worker."""
        one = self._all[launch]
        one.came = True
        one.left_at.pop(job, None)
        one.here.add(job)

    def went(self, launch: int, job: int) -> None:
        """A job that had a worker has left."""
        self._all[launch].here.discard(job)
        self._all[launch].left_at[job] = time.monotonic()

    def refused(self, launch: int, job: int, reason: str) -> None:
        """A job has connected, and cannot work."""
        self._all[launch].refusal = reason
        self._all[launch].left_at[job] = time.monotonic()

    def failure(self) -> str | None:
        """Why the launcher cannot start workers; None while it may.

        The first launch failed; or, since a single launch may fail after that, several in a row
        failed or ended without any worker.
        """
        if not self._all or not all(one.is_over() for one in self._all):
            return None
        in_vain = list(takewhile(lambda one: not one.came, reversed(self._all)))
        if len(in_vain) >= _VAIN:
            return self._all[-1].error() or "its jobs end before they report"
        return self._all[-1].error() if len(in_vain) == len(self._all) else None

    def last_error(self) -> str | None:
        """The error of the last launch that failed."""
        errors = [one.error() for one in self._all if one.is_over()]
        return next((error for error in reversed(errors) if error is not None), None)

    def end(self, seconds: float) -> None:
        """Wait ``seconds`` in all for the launchers to notice that all is over; end them."""
        deadline = time.monotonic() + seconds
        for one in self._all:
            one.end(deadline - time.monotonic())
