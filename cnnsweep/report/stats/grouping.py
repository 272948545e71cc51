"""Runs that are averaged together: same data, split and epochs, same value of ``by``.

A mean over several settings, or with runs that never learned, is shown, but nothing is built on it:
no interval, no comparison.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from cnnsweep.folders.sweep_folder import SUMMARY_TABLE
from cnnsweep.report.read.run_record import FINGERPRINT, TUNED, Run
from cnnsweep.report.read.safe_io import Scalar
from cnnsweep.report.stats.group_keys import like_keys, mixed_keys, note_on_data
from cnnsweep.report.stats.intervals import Interval, mean_deviation
from cnnsweep.report.stats.metric import Metric
from cnnsweep.report.stats.nested import Nested, nested_of
from cnnsweep.report.stats.same_searches import note_on_same, same_searches

MOST_SHOWN = 40  # groups of a stratum in tables for reading
# Seed, what else differs in the group, the search where there are several of one choice.
Unit = tuple[object, tuple[tuple[str, Scalar], ...], Path | None]


@dataclass(slots=True)
class Group:
    """One line of the summary. ``units`` are what counts as one: a seed under one setting.

    Confirmation runs of several searches of one choice are ``nested``: seeds within searches. The
    mean is that of the searches' means, the deviation that of a run of a new search and seed, and
    the interval is over searches.
    """

    label: str
    stratum: str  # what its runs share with all they are compared with; see ``stratum_of``
    runs: list[Run]
    units: dict[Unit, float]
    mixes: list[str]  # hyperparameters that differ within the group
    mean: float
    deviation: float | None
    nested: Nested | None = None
    interval: Interval | None = None
    half_width: float | None = None  # of the interval; wider than half of one that is cut at 0 or 1

    @property
    def where(self) -> str:
        """The stratum to append to a name: `` (data=mnist)``; empty where there is only one."""
        return self.stratum and f" ({self.stratum})"

    @property
    def n(self) -> int:
        """How many values the mean has."""
        return len(self.units)

    @property
    def settings(self) -> int:
        """How many settings are mixed in it: 1 where its runs differ in nothing but the seed."""
        return len({setting for _, setting, _ in self.units})

    @property
    def from_searches(self) -> bool:
        """Whether its runs confirm a search that is one of several, even if only one has any."""
        return all(run.search for run in self.runs)

    def independent(self) -> list[float]:
        """The values that are independent of each other: of seeds, or means of searches."""
        return list(self.units.values()) if self.nested is None else self.nested.means

    def mean_of(self, name: str) -> float | None:
        """The mean of any metric over the runs; None where no run has it."""
        values = [value for run in self.runs if (value := run.metric(name)) is not None]
        return fmean(values) if values else None

    @property
    def unlearned(self) -> int:
        """How many of its runs never learned."""
        return sum(run.learned is False for run in self.runs)

    @property
    def is_sound(self) -> bool:
        """Whether its values are independent ones of a network that learned."""
        return not self.mixes and not self.unlearned


@dataclass(slots=True)
class Grouping:
    """All groups, best first within each stratum, and notes on what was and wasn't averaged."""

    by: list[str]
    groups: list[Group]
    notes: list[str]

    def strata(self) -> dict[str, list[Group]]:
        """Groups by stratum: by what must be equal to compare them."""
        strata: dict[str, list[Group]] = {}
        for group in self.groups:
            strata.setdefault(group.stratum, []).append(group)
        return strata


def group_runs(
    runs: Sequence[Run],
    metric: Metric,
    by: list[str],
    interval: Callable[[Sequence[float]], Interval | None],
) -> Grouping:
    """Groups of the completed runs that have the metric.

    Trials of a search count only where there are no other runs: they differ in more than the seed,
    and the best of them was chosen on validation.
    """
    usable = [r for r in runs if r.status == "completed" and r.metric(metric.name) is not None]
    chosen = [run for run in usable if run.role != "search"] or usable
    same = same_searches(runs)
    notes = _notes_on_choice(usable, chosen, metric) + note_on_same(same)
    like = like_keys(chosen, by)
    members: dict[tuple[str, str, object], list[Run]] = defaultdict(list)
    for run in chosen:  # by the values themselves: a label has the first digits of a long number
        exact = tuple(run.setting(key) for key in by)
        members[stratum_of(run, like), label_of(run, by), exact].append(run)
    kinds = ((key[:2], own, mixed_keys(own, [*by, *like])) for key, own in members.items())
    groups = [_group(key, own, mixes, metric, same, interval) for key, own, mixes in kinds]
    groups.sort(key=lambda g: (g.stratum, -metric.sign() * g.mean))
    grouping = Grouping(by, groups, notes + _notes_on_groups(groups, like))
    grouping.notes += _notes_on_limits(grouping)
    return grouping


def by_settings(grouping: Grouping) -> list[str]:
    """What to group by so that no group mixes settings."""
    mixed = (key for group in grouping.groups for key in group.mixes)
    return list(dict.fromkeys([*grouping.by, *mixed]))


def label_of(run: Run, by: list[str]) -> str:
    """The run's group: the values of the ``by`` columns."""
    named = [(key, run.setting(key)) for key in by]
    shown = [_nameless(run, k) if v is None else _short(v) for k, v in named]
    return (
        shown[0] if len(by) == 1 else ", ".join(f"{k}={v}" for k, v in zip(by, shown, strict=True))
    )


def _short(value: Scalar) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value).strip() or "''"


def _nameless(run: Run, key: str) -> str:
    """A value that is missing; another app's model goes by the app's name."""
    return "none" if run.ours or key != "model" else run.app or "another app"


def stratum_of(run: Run, like: Iterable[str]) -> str:
    """``data=mnist, epochs=5``; empty where ``like`` is, since all runs are alike."""
    return ", ".join(f"{key}={TUNED if key in run.tuned else run.configured(key)}" for key in like)


def _group(
    key: tuple[str, str],
    runs: list[Run],
    mixes: list[str],
    metric: Metric,
    same: dict[Path, Path],
    interval: Callable[[Sequence[float]], Interval | None],
) -> Group:
    values: dict[Unit, list[float]] = defaultdict(list)
    for run in runs:
        value = run.metric(metric.name)
        if value is not None:
            values[_unit(run, mixes, same)].append(value)
    units = {unit: fmean(several) for unit, several in values.items()}
    nested = None if mixes else nested_of(_by_search(units))
    mean, deviation = mean_deviation(list(units.values()))
    if nested is not None:
        mean, deviation = nested.mean, nested.deviation
    group = Group(key[1], key[0], runs, units, mixes, mean, deviation, nested)
    span = interval(group.independent()) if group.is_sound else None
    if span is not None:
        group.half_width = (span[1] - span[0]) / 2
        # An accuracy is nowhere but from 0 to 1.
        group.interval = (max(span[0], 0.0), min(span[1], 1.0)) if metric.percent else span
    return group


def _unit(run: Run, mixes: list[str], same: dict[Path, Path]) -> Unit:
    seed = run.seed if run.seed is not None else str(run.folder)
    settings = tuple((key, run.configured(key)) for key in mixes)
    return seed, settings, run.search and same.get(run.search, run.search)


def _by_search(units: dict[Unit, float]) -> list[list[float]]:
    """Values by search; [] where some are of no search that is one of several."""
    searches: dict[Path, list[float]] = defaultdict(list)
    for (_, _, search), value in units.items():
        if search is None:
            return []
        searches[search].append(value)
    return [*searches.values()]


def _notes_on_choice(usable: list[Run], chosen: list[Run], metric: Metric) -> list[str]:
    searched = sum(run.role == "search" for run in usable)
    if len(chosen) < len(usable):
        return [
            f"{searched} search trials are left out of the groups: they were tried to choose "
            "from, on validation; confirmation and single runs count."
        ]
    if searched:
        trials = f"{searched} trials of searches" if searched > 1 else "one trial of a search"
        return [
            f"The groups average {trials} for want of other runs with "
            f"{metric.name}: their spread is that of hyperparameters, and the best was chosen "
            "on validation."
        ]
    return []


def _notes_on_groups(groups: list[Group], like: list[str]) -> list[str]:
    notes = []
    if like:
        notes.append(
            f"Runs differ in {', '.join(like)}: groups are compared within equal values only."
        )
    if FINGERPRINT in like:
        notes.append(note_on_data([run for group in groups for run in group.runs]))
    for group in groups:
        repeated = len(group.runs) - group.n
        if group.mixes:
            keys = ", ".join(group.mixes[:4]) + (", …" if len(group.mixes) > 4 else "")
            notes.append(
                f"{group.label}{group.where} mixes {group.settings} settings ({keys}): its "
                "deviation is not that of seeds alone, and it has no interval."
            )
        if repeated > 0:
            notes.append(
                f"{group.label}{group.where}: {repeated} runs repeat the config and seed of "
                "another; the mean of such runs counts once."
            )
    return notes


def _notes_on_limits(grouping: Grouping) -> list[str]:
    return [
        f"Tables show the best {MOST_SHOWN} of {len(groups)} groups{groups[0].where}; "
        f"{SUMMARY_TABLE} has all."
        for groups in grouping.strata().values()
        if len(groups) > MOST_SHOWN
    ]
