"""The workers of one launch: their number, what is said about it, and the GPU of each."""

import math
import os
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from omegaconf import DictConfig

from cnnsweep.config.launchers import gives_gpus, most_at_once, runs_here
from cnnsweep.machine.gpu_share import NONE, VARIABLE
from cnnsweep.sweep.machine.facts import Machine
from cnnsweep.sweep.machine.gpus import Gpu, devices_of_slots, gpus_of_workers
from cnnsweep.sweep.machine.workers import (
    AUTO,
    Limit,
    Workers,
    cores_of,
    counted,
    decide,
    limits_of,
)

MOST_STACKED = 16  # runs in a worker by ``auto``; which number is best was not measured yet
_THREADS = "OMP_NUM_THREADS"  # what torch, NumPy and others take where an app says nothing


class Keys(Protocol):
    """Those of the sweeper's keys that are about workers."""

    n_jobs: Any
    stack: Any
    devices: list[Any] | None


@dataclass(frozen=True)
class Work:
    """What there is to do.

    ``limit`` says how many runs may go side by side at all. ``threads`` and ``devices`` are the
    values that runs have of the keys ``threads`` and ``device``, None where an app of one's own has
    no such key; ``auto`` threads are all that there are. ``kept_threads``: an earlier launch has
    fixed them. ``most`` holds for a number that is typed, too. ``noun`` is what a run is of.
    ``may_stack``: several runs can share a worker.
    """

    limit: Limit
    threads: Sequence[object]
    devices: Collection[object]
    kept_threads: bool = False
    most: Limit | None = None
    noun: str = "trial"
    may_stack: bool = True


@dataclass(frozen=True)
class Crew:
    """``gpus`` has that of each worker.

    ``stack`` is how many runs each has at a time. ``lines`` are for a person. ``environment`` holds
    for all workers, unless it is set already.
    """

    gpus: list[Gpu]
    lines: tuple[str, ...]
    environment: dict[str, str]
    stack: int = 1

    @property
    def devices(self) -> list[str | None]:
        """CUDA_VISIBLE_DEVICES of each worker, None where it stays as it is."""
        return [gpu.visible for gpu in self.gpus]


def make_crew(config: DictConfig, settings: Keys, machine: Machine, work: Work) -> Crew:
    """Decide on the workers of a sweep's config, whose launcher may have machines of its own.

    Raises:
        UserError: one of the devices is not there.
    """
    here, devices = runs_here(config), settings.devices
    cores = cores_of(machine)
    threads = [_number(value, cores.count) for value in work.threads]
    limits = []
    used: tuple[str, ...] = ()
    if here:
        used = _gpus_used(config, machine, work.devices)
        limits += limits_of(replace(machine, gpus=used), max((n or 1 for n in threads), default=1))
    launchers = most_at_once(config)
    if launchers is not None:
        limits.append(Limit(*launchers))

    def with_stack(stack: int) -> Workers:
        limit, most = work.limit, work.most
        return decide(
            settings.n_jobs,
            devices,
            threads,
            [*limits, replace(limit, count=math.ceil(limit.count / stack))],
            kept_threads=work.kept_threads,
            cores=cores if here else None,
            most=None if most is None else replace(most, count=max(1, most.count // stack)),
            each="" if stack == 1 else f", {counted(stack, work.noun)} each",
        )

    stack = _stack(settings.stack, work, with_stack(1).count if used else None)
    workers = with_stack(stack)
    share_one = devices is None and not gives_gpus(config) and _one_gpu(work.devices)
    if gives_gpus(config) or share_one:
        slots: list[str | None] = [None] * workers.count
    else:
        slots = devices_of_slots(devices, machine.gpus, workers.count)
    share = max(1, cores.count // workers.count)
    is_own_app = here and all(number is None for number in threads)
    gpus = gpus_of_workers(slots, share_one=share_one)
    lines = (*workers.lines, *_note_on_shares(gpus, work.devices))
    return Crew(gpus, lines, {_THREADS: str(share)} if is_own_app else {}, stack)


def _stack(typed: int | str, work: Work, workers: int | None) -> int:
    """How many runs a worker has at a time; ``workers`` are those on GPUs, None on the CPU."""
    if typed != AUTO:
        wanted = int(typed)
    elif workers is None or not work.may_stack:
        return 1
    else:
        wanted = max(1, min(MOST_STACKED, work.limit.count // workers))
    return wanted if work.most is None else min(wanted, work.most.count)


def _note_on_shares(gpus: Sequence[Gpu], devices: Collection[object]) -> Iterator[str]:
    """A line on GPUs that several workers share, where runs use one."""
    most = max(gpu.workers for gpu in gpus)
    if most > 1 and os.environ.get(VARIABLE) != NONE and any(device != "cpu" for device in devices):
        yield f"up to {most} workers share a GPU: each has that part of its memory and no more"


def _number(threads: object, cores: int) -> int | None:
    """Threads of a run, which a grid has as text; None where the app has no such key of ours."""
    if threads == "auto":
        return cores
    text = str(threads)
    return int(text) if text.isdecimal() and int(text) > 0 else None


def _gpus_used(
    config: DictConfig, machine: Machine, devices: Collection[object]
) -> tuple[str, ...]:
    """The GPUs among which the runs are shared out; none where they run on the CPU."""
    if gives_gpus(config) or all(device == "cpu" for device in devices):
        return ()
    return machine.gpus[:1] if _one_gpu(devices) else machine.gpus


def _one_gpu(devices: Collection[object]) -> bool:
    """Whether all runs name the same GPU, by its number among those that are visible to us."""
    return all(str(device).startswith("cuda:") for device in devices) and len({*devices}) == 1
