"""How many workers a sweep has, and why: decided once a launch, before its first trial."""

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from cnnsweep.machine.cores import within
from cnnsweep.sweep.machine.facts import Machine

AUTO = "auto"
GIBIBYTE = 2**30  # of free memory for each worker: torch, a small data set and a small network
_KEY = "hydra.sweeper.n_jobs"


@dataclass(frozen=True)
class Limit:
    """No more workers than ``count``, and the reason in words."""

    count: int
    reason: str


@dataclass(frozen=True)
class Workers:
    """How many workers of how many CPU threads each; ``lines`` say so before the first trial."""

    count: int
    lines: tuple[str, ...]


def decide(
    typed: int | str,
    devices: Sequence[Any] | None,
    threads: Collection[int | None],
    limits: Sequence[Limit],
    *,
    kept_threads: bool,
    cores: Limit | None,
    most: Limit | None = None,
    each: str = "",
) -> Workers:
    """The number that was typed, by itself or as a list of GPUs; else the smallest limit.

    Never more than ``most``.

    ``threads`` has the CPU threads of a worker (None: an app of one's own sees to it), of one
    search as a rule; ``kept_threads`` says that an earlier launch has fixed them. ``limits`` are
    all that hold for workers, the first of equal ones is named. ``cores`` is how many threads run
    at a time, None where workers run elsewhere. ``each`` says what a worker has beside threads.
    """
    held = [] if most is None else [most]
    least = min([*limits, *held], key=lambda limit: limit.count)
    auto = Limit(max(1, least.count), least.reason)
    if typed != AUTO:
        chosen = Limit(int(typed), f"{_KEY}={typed}")
    elif devices is not None:
        named = ",".join(map(str, devices))
        chosen = Limit(len(devices), f"hydra.sweeper.devices=[{named}]")
    else:
        chosen = auto
    chosen = min([chosen, *held], key=lambda limit: limit.count)
    of_threads = _threads(threads) + (" as at the first launch" if kept_threads else "")
    of_threads += each
    lines = [*_lines(chosen, auto, of_threads), *_note_on_threads(threads, cores)]
    return Workers(chosen.count, tuple(lines))


def _lines(chosen: Limit, auto: Limit, of_threads: str) -> Iterator[str]:
    crew = f"{counted(chosen.count, 'worker')}{of_threads}: {chosen.reason}"
    if chosen is auto:
        yield f"{crew}; {_KEY}=… for another number"
        return
    yield f"{crew} (auto: {auto.count})"
    if chosen.count > auto.count:
        yield (
            f"note: {chosen.count} workers are more than is sensible: auto takes {auto.count} "
            f"({auto.reason})"
        )


def _note_on_threads(threads: Collection[int | None], cores: Limit | None) -> Iterator[str]:
    most = max((number or 1 for number in threads), default=1)
    if cores is not None and most > cores.count:
        yield f"note: {most} threads in a worker are more than {cores.reason} can run at a time"


def limits_of(machine: Machine, threads: int) -> list[Limit]:
    """How many workers of so many threads a machine has room for, one on each GPU it has."""
    running = cores_of(machine)
    limits = [Limit(running.count // threads, running.reason)]
    if machine.free_memory is not None:
        free = machine.free_memory / GIBIBYTE
        limits.append(Limit(int(free), f"{free:.1f} GiB of free memory, 1 GiB each"))
    if machine.gpus:
        limits.append(Limit(len(machine.gpus), counted(len(machine.gpus), "GPU")))
    return limits


def cores_of(machine: Machine) -> Limit:
    """How many threads a machine runs at a time for us; half a core of a quota counts as one."""
    if machine.quota is not None and math.ceil(machine.quota) <= machine.cores:
        cores = "core" if machine.quota == 1 else "cores"
        return Limit(within(machine.quota, machine.cores), f"a quota of {machine.quota:g} {cores}")
    return Limit(machine.cores, counted(machine.cores, "physical core"))


def counted(count: int, name: str) -> str:
    """A number of things, in words."""
    return f"{count} {name}" if count == 1 else f"{count} {name}s"


def _threads(threads: Collection[int | None]) -> str:
    numbers = sorted({number for number in threads if number is not None})
    if not numbers:
        return ""
    return f" of {' or '.join(map(str, numbers))} thread{'' if numbers == [1] else 's'}"
