"""Has processes beside this one check runs, and time some steps of them, side by side."""

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from pathlib import Path
from statistics import fmean
from typing import Any

import cloudpickle

from cnnsweep.errors import UserError
from cnnsweep.sweep.estimate.costs import Cost, mean
from cnnsweep.sweep.estimate.timing.orders import (
    Failed,
    Orders,
    Ready,
    Refused,
    Share,
    Timed,
    Unfit,
)
from cnnsweep.sweep.machine.gpus import Gpu
from cnnsweep.sweep.workers.child_process import ChildProcess

MOST_PROCESSES = 8  # each has torch in memory
MOST_SECONDS = 60.0
DIED = Failed("a process that timed steps died")
_MODULE = "cnnsweep.sweep.estimate.timing.process"
_END_SECONDS = 2.0
_Message = Timed | Unfit | Ready | Share | Refused | Failed
_SECONDS, _ALL_SECONDS = 0.6, 3.6  # of training steps: of a config, and of all of them


@dataclass
class Measured:
    """What came out: ``note`` says why less than was wanted.

    ``start``: seconds of a worker's start, reading data included. ``costs``: of each config that
    was timed, None where its runs could not begin, for which ``unfit`` has reasons.
    ``processes`` did so side by side, and each got the ``share`` of a core. ``validated``: images
    to validate with.
    """

    start: float = 0.0
    costs: list[Cost | None] = field(default_factory=list)
    processes: int = 0
    share: float = 1.0
    validated: int = 0
    note: str | None = None
    unfit: list[str] = field(default_factory=list)


def measure(
    checked: Sequence[Mapping[str, Any]],
    timed: Sequence[Mapping[str, Any]],
    gpus: Sequence[Gpu],
    environment: Mapping[str, str],
) -> Measured:
    """Check the data and devices of some resolved configs, and time some; ``gpus``: of each worker.

    Raises:
        UserError: a run could not begin; says why as the run would.
    """
    seconds = min(_SECONDS, _ALL_SECONDS / max(1, len(timed)))
    setup = cloudpickle.dumps(Orders(checked, timed, seconds))
    here = dict(environment) | dict(os.environ)
    began = time.monotonic()
    children = [
        ChildProcess(_MODULE, setup, Path(os.devnull), here | gpu.environment())
        for gpu in gpus[:MOST_PROCESSES]
    ]
    try:
        return _gathered(children, began)
    finally:
        for child in children:
            child.end(_END_SECONDS if child.process.poll() is None else 0.0)
            child.connections[0].close()


def _gathered(children: Sequence[ChildProcess], began: float) -> Measured:
    """What all of them say, on average; one that ends before its time says nothing."""
    said = {child.connections[0]: list[Timed | Unfit]() for child in children}
    going, found, starts = set(said), Measured(processes=len(children)), list[float]()
    shares = list[float]()
    while going and time.monotonic() - began < MOST_SECONDS:
        for ready in wait(going, timeout=1.0):
            connection: Any = ready
            message = _received(connection)
            if message is None or message == DIED:
                going.discard(connection)
            if message is None:
                continue
            if isinstance(message, Timed | Unfit):
                said[connection].append(message)
            elif isinstance(message, Ready):
                starts.append(time.monotonic() - began)
            elif isinstance(message, Share):
                shares.append(message.of_core)
            elif isinstance(message, Refused) and not message.is_download:
                raise UserError(message.line)
            else:
                found.note = message.line
    if going and found.note is None:
        found.note = f"timing some steps took more than {MOST_SECONDS:g} s"
    found.share = fmean(shares) if shares else 1.0
    return _settled(found, starts, list(said.values()))


def _received(connection: Any) -> _Message | None:
    """None: no more will come."""
    try:
        message: _Message | None = connection.recv()
    except (EOFError, OSError):
        return DIED
    return message


def _settled(
    found: Measured, starts: Sequence[float], said: Sequence[Sequence[Timed | Unfit]]
) -> Measured:
    whole = [list(one) for one in said if len(one) == max(map(len, said), default=0)]
    for column in zip(*whole, strict=True):
        timed = [one for one in column if isinstance(one, Timed)]
        found.costs.append(mean([one.cost for one in timed]) if timed else None)
        found.unfit += [one.line for one in column[:1] if isinstance(one, Unfit)]
        found.validated = max([found.validated, *(one.validated for one in timed)])
    once = [sum(one.once for one in each if isinstance(one, Timed)) for each in whole]
    found.start = max(starts, default=0.0) + max(once, default=0.0)
    return found
