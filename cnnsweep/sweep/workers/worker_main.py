"""A worker process: runs jobs, one at a time or several, until it is told to end."""

import faulthandler
import fcntl
import logging
import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import cloudpickle
from hydra.core.singleton import Singleton
from hydra.core.utils import setup_globals

from cnnsweep.config.composing.quick_copies import quick_copies
from cnnsweep.process import Terminated, begin_collection, postpone_collection, raise_on_stops
from cnnsweep.sweep.multihost.membership import LOST_SECONDS
from cnnsweep.sweep.spec.compose import SweepContext
from cnnsweep.sweep.spec.messages import Finished, Job, Started
from cnnsweep.sweep.workers.run_job import Reporter, run
from cnnsweep.sweep.workers.watchdog import die_with_parent, die_without_heartbeat


@dataclass
class Setup:
    """What a worker needs from the launching process: its config and Hydra's global state."""

    context: SweepContext
    singletons: Any
    heartbeat: Path | None  # the file that the launching process touches, if it is one of several


def main(lifeline_fd: int, setup_fd: int, *connection_fds: int) -> None:
    """Serve the launching process, which has the other end of each connection.

    With several connections there are as many jobs at a time, whose epochs are trained together.
    """
    postpone_collection()
    die_with_parent(lifeline_fd)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the launching process passes it on as SIGTERM
    raise_on_stops()
    faulthandler.enable()
    own_output = os.dup(1)
    fcntl.flock(own_output, fcntl.LOCK_EX | fcntl.LOCK_NB)  # kept until this process ends
    setup = cloudpickle.loads(os.pread(setup_fd, os.fstat(setup_fd).st_size, 0))
    if setup.heartbeat is not None:
        die_without_heartbeat(setup.heartbeat, LOST_SECONDS)
    try:
        with quick_copies():
            setup_globals()
            Singleton.set_state(setup.singletons)
            connections = [Connection(fd) for fd in connection_fds]
            if len(connections) == 1:
                _serve(connections[0], setup.context, own_output)
            else:
                _serve_all(connections, setup.context, own_output)
    except Terminated:
        logging.shutdown()
        os._exit(128 + signal.SIGTERM)  # skips unloading torch, which is slow


def _serve(connection: Connection, context: SweepContext, own_output: int) -> None:
    """Run jobs as they come, until None comes instead of one."""
    while (job := connection.recv()) is not None:
        connection.send(Started())
        finished = run(job, context, Reporter(connection, job.is_prunable), own_output)
        begin_collection()  # which a task other than ours has not done
        connection.send(finished)


def _serve_all(connections: list[Connection], context: SweepContext, own_output: int) -> None:
    """Run a job for each connection at a time, until None has come by each."""
    from cnnsweep.sweep.workers.hub import Hub

    def work(job: Job, reporter: Reporter, pause: Callable[[float], None]) -> Finished:
        return run(job, context, reporter, own_output, pause)

    def train(trainers: Sequence[Any]) -> Sequence[object]:
        from cnnsweep.stack.together import train_together  # torch, which runs have imported

        return train_together(trainers)

    Hub(connections, work, train).serve()
