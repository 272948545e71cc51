"""A worker that changes its trial at each epoch: ``switching_app.py OUT.json SWITCHES WORD…``.

The command line of a search, whose sweeper hands two trials in turn to one worker, which is told to
pause after each epoch, and then a third, which goes on. OUT.json gets the wall and the CPU seconds
of the worker for each epoch: ``switched`` from the job to its end, ``went_on`` from one epoch's
message to the next.
"""

import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import psutil
from hydra.core.hydra_config import HydraConfig
from hydra.core.singleton import Singleton

from cnnsweep.cli import main
from cnnsweep.sweep.spec.compose import SweepContext, typed_overrides
from cnnsweep.sweep.spec.messages import Epoch, Finished, Job
from cnnsweep.sweep.sweeper import CnnSweeper
from cnnsweep.sweep.workers.pool import Pool
from cnnsweep.sweep.workers.worker_main import Setup

Seconds = tuple[float, float]  # of a clock, of the worker's CPU time


def measure(context: SweepContext, typed: Sequence[str], switches: int) -> dict[str, list[Seconds]]:
    """Seconds of each epoch but the first two of a trial."""
    HydraConfig.instance().set_config(context.config)
    setup = Setup(context, Singleton.get_state(), None)
    pool = Pool(context.folder / "workers", setup, [None])
    found: dict[str, list[Seconds]] = {"switched": [], "went_on": []}
    for turn in range(switches + 4):
        begun = _now()
        for _ in _epochs(pool, _job(typed, turn % 2), turn // 2):
            pass
        if turn >= 4:  # those before imported torch, or had to be composed
            found["switched"].append(_since(begun))
    seen = [_now() for _ in _epochs(pool, _job(typed, 2), switches)]
    found["went_on"] = [_since(a, b) for a, b in pairwise(seen[1:])]
    pool.close(grace=5.0, stop=False)
    return found


def _job(typed: Sequence[str], number: int) -> Job:
    words = (*typed, "test=false", "pictures=false", "threads=1", f"optim.lr=0.0{number + 1}")
    return Job(0, number, 0, str(number), number, words, is_prunable=True)


def _epochs(pool: Pool, job: Job, before: int) -> Iterator[int]:
    """The job's epochs as their messages come; it is told to pause after ``before`` and one."""
    pool.give(0, job)
    while pool.job(0) is not None:
        for _, _, message in pool.messages(1.0):
            if isinstance(message, Epoch):
                yield message.number
                pool.answer(0, "go_on" if message.number <= before else "pause")
            if isinstance(message, Finished) and message.reason != "paused":
                raise SystemExit(f"a job {message.reason}: {message.error}")


def _now() -> Seconds:
    cpu = 0.0
    for child in psutil.Process().children():
        with suppress(psutil.NoSuchProcess):
            cpu += sum(child.cpu_times()[:2])
    return time.perf_counter(), cpu


def _since(begun: Seconds, ended: Seconds | None = None) -> Seconds:
    wall, cpu = ended or _now()
    return wall - begun[0], cpu - begun[1]


if __name__ == "__main__":
    out, count = Path(sys.argv[1]), int(sys.argv[2])

    def sweep(self: CnnSweeper, arguments: list[str]) -> None:
        """In place of a search."""
        found = measure(SweepContext(*self._handed), typed_overrides(arguments), count)
        out.write_text(json.dumps(found))

    CnnSweeper.sweep = sweep  # type: ignore[method-assign]
    sys.argv = ["cnnsweep", *sys.argv[3:]]
    main()
