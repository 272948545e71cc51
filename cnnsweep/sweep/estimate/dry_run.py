"""What a sweep would do, how long it would take, and how much disk: said, and nothing done."""

import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import psutil

from cnnsweep.sweep.estimate.estimated import Around, Estimate, Priced, estimate
from cnnsweep.sweep.estimate.in_words import about, size
from cnnsweep.sweep.estimate.outlook import Outlook, Pausing
from cnnsweep.sweep.estimate.prices import Prices, prices_of
from cnnsweep.sweep.machine.facts import Machine
from cnnsweep.sweep.machine.sizing import Crew
from cnnsweep.sweep.spec.compose import SweepContext

_BUSY, _LEAST_SHARE = 0.8, 0.05  # shares of a core
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
    yield from study_lines(studies)
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


def study_lines(studies: Sequence[Outlook]) -> Iterator[str]:
    """Each line once; it names those that it is true of, unless of all."""
    names: dict[str, list[str]] = {}
    told = [study for study in studies if study.lines]
    for study in told:
        for line in dict.fromkeys(study.lines):
            names.setdefault(line, []).append(study.name)
    for line, of in names.items():
        yield f"  {line}" if len(of) == len(told) else f"  {', '.join(of)}: {line}"


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
    if prices.costs is None:
        yield f"time and disk are not known: {prices.basis}"
        return
    runs = sum(len(study.trials) + study.confirm for study in studies)
    start = prices.start
    around = Around(before, start, _JOB * start, start * (_REPORT + _ROW * runs), prices.finish)
    found = estimate(_priced(studies, prices), len(crew.gpus), around, timeout)
    if found.is_nothing:
        yield "nothing is left to train"
        return
    yield from _of_time(studies, found, prices, crew, timeout)
    yield from prices.notes
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
    studies: Sequence[Outlook], found: Estimate, prices: Prices, crew: Crew, timeout: float | None
) -> Iterator[str]:
    at_most = found.at_most or crew.stack > 1
    yield f"time: {'at most ' if at_most else ''}{about(found.seconds)}, {prices.basis}"
    if prices.share < _BUSY:
        yield f"  {busy_line(found.seconds, prices)}"
    pruners = sorted({study.pruner for study in studies if study.pruner is not None})
    if pruners:
        yield f"  were no trial ended early: how many {', '.join(pruners)} ends nobody knows before"
    if found.trained is not None:
        yield f"  {epochs_line(found.trained, [one.pausing for one in studies if one.pausing])}"
    if timeout is not None:
        yield f"  no trial begins after hydra.sweeper.timeout={timeout:g} s"
    if crew.stack > 1:
        yield f"  as if the {crew.stack} of a stack took turns: together they are faster"


def busy_line(seconds: float, prices: Prices) -> str:
    """How much the time depends on what else the machine does: more the busier it is."""
    share = max(prices.share, _LEAST_SHARE)
    idle, busy = (seconds * share, seconds) if prices.timed else (seconds, seconds / share)
    return (
        f"the machine is busy: a run gets about {round(100 * prices.share)} % of what it would get "
        f"of a core were nothing else at work; {about(idle)} then, {about(busy)} if it stays busy"
    )


def epochs_line(trained: int, pausing: Sequence[Pausing]) -> str:
    """The epochs to come, of all that the trials have, and of those the ones trained before."""
    whole = sum(one.epochs * (one.unbegun + len(one.curves)) for one in pausing)
    before = sum(len(curve.values) for one in pausing for curve in one.curves)
    line = f"freeze_thaw trains about {trained} {'more ' if before else ''}"
    line += f"{'epoch' if trained == 1 else 'epochs'}, by curves as they often are, of {whole} in "
    return f"{line}all, {before} of which are trained" if before else f"{line}all"


def _of_disk(folder: Path, found: Estimate) -> str:
    existing = next(place for place in (folder, *folder.parents) if place.exists())
    free = shutil.disk_usage(existing).free
    line = f"disk: up to {size(found.bytes)} more when it is over, of {size(free)} free"
    return f"{line}: too little" if found.bytes > free else line
