"""How many CPU threads a run has: typed, kept on resume, or found by timing; it never changes."""

import logging
from collections.abc import Mapping
from statistics import median
from typing import Any

import torch
from omegaconf import DictConfig

from cnnsweep.folders.result import Outcome
from cnnsweep.machine.cores import usable_cores
from cnnsweep.training.busy_machine import minding_other_programs
from cnnsweep.training.threads import (
    threads_typed_for_all,
    time_steps,
    trial_step,
    use_threads,
    worthwhile,
)
from cnnsweep.training.trainer import Trainer

log = logging.getLogger(__name__)


def use_most_threads(config: DictConfig, state: Mapping[str, Any] | None) -> None:
    """Use the number that is typed or resumed, else the most that may be worth it.

    ``state`` is what last.pt holds: equal bytes need equal threads, so a run keeps its own.
    OMP_NUM_THREADS counts as typed where the config says ``auto``.
    """
    if config.threads != "auto":
        use_threads(config.threads)
    elif state is not None:
        use_threads(state["threads"])
    else:
        use_threads(threads_typed_for_all() or usable_cores())


def settle_threads(
    config: DictConfig,
    state: Mapping[str, Any] | None,
    outcome: Outcome,
    trainer: Trainer,
    device: torch.device,
) -> int:
    """Use, record and return the number for good: as `use_most_threads` left it, or fewer.

    Steps are timed where nothing is typed, in a run on a CPU that begins and is not compiled:
    compiled code is made for a number of threads.
    """
    threads = torch.get_num_threads()
    is_open = config.threads == "auto" and threads_typed_for_all() is None and state is None
    if is_open and threads > 1 and device.type == "cpu" and not config.compile:
        step = trial_step(trainer)
        with minding_other_programs(threads):
            seconds = {} if step is None else time_steps(step, threads)
        threads = use_threads(worthwhile(seconds, threads))
        if seconds:
            timed = "; ".join(
                f"{number}: {1e3 * min(taken):.2f}, {1e3 * median(taken):.2f}"
                for number, taken in seconds.items()
            )
            log.info(
                "milliseconds of a step by threads (least, median) %s; taken: %d", timed, threads
            )
    outcome.threads = threads
    if config.threads == "auto" and outcome.command is not None:
        outcome.command += f" threads={threads}"
    return threads
