"""A launch: the process in which a Hydra launcher runs, and what became of its jobs."""

import contextlib
import logging
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from copy import copy, deepcopy
from dataclasses import dataclass
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from typing import Any

import cloudpickle
from hydra.core.plugins import Plugins
from hydra.core.singleton import Singleton
from hydra.core.utils import JobReturn, JobStatus, setup_globals
from omegaconf import DictConfig, OmegaConf, open_dict

from cnnsweep.config.hydra_internals import no_callbacks, outcome_of
from cnnsweep.errors import one_line
from cnnsweep.folders.sweep_folder import LAUNCHER_JOB
from cnnsweep.process import start_python
from cnnsweep.sweep.cluster.nanny import Nanny
from cnnsweep.sweep.workers.watchdog import die_with_parent
from cnnsweep.sweep.workers.worker_main import Setup

# A cluster may start a lost job again by itself (requeued by SLURM, retried by Ray).
RETURN_SECONDS = 10.0
HANG_UP_SECONDS = 0.7


@dataclass
class LaunchRequest:
    """``jobs`` relays as jobs with folders of their own below ``folder``."""

    setup: Setup
    nanny: Nanny
    folder: Path
    jobs: int


class NannyConfigs:
    """Stands in for Hydra's config loader: a relay needs no config but its folder.

    Composing one anew would take everything that was typed for the sweep.
    """

    def load_sweep_config(self, context: DictConfig, overrides: Sequence[str]) -> DictConfig:
        """The sweep's own config with ``overrides``, and without logs and a copy of itself."""
        config = deepcopy(context)
        OmegaConf.set_readonly(config.hydra, False)  # launchers write into it too
        with open_dict(config.hydra):
            for override in overrides:
                key, _, value = override.partition("=")
                OmegaConf.update(config, key, value)
            config.hydra.output_subdir = None
            config.hydra.job.chdir = False
            config.hydra.job_logging = {"version": 1, "root": None}  # None: left as it is
        return config


def main(connection_fd: int, lifeline_fd: int, order_fd: int) -> None:
    """Carry out an order; what is sent in the end is its error on one line, or None."""
    die_with_parent(lifeline_fd)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the launching process sees to it
    order: LaunchRequest = cloudpickle.loads(os.pread(order_fd, os.fstat(order_fd).st_size, 0))
    setup_globals()
    Singleton.set_state(order.setup.singletons)
    logging.getLogger("hydra_plugins").setLevel(logging.WARNING)  # its lines tell of our relays
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # a cluster of our own phones nobody
    try:
        error = _first_error(_launch(order))
    except Exception as failure:  # noqa: BLE001 — told to the launching process, which decides
        error = one_line(failure)
    Connection(connection_fd).send(error)
    sys.stdout.flush()


def _launch(order: LaunchRequest) -> Sequence[JobReturn]:
    hydra_context: Any = copy(order.setup.context.hydra_context)
    hydra_context.callbacks = no_callbacks()  # the user's are for trials
    hydra_context.config_loader = NannyConfigs()
    launcher = Plugins.instance().instantiate_launcher(
        hydra_context=hydra_context, task_function=order.nanny, config=order.setup.context.config
    )
    number = order.nanny.launch
    names = [LAUNCHER_JOB.format(number, job) for job in range(order.jobs)]
    overrides = [[f"hydra.sweep.dir={order.folder}", f"hydra.sweep.subdir={n}"] for n in names]
    return launcher.launch(overrides, initial_job_idx=0)


def _first_error(returns: Sequence[JobReturn]) -> str | None:
    values = [outcome_of(r) for r in returns if r.status is JobStatus.FAILED]
    return one_line(values[0]) if values else None


class LauncherProcess:
    """Its jobs are here, may come, or are gone."""

    def __init__(self, order: LaunchRequest, log: Path, report_seconds: float) -> None:
        """``log`` takes what the launcher prints.

        A job that has not reported after ``report_seconds`` is taken for gone; infinite where jobs
        may have to wait for room.
        """
        self.jobs = order.jobs
        self._silent_until = time.monotonic() + report_seconds
        self.came = False  # whether any of its jobs ever came
        self.here: set[int] = set()
        self.left_at: dict[int, float] = {}  # time.monotonic()
        self._refusal: str | None = None
        self._is_forgotten = False
        self._log = log
        self._error: str | None = None
        self._told, theirs = Pipe(duplex=False)
        read_end, self._lifeline = os.pipe()
        with tempfile.TemporaryFile() as file, log.open("ab") as output:
            file.write(cloudpickle.dumps(order))
            file.flush()
            fds = (theirs.fileno(), read_end, file.fileno())
            self._process = start_python("cnnsweep.sweep.cluster.launcher_process", fds, output)
        theirs.close()
        os.close(read_end)

    def may_come(self, now: float) -> int:
        """How many of its jobs wait for their turn, or may come again."""
        if self.is_over():
            return 0
        may_return = sum(now - at <= RETURN_SECONDS for at in self.left_at.values())
        silent = self.jobs - len(self.here) - len(self.left_at)
        return may_return + (silent if now <= self._silent_until else 0)

    def is_over(self) -> bool:
        return self._is_forgotten or self._process.poll() is not None

    def forget(self) -> None:
        """The cluster has none of its jobs any more; its launcher may wait for them for ever."""
        self._is_forgotten = True

    def refuse(self, job: int, reason: str, now: float) -> None:
        """A job came and cannot work."""
        self._refusal = reason
        self.left_at[job] = now

    def error(self) -> str | None:
        """Of a launch that is over: why, on one line."""
        if self._error is None and self._refusal is None and self._told.poll():
            with contextlib.suppress(EOFError):
                self._error = self._told.recv()
        if self._refusal is None and self._error is None and self._process.returncode:
            return f"its process ended with code {self._process.returncode}; see {self._log}"
        gone = "its jobs are gone from the queue" if self._is_forgotten else None
        return self._refusal or self._error or gone

    def end(self, seconds: float) -> None:
        """Wait for the launcher to see that its jobs are over, then end it."""
        try:
            self._process.wait(max(0.0, seconds))
        except subprocess.TimeoutExpired:
            self._process.terminate()  # Ray hangs up in good order
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(HANG_UP_SECONDS)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._told.close()
        os.close(self._lifeline)
