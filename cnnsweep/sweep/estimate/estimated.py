"""How long a sweep will take and how much disk, from what its runs cost: plain numbers."""

from collections.abc import Sequence
from dataclasses import dataclass

from cnnsweep.sweep.estimate.costs import Cost
from cnnsweep.sweep.estimate.outlook import Outlook, Pausing
from cnnsweep.sweep.estimate.simulate import Queue, Source, makespan
from cnnsweep.sweep.estimate.thawing import MOST_EPOCHS, Thawing
from cnnsweep.sweep.freeze_thaw.rule import AUTO_SHARE

_STUDY = 6_000  # bytes of a trial in the study, and of an epoch:
_STEP = 250
_REPORT = 1_000_000  # bytes of a report, and of each run in it
_ROW = 5_000


@dataclass(frozen=True)
class Around:
    """Seconds of a sweep beside its runs.

    ``before`` the launching process takes to its first job, ``start`` a worker to begin it, ``job``
    a worker for each job beside the run, ``after`` the report takes, and ``finish`` a confirmation
    run for what trials do not do.
    """

    before: float
    start: float
    job: float
    after: float
    finish: float


@dataclass(frozen=True)
class Estimate:
    """Seconds on the wall, and bytes in the sweep folder when it is over; ``at_most`` where fewer
    seconds are likely.

    ``trained`` are the epochs that pausing searches spend. ``is_nothing``: no run is left.
    """

    seconds: float
    bytes: float
    at_most: bool
    trained: int | None
    is_nothing: bool = False


@dataclass(frozen=True)
class Priced:
    """A study's outlook with the cost of each of its configs."""

    outlook: Outlook
    costs: Sequence[Cost]
    steps: float = 0.0  # between two values of the objective


def estimate(
    studies: Sequence[Priced], workers: int, around: Around, timeout: float | None
) -> Estimate:
    """What the studies come to, whose jobs go to ``workers`` that all of them share.

    First all trials, then all confirmation runs. After ``timeout`` seconds no trial is begun, so
    that a sweep with one takes little longer.
    """
    sources = [_source(study, around.job) for study in studies]
    trials = makespan(sources, workers, around.start)
    is_nothing = not trials and not any(study.outlook.confirm for study in studies)
    if timeout is not None:
        trials = min(trials, timeout)
    each = around.job + around.finish
    confirmed = makespan([Queue(_confirmations(study, each)) for study in studies], workers)
    trained = [n for n in map(_trained, studies, sources) if n is not None]
    return Estimate(
        around.before + trials + confirmed + around.after,
        sum(map(_bytes, studies, sources)) + _REPORT,
        any(study.outlook.pruner is not None for study in studies) or timeout is not None,
        sum(trained) if trained else None,
        is_nothing,
    )


def _source(study: Priced, job: float) -> Source:
    outlook, costs = study.outlook, study.costs
    pausing = outlook.pausing
    if pausing is None:
        return Queue(
            outlook.seeds * (job + costs[t.config].seconds(t.epochs)) for t in outlook.trials
        )
    if pausing.epochs * (len(pausing.curves) + pausing.unbegun) > MOST_EPOCHS:
        return Queue(_roughly(study, job))

    def of(number: int) -> Cost:
        return costs[number % len(costs)]

    return Thawing(
        pausing.terms,
        pausing.epochs,
        pausing.unbegun,
        begin=lambda number: outlook.seeds * (job + of(number).begin),
        epoch=lambda number: outlook.seeds * of(number).epoch,
        end=lambda number: outlook.seeds * of(number).end,
        step=study.steps,
        known=pausing.curves,
    )


def _roughly(study: Priced, job: float) -> list[float]:
    """Of a search too large to be played through: its share of all epochs, evenly."""
    pausing = study.outlook.pausing
    assert pausing is not None
    trials = pausing.unbegun + len(pausing.curves)
    left = _epochs_left(pausing) / max(1, trials)
    return [
        study.outlook.seeds * (job + study.costs[k % len(study.costs)].seconds(left))
        for k in range(trials)
    ]


def _epochs_left(pausing: Pausing) -> float:
    """The epochs that a search has yet to spend, where first epochs tell."""
    budget = pausing.terms.budget
    share = AUTO_SHARE if budget == "auto" else budget
    trials = pausing.unbegun + len(pausing.curves)
    trained = sum(len(curve.values) for curve in pausing.curves)
    return max(0.0, share * trials * pausing.epochs - trained)


def _trained(study: Priced, source: Source) -> int | None:
    """The epochs that a search which pauses trains; None of another."""
    pausing = study.outlook.pausing
    if pausing is None:
        return None
    if isinstance(source, Thawing):
        return source.trained
    return round(_epochs_left(pausing))


def _confirmations(study: Priced, job: float) -> list[float]:
    outlook = study.outlook
    each = sum(cost.seconds(outlook.epochs) for cost in study.costs) / max(1, len(study.costs))
    return [job + each] * outlook.confirm


def _bytes(study: Priced, source: Source) -> float:
    """What is there at the end: checkpoints that are kept, and all else of each run."""
    outlook, costs = study.outlook, study.costs
    if not costs:
        return 0.0
    pausing = outlook.pausing
    trials = len(outlook.trials)
    if isinstance(source, Thawing) and pausing is not None:  # a paused one has its files by now
        trials = pausing.unbegun - source.unbegun
    both = max(cost.best + cost.last for cost in costs)  # nobody knows which run will win
    other = sum(cost.other for cost in costs) / len(costs)
    kept = trials if outlook.kept is None else min(trials, outlook.kept)
    if isinstance(source, Thawing):
        kept = min(trials, kept + source.paused)
    elif pausing is not None:
        kept = trials
    runs = outlook.seeds * trials + outlook.confirm
    planned = sum(trial.epochs for trial in outlook.trials)
    epochs = source.trained if isinstance(source, Thawing) else planned
    study_bytes = trials * _STUDY + epochs * _STEP + runs * _ROW
    return runs * other + (outlook.seeds * kept + outlook.confirm) * both + study_bytes
