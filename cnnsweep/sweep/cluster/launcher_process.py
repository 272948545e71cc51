"""A launch: the process in which a Hydra launcher runs, and the state of its jobs."""

import contextlib
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from copy import copy, deepcopy
from dataclasses import dataclass
from multiprocessing.connection import Connection
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
from cnnsweep.sweep.cluster.nanny import Nanny
from cnnsweep.sweep.workers.child_process import ChildProcess
from cnnsweep.sweep.workers.watchdog import die_with_parent
from cnnsweep.sweep.workers.worker_main import Setup

# In which a cluster may start a lost job again (SLURM requeues it, Ray retries it).
RETURN_SECONDS = 10.0
HANG_UP_SECONDS = 0.7


@dataclass
class LaunchRequest:
    """Run the nanny as ``jobs`` jobs, each with a folder of its own in ``folder``."""

    setup: Setup
    nanny: Nanny
    folder: Path
    jobs: int


class NannyConfigs:
    """Stands in for Hydra's config loader: of its config a nanny uses only the folder.

    Composing it again would need every override that was typed for the sweep.
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


def main(lifeline_fd: int, setup_fd: int, connection_fd: int) -> None:
    """Carry out a LaunchRequest; at the end its error on one line is sent, or None."""
    die_with_parent(lifeline_fd)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the launching process ends this one
    request: LaunchRequest = cloudpickle.loads(os.pread(setup_fd, os.fstat(setup_fd).st_size, 0))
    setup_globals()
    Singleton.set_state(request.setup.singletons)
    logging.getLogger("hydra_plugins").setLevel(logging.WARNING)  # what they log is about nannies
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # Ray sends none unasked
    try:
        failed = [outcome_of(r) for r in _launch(request) if r.status is JobStatus.FAILED]
        error = one_line(failed[0]) if failed else None
    except Exception as failure:  # noqa: BLE001 — sent to the launching process, which decides
        error = one_line(failure)
    Connection(connection_fd).send(error)
    sys.stdout.flush()


def _launch(request: LaunchRequest) -> Sequence[JobReturn]:
    hydra_context: Any = copy(request.setup.context.hydra_context)
    hydra_context.callbacks = no_callbacks()  # the user's are for trials
    hydra_context.config_loader = NannyConfigs()
    config = request.setup.context.config
    launcher = Plugins.instance().instantiate_launcher(
        hydra_context=hydra_context, task_function=request.nanny, config=config
    )
    number = request.nanny.launch
    names = [LAUNCHER_JOB.format(number, job) for job in range(request.jobs)]
    overrides = [[f"hydra.sweep.dir={request.folder}", f"hydra.sweep.subdir={n}"] for n in names]
    return launcher.launch(overrides, initial_job_idx=0)


class LauncherProcess:
    """A running launch. Each of its jobs may still come, is here (has a worker), or has left."""

    def __init__(self, request: LaunchRequest, log: Path, report_seconds: float) -> None:
        """``log`` takes what the launcher prints.

        Jobs that have not connected after ``report_seconds`` are not expected any more; infinite
        where jobs may have to wait for free machines.
        """
        self.jobs = request.jobs
        self._silent_until = time.monotonic() + report_seconds
        self.came = False  # whether any of its jobs ever had a worker
        self.here: set[int] = set()
        self.left_at: dict[int, float] = {}  # time.monotonic()
        self.refusal: str | None = None  # why a job that connected could not work
        # The cluster has none of its jobs any more, though the launcher may wait for them for ever.
        self.is_forgotten = False
        self._log = log
        self._error: str | None = None
        module = "cnnsweep.sweep.cluster.launcher_process"
        self._child = ChildProcess(module, cloudpickle.dumps(request), log)
        (self._connection,) = self._child.connections

    def may_come(self, now: float) -> int:
        """How many of its jobs have not started yet, or may be started again."""
        if self.is_over():
            return 0
        may_return = sum(now - at <= RETURN_SECONDS for at in self.left_at.values())
        silent = self.jobs - len(self.here) - len(self.left_at)
        return may_return + (silent if now <= self._silent_until else 0)

    def is_over(self) -> bool:
        return self.is_forgotten or self._child.process.poll() is not None

    def error(self) -> str | None:
        """Why a launch that is over failed, on one line; None where it did not."""
        if self._error is None and self._connection.poll():
            with contextlib.suppress(EOFError):
                self._error = self._connection.recv()
        code = self._child.process.returncode
        crash = f"its process ended with code {code}; see {self._log}" if code else None
        gone = "its jobs are gone from the queue" if self.is_forgotten else None
        return self.refusal or self._error or crash or gone

    def end(self, seconds: float) -> None:
        """Wait ``seconds`` for the launcher to notice that its jobs are over, then end it."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._child.process.wait(max(0.0, seconds))
        self._child.process.terminate()  # Ray shuts down in good order
        self._child.end(HANG_UP_SECONDS)
        self._connection.close()
