"""What a launcher's job does: it keeps a worker process, and passes messages on to and from it.

The launcher's own process never runs a trial, so a trial that crashes leaves it alone.
"""

import contextlib
import socket
import time
from dataclasses import dataclass
from enum import Enum, auto
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from cnnsweep.sweep.cluster.connection import Address, Heartbeat, HeartbeatConnection, reach
from cnnsweep.sweep.cluster.preemption import Preempted, PreemptionSignals, preemption_signals
from cnnsweep.sweep.machine.gpus import Gpu
from cnnsweep.sweep.spec.messages import Finished, Job
from cnnsweep.sweep.workers.local_worker import Worker

LEAVE_SECONDS = 10.0  # clusters give notice at least 30 s before they kill
SIGHT_SECONDS = 10.0  # a new file may take a while to show on a shared file system


@dataclass(frozen=True)
class Registration:
    """A nanny's first message: which job of which launch it is, and where it runs."""

    launch: int
    job: int
    host: str


@dataclass(frozen=True)
class Welcome:
    """The answer to Registration: the pickled Setup for workers, and how to check the disk.

    ``token`` is what the file ``token_file`` holds, wherever the sweep folder can be seen. The
    nanny answers with why it cannot work (a str), or None.
    """

    setup: bytes
    token_file: Path
    token: str


@dataclass(frozen=True)
class Assignment:
    """Sent to a nanny that can work and whose worker is wanted: the worker's log and GPU."""

    log: Path
    gpu: Gpu


class Command(Enum):
    """What else is sent, beside jobs, answers to an Epoch (bool) and None (no more jobs)."""

    STOP = auto()  # let the worker save its last whole epoch, and end
    KILL = auto()  # end the worker's job at once
    KILLED = auto()  # the answer to KILL: the job is gone; messages before this one concerned it


@dataclass(frozen=True)
class Nanny:
    """The task function of a launcher's jobs."""

    addresses: tuple[Address, ...]
    key: bytes
    launch: int

    def __call__(self, _config: DictConfig) -> None:
        """Raises UserError where the launching process cannot be reached."""
        job = HydraConfig.get().job.num
        with (
            preemption_signals() as preemption,
            contextlib.closing(reach(self.addresses, self.key)) as connection,
            contextlib.suppress(EOFError, OSError),
        ):
            connection.send(Registration(self.launch, job, socket.gethostname()))
            welcome: Welcome = connection.recv_word()
            unfit = _unfit(welcome)
            if unfit is not None:
                _remove_own_folders()
            connection.send(unfit)
            assignment: Assignment = connection.recv_word()  # EOFError where it is unfit
            _Keeper(connection, welcome.setup, assignment, preemption).keep()


def _unfit(welcome: Welcome) -> str | None:
    """Why this job cannot work: results on a disk that only this machine sees would be lost."""
    deadline = time.monotonic() + SIGHT_SECONDS
    while True:
        with contextlib.suppress(OSError):
            if welcome.token_file.read_text(encoding="ascii") == welcome.token:
                return None
        if time.monotonic() > deadline:
            folder = welcome.token_file.parent.parent
            return (
                f"{socket.gethostname()} does not see the sweep folder {folder}: it must be on a "
                "file system that all nodes share, at the same path"
            )
        time.sleep(0.5)


def _remove_own_folders() -> None:
    """Remove what Hydra made for this job where the sweep folder would be."""
    folder = Path(HydraConfig.get().runtime.output_dir)
    for made in (folder, folder.parent, folder.parent.parent):
        with contextlib.suppress(OSError):  # not empty: it holds what is not ours
            made.rmdir()


@dataclass
class _Keeper:
    connection: HeartbeatConnection
    setup: bytes
    assignment: Assignment
    preemption: PreemptionSignals
    worker: Worker | None = None

    def keep(self) -> None:
        """Until the launching process says so, or is lost, or this job is preempted."""
        self.preemption.is_raised = False
        while self.preemption.given is None:
            spoken: list[Any] = [self.connection]
            if self.worker is not None:
                spoken.append(self.worker.connection)
            ready: list[Any] = wait(spoken, timeout=1.0)
            try:
                if self.connection.is_silent():
                    raise EOFError
                if self.worker is not None and (
                    self.worker.connection in ready or self.worker.is_gone()
                ):
                    self._pass_on(self.worker)
                elif self.connection in ready and not self._obey(self.connection.recv()):
                    return
            except (EOFError, OSError):
                if self.worker is not None:
                    self.worker.close(grace=0.0)
                return
        self._leave(self.preemption.given)

    def _leave(self, notice: Preempted) -> None:
        """Let the worker save its last whole epoch, and report that this job was preempted."""
        deadline = time.monotonic() + LEAVE_SECONDS
        with contextlib.suppress(EOFError, OSError):  # the launching process is lost
            if self.worker is not None:
                self.worker.ask_to_stop()
                self._pass_on_last_words(self.worker, deadline)
            self.connection.send(Finished("preempted", error=str(notice)))
            while self.connection.poll(max(0.0, deadline - time.monotonic())):
                self.connection.recv()  # until it hangs up, having read what was sent

    def _pass_on_last_words(self, worker: Worker, deadline: float) -> None:
        while not worker.is_over and worker.connection.poll(max(0.0, deadline - time.monotonic())):
            message = worker.receive()
            if not (isinstance(message, Finished) and message.worker_ended):
                self.connection.send(message)
        worker.close(deadline - time.monotonic())

    def _pass_on(self, worker: Worker) -> None:
        message = worker.receive() if worker.connection.poll() else worker.death()
        if worker.is_over:
            self.worker = None
            # Where the whole job or node ends, we are signalled too (and _leave), or killed.
            if worker.was_ended_from_outside and self.preemption.comes_within(1.0):
                return
        self.connection.send(message)

    def _obey(self, message: object) -> bool:
        """Act on a message of the launching process; False where it was the last."""
        if isinstance(message, Job):
            if self.worker is None:
                self.worker = Worker(self.setup, self.assignment.log, self.assignment.gpu)
            self.worker.give(message)
        elif isinstance(message, str):
            if self.worker is not None:  # else it died after the Epoch that this answers
                self.worker.send(message)
        elif message is Command.KILL:
            if self.worker is not None:
                self.worker.kill()
                self.worker = None
            self.connection.send(Command.KILLED)
        elif not isinstance(message, Heartbeat):
            if self.worker is not None and message is Command.STOP:
                self.worker.ask_to_stop()
                self.worker.close(grace=3.0)
            elif self.worker is not None:
                self.worker.send(None)
                self.worker.close(grace=1.0)
            return False
        return True
