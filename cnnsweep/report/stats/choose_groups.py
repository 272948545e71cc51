"""By what runs are grouped: every setting in which they differ, or the best of some of them."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from difflib import get_close_matches

from cnnsweep.errors import UserError, and_more
from cnnsweep.report.read.run_record import Run
from cnnsweep.report.stats.group_keys import mark_tuned, setting_keys
from cnnsweep.report.stats.grouping import Group, Grouping, by_settings, group_runs, label_of
from cnnsweep.report.stats.intervals import Interval
from cnnsweep.report.stats.metric import Metric, maximizes
from cnnsweep.report.stats.options import Question
from cnnsweep.report.stats.table import check_column

_MOST_NAMED = 10  # keys in a message
Intervals = Callable[[Sequence[float]], Interval | None]


def grouped(
    runs: Sequence[Run], metric: Metric, question: Question, interval: Intervals
) -> Grouping:
    """By what was asked for, else by model and every setting that differs within one.

    Trials of a search stay together by model where there is nothing else: each has settings of its
    own.

    Raises:
        UserError: a column that does not exist, or nothing that the best could be chosen by.
    """
    for key in question.by:
        check_column(runs, key, "column in --by")
    for key in question.best_of:
        check_column(runs, key, "column in --best-of")
    mark_tuned(runs, [*question.by, *question.best_of])
    if question.best_of:
        return _best_of(runs, metric, question, interval)
    if question.by:
        return group_runs(runs, metric, list(question.by), interval)
    return _by_every_setting(runs, metric, interval)


def _by_every_setting(runs: Sequence[Run], metric: Metric, interval: Intervals) -> Grouping:
    grouping = group_runs(runs, metric, ["model"], interval)
    settings = by_settings(grouping)
    are_trials = all(run.role == "search" for group in grouping.groups for run in group.runs)
    if are_trials or len(settings) == len(grouping.by):
        return grouping
    return group_runs(runs, metric, settings, interval)


def _best_of(
    runs: Sequence[Run], metric: Metric, question: Question, interval: Intervals
) -> Grouping:
    """Of each group by the other keys, the values whose mean validation metric is best."""
    keys = list(question.best_of)
    by = list(question.by) or _by_every_setting(runs, metric, interval).by
    others = [key for key in by if key not in keys]
    tried = group_runs(runs, metric, [*others, *keys], interval)
    _check_varied(tried, keys)
    validation = _validation(tried, metric, keys)
    rivals: dict[tuple[str, str], list[Group]] = defaultdict(list)
    place = {id(run): number for number, run in enumerate(runs)}
    for group in sorted(tried.groups, key=lambda group: place[id(group.runs[0])]):
        if group.mean_of(validation) is not None:
            rivals[group.stratum, label_of(group.runs[0], others)].append(group)
    sign = 1 if maximizes(validation) else -1
    best = [
        max(some, key=lambda g: sign * (g.mean_of(validation) or 0)) for some in rivals.values()
    ]
    kept = {id(run) for group in best for run in group.runs}
    left_out = {id(run) for group in tried.groups for run in group.runs} - kept
    grouping = group_runs(
        [run for run in runs if id(run) not in left_out], metric, [*others, *keys], interval
    )
    grouping.notes.insert(0, _note(keys, validation, metric, [*rivals.values()]))
    return grouping


def _check_varied(tried: Grouping, keys: list[str]) -> None:
    runs = [run for group in tried.groups for run in group.runs]
    for key in keys:
        values = {run.value(key) for run in runs}
        if len(values) == 1:
            named = ", ".join(setting_keys(runs, ())[:_MOST_NAMED]) or "nothing but seeds"
            raise UserError(
                f"--best-of {key}: it is {values.pop()} in all runs, so there is nothing to "
                f"choose; these differ: {named}"
            )


def _validation(tried: Grouping, metric: Metric, keys: list[str]) -> str:
    """The metric on validation images that belongs to a test metric, else validation accuracy."""
    name = metric.name
    if name.startswith("test"):
        name = f"val{name.removeprefix('test')}"
    elif not name.startswith("val"):
        name = "val_accuracy"
    if tried.groups and all(group.mean_of(name) is None for group in tried.groups):
        raise UserError(
            f"--best-of {','.join(keys)}: the best is chosen by {name}, which no run has"
        )
    return name


def _note(keys: list[str], validation: str, metric: Metric, rivals: list[list[Group]]) -> str:
    most = max(map(len, rivals), default=0)
    told = f"Each group's {', '.join(keys)} is the best of up to {most} by mean {validation}"
    if metric.name == validation:
        return f"{told}: its {metric.name} is too good for having been chosen by."
    return f"{told}: that one is too good for having been chosen by; {metric.name} is not."


def named_group(grouping: Grouping, given: str) -> str:
    """The label of the group that ``--baseline`` means: by label, its start, or one of its values.

    Raises:
        UserError: no group is that, or several are.
    """
    labels = list(dict.fromkeys(group.label for group in grouping.groups))
    if not labels:
        raise UserError(f"--baseline {given}: there is no completed run to compare with")
    if given in labels:
        return given
    meant = {group.label for group in grouping.groups if _is_meant(group, grouping.by, given)}
    if len(meant) == 1:
        return meant.pop()
    if meant:
        named = [label for label in labels if label in meant]
        told = and_more(named, between="; ")
        raise UserError(f"--baseline {given!r}: {len(meant)} groups are that. Allowed: {told}.")
    near = get_close_matches(given, labels, n=1, cutoff=0.5)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    told = and_more(dict.fromkeys([*near, *labels]), between="; ")
    raise UserError(f"unknown group in --baseline {given!r}.{hint} Allowed: {told}.")


def _is_meant(group: Group, by: list[str], given: str) -> bool:
    values = (str(group.runs[0].setting(key)) for key in by)
    return group.label.startswith(given) or given in values
