"""Groups that two sweeps have in common, compared as a report compares two groups."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from cnnsweep.diff.metrics import between, signed
from cnnsweep.diff.sides import SweepSide
from cnnsweep.errors import UserError
from cnnsweep.report.answer.analysis import answer
from cnnsweep.report.answer.block import Block
from cnnsweep.report.answer.in_words import p_cell
from cnnsweep.report.read.predictions import PredictionFiles
from cnnsweep.report.read.run_record import FINGERPRINT, Run
from cnnsweep.report.stats.comparison import Pair, compare
from cnnsweep.report.stats.group_keys import mark_tuned
from cnnsweep.report.stats.grouping import Group, Grouping, group_runs, label_of
from cnnsweep.report.stats.intervals import t_interval
from cnnsweep.report.stats.learned import recall_learned
from cnnsweep.report.stats.metric import Metric, choose_metric, metric_names
from cnnsweep.report.stats.options import Question
from cnnsweep.report.stats.table import check_column

_SIDE = "cnnsweep.diff side"  # a column that no config has
_MODEL = ("model",)
_LIKE = "Runs differ in "  # begins the note on groups that a report would not compare


@dataclass(frozen=True, slots=True)
class Common:
    """A group that both sweeps have; ``pair`` is None where no test can be made."""

    label: str
    a: Group
    b: Group
    pair: Pair | None

    def difference(self, metric: Metric) -> float:
        """B minus A: of the pairs of equal seeds where a test pairs them, else of the means."""
        if self.pair is None:
            return self.b.mean - self.a.mean
        way = 1 if self.pair.better.label == "B" else -1
        return way * metric.sign() * self.pair.difference.mean

    def interval(self, metric: Metric) -> tuple[float, float] | None:
        """The 95 % interval of that difference; None for fewer than three values."""
        half = None if self.pair is None else self.pair.difference.half_width
        if half is None:
            return None
        middle = self.difference(metric)
        return middle - half, middle + half


@dataclass(frozen=True, slots=True)
class Groups:
    """The groups in common by ``by``, those of one sweep alone, and notes on what was averaged."""

    metric: Metric
    by: tuple[str, ...]
    common: list[Common]
    only_a: list[str]
    only_b: list[str]
    notes: list[str]

    def as_plain(self) -> dict[str, Any]:
        """What JSON holds."""
        return {
            "metric": self.metric.name,
            "better": "higher" if self.metric.maximize else "lower",
            "by": [*self.by],
            "common": [_as_plain(one, self.metric) for one in self.common],
            "only_a": self.only_a,
            "only_b": self.only_b,
            "notes": self.notes,
        }

    def block(self) -> Block:
        """A row for each group in common."""
        said = [
            f"Groups of {name} alone: {', '.join(labels[:12])}."
            for name, labels in (("A", self.only_a), ("B", self.only_b))
            if labels
        ]
        if not self.common:
            said.append(f"No group by {', '.join(self.by)} has {self.metric.name} in both sweeps.")
            return Block("Groups", said)
        return Block(
            f"{self.metric.name} by {', '.join(self.by)}",
            said,
            columns=["", "A", "B", "B − A", "95 % interval", "p (Holm)", "test"],
            rows=[_row(one, self.metric) for one in self.common],
            caption="Mean, its 95 % interval, n; fewer than three seeds have none.",
        )


def groups_apart(a: SweepSide, b: SweepSide, question: Question, problems: list[str]) -> Groups:
    """Compare each group that both have, by what the question says or by what suits both.

    Raises:
        UserError: an unknown metric or column.
    """
    runs = [_marked(run, side.name) for side in (a, b) for run in side.gathered.runs]
    for key in question.by:
        check_column(runs, key, "column in --by")
    by = question.by or _by(a, b, question)
    mark_tuned(runs, by)
    metric = choose_metric(runs, question.metric or _in_both(a, b))
    files = PredictionFiles(problems)
    recall_learned(runs, files)
    grouping = group_runs(runs, metric, [_SIDE, *by], t_interval)
    is_same_data = a.settings.get(FINGERPRINT) == b.settings.get(FINGERPRINT)
    found = _by_label(grouping.groups, [*by], is_same_data)
    labels = [label for label in found["A"] if label in found["B"]]
    both = [found[side][label] for label in labels for side in ("A", "B")]
    pairs = compare(Grouping([*by], both, []), metric, None, files).pairs if both else []
    tested = {pair.better.stratum: pair for pair in pairs}
    common = [Common(n, found["A"][n], found["B"][n], tested.get(n)) for n in labels]
    only = [[label for label in found[side] if label not in labels] for side in ("A", "B")]
    notes = [note for note in grouping.notes if _SIDE not in note and not note.startswith(_LIKE)]
    return Groups(metric, by, common, only[0], only[1], notes)


def _by_label(
    groups: Sequence[Group], by: list[str], is_same_data: bool
) -> dict[str, dict[str, Group]]:
    """Of each side the groups by label, with which to find its partner.

    The label has epochs, limits and what else must be equal to compare runs of one sweep only where
    a side has several such groups, or the data are others: here two sweeps differ on purpose.
    """
    plain = [(str(g.runs[0].config[_SIDE]), label_of(g.runs[0], by)) for g in groups]
    found: dict[str, dict[str, Group]] = {"A": {}, "B": {}}
    for (side, label), group in zip(plain, groups, strict=True):
        is_alone = all(plain.count((name, label)) < 2 for name in found)
        label += "" if is_alone and is_same_data else group.where
        found[side][label] = replace(group, label=side, stratum=label)
    return found


def _by(a: SweepSide, b: SweepSide, question: Question) -> tuple[str, ...]:
    """The columns that a report groups one of the sweeps by, so that no group mixes settings."""
    columns: set[str] = {*_MODEL}
    for side in (a, b):
        try:
            columns |= {*answer(side.gathered, question).question.by}
        except UserError:  # a metric that only the other one has
            continue
    return tuple(sorted(columns, key=lambda key: (key not in _MODEL, key)))


def _in_both(a: SweepSide, b: SweepSide) -> str | None:
    """The metric that a report takes of what both have; None where they have none in common."""
    done = [[r for r in side.gathered.runs if r.status == "completed"] for side in (a, b)]
    names = [set(metric_names(runs)) for runs in done]
    common = [
        replace(run, result={k: v for k, v in run.result.items() if k in names[0] & names[1]})
        for runs in done
        for run in runs
    ]
    return choose_metric(common, None).name if names[0] & names[1] else None


def _marked(run: Run, side: str) -> Run:
    return replace(run, config=run.config | {_SIDE: side})


def _mean(group: Group, metric: Metric) -> str:
    text = metric.show(group.mean)
    if group.interval is not None:
        low, high = (metric.show(end) for end in group.interval)
        text += f" ({low} to {high})"
    text += f", n = {group.n}"
    if group.mixes:
        text += f" of {group.settings} settings"
    return text + (f", {group.unlearned} never learned" if group.unlearned else "")


def _row(one: Common, metric: Metric) -> list[str]:
    span, pair = one.interval(metric), one.pair
    ends = "–" if span is None else between(metric, *span)
    p = "–" if pair is None or pair.too_few or pair.p_holm is None else p_cell(pair.p_holm)
    kind = "not compared" if pair is None else pair.difference.kind
    cells = [_mean(one.a, metric), _mean(one.b, metric), signed(metric, one.difference(metric))]
    return [one.label, *cells, ends, p, f"too few seeds ({kind})" if _few(pair) else kind]


def _few(pair: Pair | None) -> bool:
    return pair is not None and pair.too_few


def _as_plain(one: Common, metric: Metric) -> dict[str, Any]:
    pair, span = one.pair, one.interval(metric)
    return {
        "group": one.label,
        "a": _group(one.a),
        "b": _group(one.b),
        "difference": one.difference(metric),
        "interval_95": None if span is None else [*span],
        "p_holm": None if pair is None or pair.too_few else pair.p_holm,
        "test": None if pair is None else pair.difference.kind,
    }


def _group(group: Group) -> dict[str, Any]:
    return {
        "mean": group.mean,
        "interval_95": None if group.interval is None else [*group.interval],
        "n": group.n,
        "settings": group.settings,
        "never_learned": group.unlearned,
    }
