"""All charts of a report, in the order in which they are read."""

from collections.abc import Container, Sequence
from dataclasses import dataclass
from pathlib import Path

from cnnsweep.folders.sweep_folder import is_repeated_search
from cnnsweep.report.answer.analysis import Answer
from cnnsweep.report.charts.best_by_seconds import best_by_seconds
from cnnsweep.report.charts.chart_model import Chart, Colors
from cnnsweep.report.charts.confusion import confusion
from cnnsweep.report.charts.epochs_over_time import epochs_over_time
from cnnsweep.report.charts.hyperparameters import contour, importances, parallel, slices
from cnnsweep.report.charts.learning_curves import learning_curves
from cnnsweep.report.charts.optimization_history import history, intermediate
from cnnsweep.report.charts.pareto_front import trade_offs
from cnnsweep.report.charts.reliability import reliability
from cnnsweep.report.charts.tuning_curves import tuning_curves
from cnnsweep.report.stats.trial_table import Tried, tried
from cnnsweep.report.study.study_stats import StudyStats

_MOST_SWEEPS = 6  # with charts of their own


@dataclass(frozen=True, slots=True)
class Section:
    """Charts under one heading."""

    title: str
    charts: list[Chart]


def tried_sweeps(answer: Answer) -> list[Tried]:
    """The sweeps in which something was tried, the largest first."""
    labels: set[str] = set()
    found = []
    for sweep in sorted(answer.gathered.sweeps, key=lambda sweep: -len(sweep.runs)):
        label = _label(sweep.folder, labels)
        labels.add(label)
        if (one := tried(sweep, label)) is not None:
            found.append(one)
    return found


def _label(folder: Path, others: Container[str]) -> str:
    """The last parts of a sweep's path, as many as tell it from others.

    Of several searches of one choice ``resnet/search_1``: the last part alone says little.
    """
    parts, count = folder.parts, 2 if is_repeated_search(folder) else 1
    while "/".join(parts[-count:]) in others and count < len(parts):
        count += 1
    return "/".join(parts[-count:])


def every_chart(answer: Answer, facts: Sequence[tuple[Tried, StudyStats]]) -> list[Section]:
    """Sections that have charts."""
    sweeps = [one for one, _ in facts]
    names = [group.label for group in answer.grouping.groups]
    colors = Colors([*names, *(one.label for one in sweeps)])
    parts = [(one, told.importances) for one, told in facts]
    course = [
        chart
        for one in sweeps[:_MOST_SWEEPS]
        for chart in (*epochs_over_time(one), *intermediate(one))
    ]
    own = [
        chart
        for one, weights in parts[:_MOST_SWEEPS]
        for chart in (*parallel(one), *contour(one, weights))
    ]
    sections = [
        Section("Learning curves", list(learning_curves(answer, colors))),
        Section(
            "What accuracy costs", [*best_by_seconds(answer, colors), *trade_offs(answer, colors)]
        ),
        Section("Confusion", list(confusion(answer))),
        Section("Calibration", list(reliability(answer, colors))),
        Section("Tuning curves", list(tuning_curves(answer, colors))),
        Section("Course of the searches", [*history(sweeps, colors), *course]),
        Section("What mattered", [*importances(parts, colors), *slices(sweeps, colors), *own]),
    ]
    return [section for section in sections if section.charts]
