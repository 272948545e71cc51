"""The workers of a sweep: as many as slots, started when there is work, replaced when they die."""

import time
from collections.abc import Iterator
from multiprocessing.connection import wait
from pathlib import Path

import cloudpickle

from cnnsweep.errors import UserError
from cnnsweep.folders.lock import try_lock
from cnnsweep.folders.sweep_folder import WORKER_LOG
from cnnsweep.sweep.spec.messages import Answer, Finished, Job, Message
from cnnsweep.sweep.workers.local_worker import Worker, WorkerHandle
from cnnsweep.sweep.workers.worker_main import Setup


class Pool:
    """Slots numbered from 0. A slot is free, or has a job until a Finished comes for it."""

    old_workers_seconds = 10.0  # that workers of an earlier launch get to end

    def __init__(self, folder: Path, setup: Setup, devices: list[str | None]) -> None:
        """``folder`` takes the workers' own logs; ``devices`` has the CUDA device of each slot.

        Raises:
            UserError: a worker of an earlier launch still runs.
        """
        folder.mkdir(parents=True, exist_ok=True)
        _wait_for_old_workers(folder, self.old_workers_seconds)
        self._folder = folder
        self._devices = devices
        self._setup = cloudpickle.dumps(setup)
        self._workers: dict[int, WorkerHandle] = {}

    def free_slots(self) -> list[int]:
        """Slots without a job."""
        return [s for s in range(len(self._devices)) if self.job(s) is None]

    def busy_slots(self) -> list[int]:
        return [s for s in range(len(self._devices)) if self.job(s) is not None]

    def job(self, slot: int) -> Job | None:
        worker = self._workers.get(slot)
        return None if worker is None else worker.job

    def seconds(self, slot: int) -> float | None:
        """How long a slot's job has run; None while its worker starts."""
        started_at = self._workers[slot].started_at
        return None if started_at is None else time.monotonic() - started_at

    def log(self, slot: int) -> Path:
        """What a slot's workers print between jobs, and when they cannot start."""
        return self._folder / WORKER_LOG.format(slot)

    def give(self, slot: int, job: Job) -> None:
        """Hand a job to a free slot, starting its worker where there is none."""
        if slot not in self._workers:
            self._workers[slot] = Worker(self._setup, self.log(slot), self._devices[slot])
        self._workers[slot].give(job)

    def answer(self, slot: int, answer: Answer) -> None:
        """Answer the Epoch of a slot's job."""
        self._workers[slot].send(answer)

    def kill(self, slot: int) -> None:
        """End a slot's job at once; the slot has no job afterwards."""
        self._workers[slot].kill()
        self._let_go(slot)

    def _let_go(self, slot: int) -> None:
        if self._workers[slot].is_over:
            del self._workers[slot]

    def messages(self, seconds: float) -> Iterator[tuple[int, Job, Message]]:
        """The first messages that come within ``seconds``, with their slots and jobs."""
        by_connection = {worker.connection: slot for slot, worker in self._workers.items()}
        slots = [by_connection[connection] for connection in wait(by_connection, timeout=seconds)]
        slots += [s for s, w in self._workers.items() if s not in slots and w.is_gone()]
        for slot in slots:
            yield from self._message(slot)

    def _message(self, slot: int) -> Iterator[tuple[int, Job, Message]]:
        worker = self._workers[slot]
        gone = not worker.connection.poll() and worker.is_gone()
        message = worker.death() if gone else worker.receive()
        job = worker.job
        if isinstance(message, Finished):
            worker.job = None
        self._let_go(slot)
        if job is not None and message is not None:
            yield slot, job, message

    def close(self, *, grace: float, stop: bool) -> None:
        """End all workers within ``grace`` seconds.

        ``stop``: they still have jobs and save their last whole epoch; else they are idle.
        """
        deadline = time.monotonic() + grace
        try:
            for worker in self._workers.values():
                if stop:
                    worker.ask_to_stop()
                else:
                    worker.send(None)
            for worker in self._workers.values():
                worker.close(deadline - time.monotonic())
        finally:  # a second Ctrl-C does not wait
            for worker in self._workers.values():
                worker.close(grace=0.0)
            self._workers.clear()
        _remove_empty_logs(self._folder)


def _wait_for_old_workers(folder: Path, seconds: float) -> None:
    """Wait until no worker of an earlier launch is left; each locks its log in ``folder``.

    Raises:
        UserError: one is still there after ``seconds``.
    """
    deadline = time.monotonic() + seconds
    for log in sorted(folder.glob(WORKER_LOG.format("*"))):
        with log.open("a") as file:
            while not try_lock(file):
                if time.monotonic() > deadline:
                    raise UserError(
                        f"a worker of an earlier launch still runs (it holds {log}); end it first"
                    )
                time.sleep(0.05)


def _remove_empty_logs(folder: Path) -> None:
    """Workers seldom print anything of their own."""
    for log in folder.glob(WORKER_LOG.format("*")):
        if log.stat().st_size == 0:
            log.unlink()
    if not any(folder.iterdir()):
        folder.rmdir()
