"""Workers started by a Hydra launcher (joblib, ray, submitit): each connects back to us."""

import os
import queue
import socket
import threading
from collections.abc import Callable
from copy import copy
from multiprocessing.connection import Listener
from pathlib import Path
from typing import Any

import cloudpickle
from hydra._internal.callbacks import Callbacks
from hydra._internal.core_plugins.basic_launcher import BasicLauncher
from hydra.core.plugins import Plugins
from omegaconf import DictConfig

from cnnsweep.sweep.failures import StoppedEarly
from cnnsweep.sweep.master import Master
from cnnsweep.sweep.pool import Pool
from cnnsweep.sweep.relay import Hello, Relay
from cnnsweep.sweep.remote import RemoteWorker
from cnnsweep.sweep.seat import Seat
from cnnsweep.sweep.worker import Setup


def is_chosen(config: DictConfig) -> bool:
    """Whether another launcher than Hydra's basic one is to start the workers."""
    return bool(
        config.hydra.launcher._target_ != f"{BasicLauncher.__module__}.{BasicLauncher.__name__}"
    )


class LaunchedPool(Pool):
    """A slot exists once its worker has connected; a launcher that ended is asked again."""

    def __init__(self, folder: Path, setup: Setup, devices: list[str | None]) -> None:
        super().__init__(folder, setup, devices)
        self._pickled = cloudpickle.dumps(setup)
        self._master = setup.master
        self._arrived: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._key = os.urandom(32)
        self._listener = Listener(("", 0), authkey=self._key)
        self._error: BaseException | None = None
        self._is_closing = False
        threading.Thread(target=self._accept, daemon=True).start()
        self._launcher = self._launch()

    def free_slots(self) -> list[int]:
        """Connected slots without a job.

        Raises:
            StoppedEarly: the launcher could not start any worker.
        """
        self._seat_arrivals()
        if not self._launcher.is_alive() and not self._workers:
            if self._error is not None:
                raise StoppedEarly(f"the launcher failed: {self._error}") from self._error
            self._launcher = self._launch()
        return [s for s, worker in self._workers.items() if _is_free(worker)]

    def close(self, *, grace: float, stop: bool) -> None:
        self._is_closing = True
        self._seat_arrivals()
        super().close(grace=grace, stop=stop)
        self._listener.close()

    def _seat_arrivals(self) -> None:
        while not self._arrived.empty():
            connection = self._arrived.get()
            slot = next(s for s in range(len(self._devices) + 1) if s not in self._workers)
            if slot == len(self._devices):
                connection.close()  # a former launch's worker came late
                continue
            hello = Hello(self._pickled, self.log(slot), self._devices[slot])
            self._workers[slot] = RemoteWorker(connection, hello)

    def _accept(self) -> None:
        while not self._is_closing:
            try:
                self._arrived.put(self._listener.accept())
            except OSError:
                return

    def _launch(self) -> threading.Thread:
        launch = prepare_launch(
            self._master, self._folder, self._address(), self._key, len(self._devices)
        )

        def run() -> None:
            try:
                launch()
            except Exception as error:  # noqa: BLE001 — raised again where the pool is asked
                self._error = error

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        return thread

    def _address(self) -> tuple[str, int]:
        """Ours as workers see it: by name, since they may be on other machines."""
        return socket.gethostname(), self._listener.address[1]


def _is_free(worker: Seat) -> bool:
    assert isinstance(worker, RemoteWorker)
    return worker.is_free


def prepare_launch(
    master: Master, folder: Path, address: tuple[str, int], key: bytes, jobs: int
) -> Callable[[], object]:
    """The launcher's work: ``jobs`` relays as jobs of their own below ``folder``.

    The user's callbacks are for trials, so these jobs have none.
    """
    context = copy(master.context)
    context.callbacks = Callbacks()
    launcher = Plugins.instance().instantiate_launcher(
        hydra_context=context, task_function=Relay(address, key), config=master.config
    )
    overrides = [
        [f"hydra.sweep.dir={folder}", f"hydra.sweep.subdir={job}", "hydra.job.chdir=false"]
        for job in range(jobs)
    ]
    return lambda: launcher.launch(overrides, initial_job_idx=0)
