"""A process of its own in which a Hydra launcher runs: it may hang, crash or chatter as it likes.

Launchers wait until their jobs are over, and some (Ray) end their process when a cluster is lost.
"""

import logging
import os
import signal
import sys
from collections.abc import Sequence
from copy import copy, deepcopy
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import cloudpickle
from hydra._internal.callbacks import Callbacks
from hydra.core.plugins import Plugins
from hydra.core.singleton import Singleton
from hydra.core.utils import JobReturn, JobStatus, setup_globals
from omegaconf import DictConfig, OmegaConf, open_dict

from cnnsweep.errors import one_line
from cnnsweep.sweep.lifeline import die_with_parent
from cnnsweep.sweep.relay import Relay
from cnnsweep.sweep.worker import Setup


@dataclass
class Order:
    """``jobs`` relays as jobs with folders of their own below ``folder``."""

    setup: Setup
    relay: Relay
    folder: Path
    jobs: int


class RelayConfigs:
    """Stands in for Hydra's config loader: a relay needs no config but its folder.

    Composing one anew would take everything that was typed for the sweep.
    """

    def load_sweep_config(self, master: DictConfig, overrides: Sequence[str]) -> DictConfig:
        """The sweep's own config with ``overrides``, and without logs and a copy of itself."""
        config = deepcopy(master)
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
    order: Order = cloudpickle.loads(os.pread(order_fd, os.fstat(order_fd).st_size, 0))
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


def _launch(order: Order) -> Sequence[JobReturn]:
    context: Any = copy(order.setup.master.context)
    context.callbacks = Callbacks()  # the user's are for trials
    context.config_loader = RelayConfigs()
    launcher = Plugins.instance().instantiate_launcher(
        hydra_context=context, task_function=order.relay, config=order.setup.master.config
    )
    number = order.relay.launch
    overrides = [
        [f"hydra.sweep.dir={order.folder}", f"hydra.sweep.subdir=job_{number}_{job}"]
        for job in range(order.jobs)
    ]
    return launcher.launch(overrides, initial_job_idx=0)


def _first_error(returns: Sequence[JobReturn]) -> str | None:
    values = [r._return_value for r in returns if r.status is JobStatus.FAILED]
    return one_line(values[0]) if values else None
