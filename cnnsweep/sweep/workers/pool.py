"""The workers of a sweep: started when there is work, replaced when they die."""

import errno
import resource
import time
from collections.abc import Iterator
from multiprocessing.connection import wait
from pathlib import Path

import cloudpickle

from cnnsweep.errors import UserError
from cnnsweep.folders.lock import try_lock
from cnnsweep.folders.sweep_folder import WORKER_LOG
from cnnsweep.sweep.machine.gpus import Gpu
from cnnsweep.sweep.spec.messages import Answer, Finished, Job, Message
from cnnsweep.sweep.workers.local_worker import Worker, WorkerHandle
from cnnsweep.sweep.workers.seats import SeatedProcess
from cnnsweep.sweep.workers.worker_main import Setup


class Pool:
    """Slots numbered from 0. A slot is free, or has a job until a Finished comes for it.

    A worker process serves one slot, or ``stack`` of them: slot ``s`` is a seat of worker ``s %
    workers``. A job that must be alone has a process of its own meanwhile, of which there are at
    most as many as workers; more such jobs wait in their slots.
    """

    old_workers_seconds = 10.0  # that workers of an earlier launch get to end

    def __init__(self, folder: Path, setup: Setup, gpus: list[Gpu], stack: int = 1) -> None:
        """``folder`` takes the workers' own logs; ``gpus`` has that of each worker.

        Raises:
            UserError: a worker of an earlier launch still runs.
        """
        folder.mkdir(parents=True, exist_ok=True)
        _wait_for_old_workers(folder, self.old_workers_seconds)
        self._folder = folder
        self._gpus = gpus
        self._setup = cloudpickle.dumps(setup)
        self._stack = stack
        self._slots = range(len(gpus) * stack)
        self._workers: dict[int, WorkerHandle] = {}
        self._seated: dict[int, SeatedProcess] = {}  # by the number of the worker
        self._waiting: dict[int, Job] = {}  # until there is room for one more that is alone

    def free_slots(self) -> list[int]:
        """Slots without a job."""
        return [s for s in self._slots if self.job(s) is None]

    def busy_slots(self) -> list[int]:
        return [s for s in self._slots if self.job(s) is not None]

    def job(self, slot: int) -> Job | None:
        worker = self._workers.get(slot)
        return self._waiting.get(slot) if worker is None else worker.job

    def seconds(self, slot: int) -> float | None:
        """How long a slot's job has run; None while its worker starts."""
        worker = self._workers.get(slot)
        started_at = None if worker is None else worker.started_at
        return None if started_at is None else time.monotonic() - started_at

    def is_alone(self, slot: int) -> bool:
        """Whether a slot's job is the only one of its process."""
        return slot not in self._workers or self._workers[slot].is_alone

    def log(self, slot: int) -> Path:
        """What a slot's workers print between jobs, and when they cannot start."""
        return self._folder / WORKER_LOG.format(slot % len(self._gpus))

    def give(self, slot: int, job: Job) -> None:
        """Hand a job to a free slot, starting its worker where there is none."""
        if self._stack > 1 and job.is_alone:
            self._workers.pop(slot, None)  # its seat, which stays free
            self._waiting[slot] = job
            self._start_lone_ones()
            return
        if slot not in self._workers:
            self._workers[slot] = self._worker(slot)
        self._workers[slot].give(job)

    def _worker(self, slot: int) -> WorkerHandle:
        number = slot % len(self._gpus)
        gpu, log = self._gpus[number], self.log(slot)
        if self._stack == 1:
            return Worker(self._setup, log, gpu)
        process = self._seated.get(number)
        if process is None or process.is_over:
            process = self._seated_process(log, gpu)
            self._seated[number] = process
        return process.seats[slot // len(self._gpus)]

    def _seated_process(self, log: Path, gpu: Gpu) -> SeatedProcess:
        try:
            return SeatedProcess(self._setup, log, gpu, self._stack)
        except OSError as error:
            if error.errno != errno.EMFILE:
                raise
            most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
            raise UserError(
                f"hydra.sweeper.stack={self._stack}: each job needs open files, of which ulimit -n "
                f"allows {most}; allowed is a smaller stack, or a larger ulimit -n"
            ) from error

    def _start_lone_ones(self) -> None:
        alone = sum(isinstance(worker, Worker) for worker in self._workers.values())
        for slot in list(self._waiting)[: max(0, len(self._gpus) - alone)]:
            name = f"{slot % len(self._gpus)}_{slot}"
            log = self._folder / WORKER_LOG.format(name)
            self._workers[slot] = Worker(self._setup, log, self._gpus[slot % len(self._gpus)])
            self._workers[slot].give(self._waiting.pop(slot))

    def answer(self, slot: int, answer: Answer) -> None:
        """Answer the Epoch of a slot's job."""
        if slot in self._workers:
            self._workers[slot].send(answer)

    def kill(self, slot: int) -> None:
        """End a slot's job at once, with others of its process; the slot has no job afterwards."""
        if self._waiting.pop(slot, None) is None:
            self._workers[slot].kill()
            self._let_go(slot)

    def _let_go(self, slot: int) -> None:
        if self._workers[slot].is_over:
            del self._workers[slot]

    def messages(self, seconds: float) -> Iterator[tuple[int, Job, Message]]:
        """The first messages that come within ``seconds``, with their slots and jobs."""
        self._start_lone_ones()
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
            if self._stack > 1 and isinstance(worker, Worker):
                worker.close(0.0)  # its process was for this job alone
        self._let_go(slot)
        if job is not None and message is not None:
            yield slot, job, message

    def close(self, *, grace: float, stop: bool) -> None:
        """End all workers within ``grace`` seconds.

        ``stop``: they still have jobs and save their last whole epoch; else they are idle.
        """
        deadline = time.monotonic() + grace
        seats = [seat for process in self._seated.values() for seat in process.seats]
        workers = [*self._workers.values(), *seats]  # some twice, which is harmless
        try:
            for worker in workers:
                if stop:
                    worker.ask_to_stop()
                else:
                    worker.send(None)
            for worker in workers:
                worker.close(deadline - time.monotonic())
        finally:  # a second Ctrl-C does not wait
            for worker in workers:
                worker.close(grace=0.0)
            self._workers.clear()
            self._seated.clear()
            self._waiting.clear()
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
