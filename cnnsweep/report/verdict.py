"""The comparison in plain sentences."""

from collections.abc import Iterable

from cnnsweep.report.compare import FEWEST, Comparison, Pair
from cnnsweep.report.groups import Group, Grouping, name_stratum
from cnnsweep.report.metric import Metric


def verdicts(grouping: Grouping, comparison: Comparison, metric: Metric) -> list[str]:
    """One sentence for each stratum."""
    sentences = []
    for stratum, groups in grouping.strata().items():
        members = {id(group) for group in groups}
        pairs = [pair for pair in comparison.pairs if id(pair.better) in members]
        prefix = f"{name_stratum(stratum)}: " if stratum else ""
        sentences.append(prefix + _verdict(groups, pairs, comparison, metric))
    return sentences


def _verdict(groups: list[Group], pairs: list[Pair], comparison: Comparison, metric: Metric) -> str:
    if len(groups) == 1:
        group = groups[0]
        shown = metric.show_mean(group.mean, group.deviation, group.n)
        return f"{group.label} has {metric.name} {shown}; there is nothing to compare it with."
    if not pairs:
        return (
            "; ".join(f"{g.label} {metric.show_mean(g.mean, g.deviation, g.n)}" for g in groups[:5])
            + "."
        )
    focus = comparison.baseline or groups[0].label
    about = [pair for pair in pairs if focus in (pair.better.label, pair.worse.label)]
    parts = [sentence(pair, metric) for pair in about if pair.decided]
    parts += _not_told_apart([p for p in about if not p.decided and not p.too_few])
    parts += [sentence(pair, metric) for pair in about if pair.too_few]
    return "; ".join(parts) + "."


def _not_told_apart(pairs: list[Pair]) -> Iterable[str]:
    for pair in pairs:
        n, p = pair.difference.n, show_p(pair.p_holm)
        hint = _needed(pair)
        yield (
            f"{pair.better.label} and {pair.worse.label} can't be told apart "
            f"({p}, n = {n}{hint and f'; {hint}'})"
        )


def sentence(pair: Pair, metric: Metric) -> str:
    """One pair in words."""
    d, names = pair.difference, (pair.better.label, pair.worse.label)
    if pair.too_few:
        shown = metric.show_difference(d.mean)
        hint = _needed(pair) or f"{FEWEST} or more seeds are needed to say anything"
        return f"{names[0]} is {shown} ahead of {names[1]}, n = {d.n}: no verdict; {hint}"
    if not pair.decided:
        return next(iter(_not_told_apart([pair])))
    unit = "common seeds" if d.kind == "paired t" else "or more runs each, no common seeds"
    seeds = f"{d.n} seeds each" if pair.better.n == pair.worse.n == d.n else f"{d.n} {unit}"
    return (
        f"{names[0]} beats {names[1]} by {metric.show_difference(d.mean, d.half_width)} "
        f"({show_p(pair.p_holm)}, {seeds})"
    )


def _needed(pair: Pair) -> str:
    if pair.needed is None:
        return ""
    return f"about {pair.needed} seeds would show a difference of this size"


def show_p(p: float | None) -> str:
    """``p = 0.004``; ``no p`` where there is none."""
    if p is None:
        return "no p-value: the differences do not vary"
    return "p < 0.0001" if p < 1e-4 else f"p = {p:.2g}"


def show_images(pair: Pair) -> str:
    """McNemar's test of a pair in words; empty where it wasn't made."""
    images = pair.images
    if images is None:
        return ""
    return (
        f"of {images.count:,} test images {images.only_better:.0f} only {pair.better.label} and "
        f"{images.only_worse:.0f} only {pair.worse.label} gets right ({show_p(images.p_holm)}, "
        f"McNemar, {images.seeds} common seed{'s' if images.seeds > 1 else ''})"
    )
