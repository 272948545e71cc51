"""What a launcher's job does: it keeps a worker process, and passes on what is said to it.

The launcher's own process never runs a trial, so no trial can take it down.
"""

import contextlib
import socket
import tempfile
import time
from dataclasses import dataclass
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from cnnsweep.sweep.cluster.connection import Address, Heartbeat, HeartbeatConnection, reach
from cnnsweep.sweep.cluster.preemption import Preempted, PreemptionSignals, preemption_signals
from cnnsweep.sweep.spec.messages import Finished, Job
from cnnsweep.sweep.workers.local_worker import Worker

LEAVE_SECONDS = 10.0  # clusters give notice at least 30 s before they kill
SIGHT_SECONDS = 10.0  # a new file may take a while to show on a shared file system


@dataclass(frozen=True)
class Registration:
    """The first thing that a relay says: which job of which launch it is, and where it runs."""

    launch: int
    job: int
    host: str


@dataclass(frozen=True)
class Welcome:
    """The first thing that a relay hears.

    ``token`` is what the file ``token_file`` holds, wherever the sweep folder can be seen.
    """

    setup: bytes
    token_file: Path
    token: str


@dataclass(frozen=True)
class Assignment:
    """Heard by a relay once its worker is wanted: the worker's log and device."""

    log: Path
    device: str | None


@dataclass(frozen=True)
class Ready:
    """A relay's answer to Hello: it can work."""


@dataclass(frozen=True)
class Unfit:
    """A relay's other answer: it cannot, for this reason."""

    reason: str


@dataclass(frozen=True)
class Stop:
    """Let the worker keep its last whole epoch, and go."""


@dataclass(frozen=True)
class Kill:
    """End the worker's job at once; answered with Killed."""


@dataclass(frozen=True)
class Killed:
    """The job that was to be killed is gone; what was sent before concerned that job."""


@dataclass(frozen=True)
class Nanny:
    """The task function of a launcher's jobs."""

    addresses: tuple[Address, ...]
    key: bytes
    launch: int

    def __call__(self, _config: DictConfig) -> None:
        """Raises UserError where the launching process cannot be reached."""
        with preemption_signals() as preemption:
            connection = reach(self.addresses, self.key)
            with contextlib.closing(connection), contextlib.suppress(EOFError, OSError):
                self._report(connection, preemption)

    def _report(self, connection: HeartbeatConnection, preemption: PreemptionSignals) -> None:
        connection.send(Registration(self.launch, HydraConfig.get().job.num, socket.gethostname()))
        welcome: Welcome = connection.recv_word()
        unfit = _unfit(welcome)
        if unfit is not None:
            _remove_own_folders()
            connection.send(unfit)
            connection.recv_word()  # until it hangs up: what is sent then is read for certain
            return
        connection.send(Ready())
        assignment: Assignment = connection.recv_word()
        with tempfile.TemporaryFile() as setup:
            setup.write(welcome.setup)
            setup.flush()
            _Keeper(connection, assignment, setup, preemption).keep()


def _unfit(welcome: Welcome) -> Unfit | None:
    """Work on a disk that the launching process does not see would be lost."""
    deadline = time.monotonic() + SIGHT_SECONDS
    while not _sees(welcome):
        if time.monotonic() > deadline:
            folder = welcome.token_file.parent.parent
            return Unfit(
                f"{socket.gethostname()} does not see the sweep folder {folder}: it must be on a "
                "file system that all nodes share, at the same path"
            )
        time.sleep(0.5)
    return None


def _sees(welcome: Welcome) -> bool:
    try:
        return welcome.token_file.read_text(encoding="ascii") == welcome.token
    except OSError:
        return False


def _remove_own_folders() -> None:
    """Those that Hydra made for this job in a place that is not the sweep's."""
    folder = Path(HydraConfig.get().runtime.output_dir)
    for made in (folder, folder.parent, folder.parent.parent):
        with contextlib.suppress(OSError):  # holds something: not ours alone
            made.rmdir()


@dataclass
class _Keeper:
    connection: HeartbeatConnection
    assignment: Assignment
    setup: Any
    preemption: PreemptionSignals
    worker: Worker | None = None

    def keep(self) -> None:
        """Until the launching process says so, or is gone, or this job has to go."""
        self.preemption.is_raised = False
        while self.preemption.given is None:
            spoken: list[Any] = [self.connection] + (
                [self.worker.connection] if self.worker else []
            )
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
        """Let the worker keep its last whole epoch, and say so."""
        deadline = time.monotonic() + LEAVE_SECONDS
        with contextlib.suppress(EOFError, OSError):  # nobody is left to be told
            if self.worker is not None:
                self.worker.ask_to_stop()
                self._pass_on_last_words(self.worker, deadline)
            self.connection.send(Finished("preempted", error=str(notice)))
            while self.connection.poll(max(0.0, deadline - time.monotonic())):
                self.connection.recv()  # until it hangs up: what is sent then is read for certain

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
            # If the whole job goes, or the node, we are told too, or don't live to tell.
            if worker.was_ended_from_outside and self.preemption.comes_within(1.0):
                return
        self.connection.send(message)

    def _obey(self, message: object) -> bool:
        """Whether there may be more to do."""
        if isinstance(message, Heartbeat):
            return True
        if isinstance(message, Job):
            if self.worker is None:
                self.worker = Worker(self.setup, self.assignment.log, self.assignment.device)
            self.worker.give(message)
        elif isinstance(message, Kill):
            self._kill()
        elif self.worker is not None:
            return self._obey_worker(self.worker, message)
        return isinstance(message, Job | Kill)

    def _kill(self) -> None:
        if self.worker is not None:
            self.worker.kill()
            self.worker = None
        self.connection.send(Killed())

    def _obey_worker(self, worker: Worker, message: object) -> bool:
        if isinstance(message, bool):
            worker.answer(message)
            return True
        if isinstance(message, Stop):
            worker.ask_to_stop()
            worker.close(grace=3.0)
        else:
            worker.dismiss()
            worker.close(grace=1.0)
        return False
