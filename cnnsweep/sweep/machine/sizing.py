"""The workers of one launch: their number, what is said about it, and the GPU of each."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from omegaconf import DictConfig

from cnnsweep.config.launchers import gives_gpus, most_at_once, runs_here
from cnnsweep.sweep.machine.facts import Machine
from cnnsweep.sweep.machine.gpus import devices_of_slots
from cnnsweep.sweep.machine.workers import Limit, Workers, cores_of, decide, limits_of


@dataclass(frozen=True)
class Work:
    """What there is to do.

    ``limit`` says how many runs may go side by side at all. ``threads`` are the CPU threads of a
    run (None: an app of one's own sees to it) and ``devices`` the values of its key ``device``
    (None: it has no such key), of all searches. ``kept_threads``: an earlier launch fixed them.
    """

    limit: Limit
    threads: Collection[int | None]
    devices: Collection[object]
    kept_threads: bool = False


@dataclass(frozen=True)
class Crew:
    """``devices`` has a CUDA_VISIBLE_DEVICES for each worker, None where it stays as it is."""

    devices: list[str | None]
    lines: tuple[str, ...]


def make_crew(
    config: DictConfig,
    n_jobs: int | str,
    devices: Sequence[Any] | None,
    machine: Machine,
    work: Work,
) -> Crew:
    """Decide on the workers of a sweep's config, whose launcher may have machines of its own.

    Raises:
        UserError: one of ``devices`` is not there.
    """
    here = runs_here(config)
    threads = max((number or 1 for number in work.threads), default=1)
    limits = []
    if here:
        used = _gpus_used(config, machine, work.devices)
        limits += limits_of(replace(machine, gpus=used), threads)
    launchers = most_at_once(config)
    if launchers is not None:
        limits.append(Limit(*launchers))
    limits.append(work.limit)
    workers: Workers = decide(
        n_jobs,
        devices,
        work.threads,
        limits,
        kept_threads=work.kept_threads,
        cores=cores_of(machine) if here else None,
    )
    if gives_gpus(config) or (devices is None and _one_gpu(work.devices)):
        return Crew([None] * workers.count, workers.lines)
    return Crew(devices_of_slots(devices, machine.gpus, workers.count), workers.lines)


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
