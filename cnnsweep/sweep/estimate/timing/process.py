"""A process beside the launching one that times some steps of runs, as a worker would train them.

It reads data and writes nothing: what it would write goes to a file without a name.
"""

import os
import signal
import time
from multiprocessing.connection import Connection

import cloudpickle

from cnnsweep.errors import UserError, one_line
from cnnsweep.process import postpone_collection, raise_on_stops
from cnnsweep.sweep.estimate.timing.orders import (
    Failed,
    Orders,
    Ready,
    Refused,
    Share,
    Unfit,
)
from cnnsweep.sweep.workers.watchdog import die_with_parent

_SPIN_SECONDS = 0.3


def main(lifeline_fd: int, setup_fd: int, connection_fd: int) -> None:
    """Obey the :class:`Orders` and send what comes out."""
    postpone_collection()
    die_with_parent(lifeline_fd)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise_on_stops()
    orders: Orders = cloudpickle.loads(os.pread(setup_fd, os.fstat(setup_fd).st_size, 0))
    connection = Connection(connection_fd)
    from cnnsweep.data.source_files import WouldDownload

    try:
        _obey(orders, connection)
    except WouldDownload as error:
        connection.send(Refused(str(error), is_download=True))
    except UserError as error:
        connection.send(Refused(str(error)))
    except Exception as error:  # noqa: BLE001 — somebody's module, somebody's error
        connection.send(Failed(one_line(error)))
    connection.send(None)


def share_of_core() -> float:
    """What this thread gets of a core just now, from 0 to 1, when it computes without a pause."""
    began, used = time.perf_counter(), time.thread_time()
    while (passed := time.perf_counter() - began) < _SPIN_SECONDS:
        sum(range(1000))
    return min(1.0, (time.thread_time() - used) / passed)


def _obey(orders: Orders, connection: Connection) -> None:
    from hydra.utils import execution_whitelist
    from omegaconf import OmegaConf

    import cnnsweep.run  # noqa: F401 — all that a run needs
    from cnnsweep.config.allowed_targets import allowed_targets
    from cnnsweep.data.source_files import without_downloads
    from cnnsweep.sweep.estimate.timing.steps import dataset_of, timed
    from cnnsweep.training.device import resolve_device, resolve_precision

    with execution_whitelist(allowed_targets()), without_downloads():
        connection.send(Ready())
        connection.send(Share(share_of_core()))
        for plain in orders.checked:
            resolve_precision(plain["precision"], resolve_device(plain["device"]))
            dataset_of(OmegaConf.create(dict(plain)))
        for plain in orders.timed:
            try:
                connection.send(timed(OmegaConf.create(dict(plain)), orders.seconds))
            except UserError as error:
                connection.send(Unfit(str(error)))
