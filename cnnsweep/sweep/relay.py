"""What a launcher's job does: it keeps a worker process, and passes on what is said to it.

The launcher's own process never runs a trial, so no trial can take it down.
"""

import tempfile
from dataclasses import dataclass
from multiprocessing.connection import Client, wait
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from cnnsweep.sweep.messages import Died, Job
from cnnsweep.sweep.process import Worker


@dataclass(frozen=True)
class Hello:
    """The first thing that a relay hears: its worker's setup, log and device."""

    setup: bytes
    log: Path
    device: str | None


@dataclass(frozen=True)
class Stop:
    """Let the worker keep its last whole epoch, and go."""


@dataclass(frozen=True)
class Kill:
    """End the worker's job at once; answered with Died."""


@dataclass(frozen=True)
class Relay:
    """The task function of a launcher's jobs."""

    address: tuple[str, int]
    key: bytes

    def __call__(self, _config: DictConfig) -> None:
        connection = Client(self.address, authkey=self.key)
        hello: Hello = connection.recv()
        with tempfile.TemporaryFile() as setup:
            setup.write(hello.setup)
            setup.flush()
            _Keeper(connection, hello, setup).keep()


@dataclass
class _Keeper:
    connection: Any
    hello: Hello
    setup: Any
    worker: Worker | None = None

    def keep(self) -> None:
        """Until the launching process says so, or is gone."""
        while True:
            spoken = [self.connection] + ([self.worker.connection] if self.worker else [])
            ready = wait(spoken, timeout=1.0)
            try:
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

    def _pass_on(self, worker: Worker) -> None:
        message = worker.receive() if worker.connection.poll() else worker.death()
        if worker.is_over:
            self.worker = None
        self.connection.send(message)

    def _obey(self, message: object) -> bool:
        """Whether there may be more to do."""
        if isinstance(message, Job):
            if self.worker is None:
                self.worker = Worker(self.setup, self.hello.log, self.hello.device)
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
        self.connection.send(Died("ended by the launching process", had_started=True))

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
