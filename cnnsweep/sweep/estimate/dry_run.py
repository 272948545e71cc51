"""What a sweep would do, how long it would take, and how much disk: said, and nothing done."""

import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import psutil

from cnnsweep.sweep.estimate.estimated import Around, Estimate, Priced, estimate
from cnnsweep.sweep.estimate.in_words import about, size
from cnnsweep.sweep.estimate.outlook import Outlook
from cnnsweep.sweep.estimate.prices import Prices, prices_of
from cnnsweep.sweep.machine.facts import Machine
from cnnsweep.sweep.machine.sizing import Crew
from cnnsweep.sweep.spec.compose import SweepContext

_JOB, _REPORT, _ROW = 0.06, 1.0, 0.001  # in starts of a worker: of a job, a report, a run in it


def dry_run_lines(
    context: SweepContext,
    studies: Sequence[Outlook],
    crew: Crew,
    machine: Machine,
    timeout: float | None,
) -> Iterator[str]:
    """The lines of a dry run after those of the sweep's announcement.

    Raises:
        UserError: a run could not begin: its data are not there, or its device.
    """
    before = time.time() - psutil.Process().create_time()  # what the sweep itself would have taken
    for study in studies:
        yield from study.lines
    if not context.is_our_task:
        yield "time and disk: nothing is known of an app's own runs before they are trained"
    elif not any(study.trials or study.confirm for study in studies):
        yield "nothing is left to train"
    else:
        confirms = any(study.confirm for study in studies)
        configs = [config for study in studies for config in study.configs]
        prices = prices_of(context, configs, crew, machine, confirms=confirms)
        yield from _estimated(context, studies, prices, crew, before, timeout)
    yield "dry run: nothing was trained or written"


def no_downloads(context: SweepContext) -> AbstractContextManager[None]:
    """Where an earlier launch has left runs their data are compared with those of now."""
    if not context.is_our_task or not context.folder.exists():
        return nullcontext()
    from cnnsweep.data.source_files import without_downloads  # torch

    return without_downloads()


def _estimated(
    context: SweepContext,
    studies: Sequence[Outlook],
    prices: Prices,
    crew: Crew,
    before: float,
    timeout: float | None,
) -> Iterator[str]:
    basis = "; ".join(prices.basis)
    if prices.costs is None:
        yield f"time and disk are not known: {basis}"
        return
    runs = sum(len(study.trials) + study.confirm for study in studies)
    start = prices.start
    around = Around(before, start, _JOB * start, start * (_REPORT + _ROW * runs), prices.finish)
    found = estimate(_priced(studies, prices), len(crew.gpus), around, timeout)
    yield from _of_time(studies, found, basis, crew, timeout)
    yield _of_disk(context.folder, found)


def _priced(studies: Sequence[Outlook], prices: Prices) -> list[Priced]:
    assert prices.costs is not None
    costs, found = list(prices.costs), list[Priced]()
    for study in studies:
        steps = 1 / prices.validated if study.in_steps and prices.validated else 0.0
        found.append(Priced(study, costs[: len(study.configs)], steps))
        costs = costs[len(study.configs) :]
    return found


def _of_time(
    studies: Sequence[Outlook], found: Estimate, basis: str, crew: Crew, timeout: float | None
) -> Iterator[str]:
    at_most = found.at_most or crew.stack > 1
    yield f"time: {'at most ' if at_most else ''}{about(found.seconds)}, {basis}"
    pruners = sorted({study.pruner for study in studies if study.pruner is not None})
    if pruners:
        yield f"  were no trial ended early: how many {', '.join(pruners)} ends nobody knows before"
    if found.trained is not None:
        most = sum(
            study.pausing.epochs * study.pausing.unbegun for study in studies if study.pausing
        )
        yield f"  freeze_thaw trains about {found.trained} epochs, by curves as they often are" + (
            f", of {most} in all" if most else ""
        )
    if timeout is not None:
        yield f"  no trial begins after hydra.sweeper.timeout={timeout:g} s"
    if crew.stack > 1:
        yield f"  as if the {crew.stack} of a stack took turns: together they are faster"


def _of_disk(folder: Path, found: Estimate) -> str:
    existing = next(place for place in (folder, *folder.parents) if place.exists())
    free = shutil.disk_usage(existing).free
    line = f"disk: up to {size(found.bytes)} more when it is over, of {size(free)} free"
    return f"{line}: too little" if found.bytes > free else line
