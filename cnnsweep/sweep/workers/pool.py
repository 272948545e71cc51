"""The workers of a sweep: as many as slots, started when there is work, replaced when they die."""

import tempfile
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, Protocol

import cloudpickle

from cnnsweep.folders.sweep_folder import WORKER_LOG
from cnnsweep.sweep.spec.messages import Finished, Job, Message
from cnnsweep.sweep.workers.local_worker import Worker, wait_for_old_workers
from cnnsweep.sweep.workers.worker_main import Setup


class WorkerHandle(Protocol):
    """A worker that has at most one job; ``started_at`` (time.monotonic()) is when it began it."""

    job: Job | None
    started_at: float | None
    connection: "Connection[Any, Any]"

    @property
    def is_over(self) -> bool:
        """Whether the worker is gone for good."""

    def give(self, job: Job) -> None:
        """Hand over a job."""

    def answer(self, should_prune: bool) -> None:
        """Answer an Epoch."""

    def receive(self) -> Message | None:
        """The next message of a readable connection; None for one that concerns nobody."""

    def is_gone(self) -> bool:
        """Whether it has died without closing its connection."""

    def death(self) -> Finished:
        """How it died."""

    def ask_to_stop(self) -> None:
        """Let it keep its last whole epoch and go."""

    def dismiss(self) -> None:
        """Tell it that no more jobs come."""

    def kill(self) -> None:
        """End its job at once."""

    def close(self, grace: float) -> None:
        """Wait ``grace`` seconds for its end, then see to it."""


class Pool:
    """Slots numbered from 0. A slot is free, or has a job until it is Finished."""

    old_workers_seconds = 10.0  # that workers of an earlier launch get to end

    def __init__(self, folder: Path, setup: Setup, devices: list[str | None]) -> None:
        """``folder`` takes the workers' own logs; ``devices`` has the CUDA device of each slot."""
        folder.mkdir(parents=True, exist_ok=True)
        wait_for_old_workers(folder, self.old_workers_seconds)
        self._folder = folder
        self._devices = devices
        self._setup = tempfile.TemporaryFile()  # noqa: SIM115 — open as long as workers may start
        self._setup.write(cloudpickle.dumps(setup))
        self._setup.flush()
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
        """How long a slot's job has run; None while its worker comes up."""
        started_at = self._workers[slot].started_at
        return None if started_at is None else time.monotonic() - started_at

    def log(self, slot: int) -> Path:
        """What a slot's workers print between jobs, and when they cannot start."""
        return self._folder / WORKER_LOG.format(slot)

    def give(self, slot: int, job: Job) -> None:
        """Hand a job to a free slot, starting its worker where there is none."""
        if slot not in self._workers:
            self._workers[slot] = self._start(slot)
        self._workers[slot].give(job)

    def _start(self, slot: int) -> WorkerHandle:
        return Worker(self._setup, self.log(slot), self._devices[slot])

    def answer(self, slot: int, should_prune: bool) -> None:
        """Answer the Epoch of a slot's job."""
        self._workers[slot].answer(should_prune)

    def kill(self, slot: int) -> None:
        """End a slot's worker at once; the slot is free afterwards."""
        self._workers[slot].kill()
        self._let_go(slot)

    def _let_go(self, slot: int) -> None:
        if self._workers[slot].is_over:
            del self._workers[slot]

    def messages(self, seconds: float) -> Iterator[tuple[int, Job, Message]]:
        """What workers say within ``seconds``: the first that come, with their slots and jobs."""
        by_connection = {worker.connection: slot for slot, worker in self._workers.items()}
        ready = wait(list(by_connection), timeout=seconds)
        slots = [by_connection[connection] for connection in ready]  # type: ignore[index]
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
        """End all workers: idle ones are told to go, others keep their last epoch (``stop``)."""
        deadline = time.monotonic() + grace
        try:
            for worker in self._workers.values():
                if stop:
                    worker.ask_to_stop()
                else:
                    worker.dismiss()
            for worker in self._workers.values():
                worker.close(deadline - time.monotonic())
        finally:  # a second Ctrl-C does not wait
            for worker in self._workers.values():
                worker.close(grace=0.0)
            self._workers.clear()
            self._setup.close()
        _remove_empty_logs(self._folder)


def _remove_empty_logs(folder: Path) -> None:
    """Workers seldom print anything of their own."""
    for log in folder.glob(WORKER_LOG.format("*")):
        if log.stat().st_size == 0:
            log.unlink()
    if not any(folder.iterdir()):
        folder.rmdir()
