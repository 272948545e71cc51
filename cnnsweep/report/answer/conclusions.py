"""The comparison in plain sentences."""

from cnnsweep.report.stats.comparison import Comparison, Pair
from cnnsweep.report.stats.grouping import Group, Grouping
from cnnsweep.report.stats.intervals import FEWEST
from cnnsweep.report.stats.metric import Metric

_MOST = 5  # pairs of a kind that are spelled out


def verdicts(grouping: Grouping, comparison: Comparison, metric: Metric) -> list[str]:
    """One sentence for each stratum."""
    sentences = []
    for stratum, groups in grouping.strata().items():
        members = {id(group) for group in groups}
        pairs = [pair for pair in comparison.pairs if id(pair.better) in members]
        prefix = stratum and f"{stratum}: "
        sentences.append(prefix + _verdict(groups, pairs, comparison, metric))
    return sentences


def _verdict(groups: list[Group], pairs: list[Pair], comparison: Comparison, metric: Metric) -> str:
    sound = [group for group in groups if group.is_sound]
    unsound = _shortened([_reason(group, metric) for group in groups if not group.is_sound])
    return "; ".join(_compared(sound, pairs, comparison, metric) + unsound) + "."


def _compared(
    groups: list[Group], pairs: list[Pair], comparison: Comparison, metric: Metric
) -> list[str]:
    if len(groups) == 1:
        group = groups[0]
        shown = metric.show_mean(group.mean, group.half_width, group.n)
        return [f"{group.label} has {metric.name} {shown}; there is nothing to compare it with"]
    if not pairs:
        return [f"{g.label} {metric.show_mean(g.mean, g.half_width, g.n)}" for g in groups[:_MOST]]
    focus = comparison.baseline or groups[0].label
    about = [pair for pair in pairs if focus in (pair.better.label, pair.worse.label)]
    parts = [sentence(pair, metric) for pair in about if pair.decided]
    open_pairs = [sentence(pair, metric) for pair in about if not pair.decided and not pair.too_few]
    few = [pair for pair in about if pair.too_few]
    parts = _shortened(parts) + _shortened(open_pairs)
    parts += [sentence(pair, metric) for pair in few] if len(few) == 1 else _few(few)
    if len(few) > 1 and len(parts) == 1:
        parts.insert(0, f"{groups[0].label} leads with {metric.show(groups[0].mean)}")
    return parts


def _reason(group: Group, metric: Metric) -> str:
    """Why a group can't be compared with others."""
    mean = f"mean {metric.show(group.mean)}"
    if group.unlearned:
        told = f"{group.unlearned} of its {len(group.runs)} runs never learned ({mean})"
        return f"{group.label} can't be compared: {told}"
    keys = ", ".join(group.mixes[:_MOST])
    return (
        f"{group.label} can't be compared: its n = {group.n} mixes {group.settings} settings "
        f"({mean}); group by {keys} too"
    )


def _shortened(parts: list[str]) -> list[str]:
    more = len(parts) - _MOST
    return [*parts[:_MOST], f"and {more} more like these"] if more > 0 else parts


def _few(pairs: list[Pair]) -> list[str]:
    """Many pairs with too few seeds, in one clause."""
    if not pairs:
        return []
    n = max(pair.difference.n for pair in pairs)
    needed = [pair.needed for pair in pairs if pair.needed is not None]
    hint = f"{FEWEST} or more seeds are needed to say anything"
    if len(needed) == len(pairs):
        hint = f"about {min(needed)} to {max(needed)} seeds would show differences of these sizes"
    return [f"n = {n} for {len(pairs)} pairs: no verdict on them; {hint}"]


def sentence(pair: Pair, metric: Metric) -> str:
    """One pair in words."""
    d, names = pair.difference, (pair.better.label, pair.worse.label)
    if pair.too_few:
        shown = metric.show_difference(d.mean)
        hint = _needed(pair) or f"{FEWEST} or more seeds are needed to say anything"
        return f"{names[0]} is {shown} ahead of {names[1]}, n = {d.n}: no verdict; {hint}"
    if not pair.decided:
        hint = _needed(pair)
        told = f"{show_p(pair.p_holm)}, n = {d.n}{hint and f'; {hint}'}"
        return f"{names[0]} and {names[1]} can't be told apart ({told})"
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
