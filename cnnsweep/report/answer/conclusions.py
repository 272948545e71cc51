"""The comparison in plain sentences."""

import math
from collections.abc import Sequence
from pathlib import Path

from cnnsweep.errors import and_more
from cnnsweep.folders.sweep_folder import CONFIRM
from cnnsweep.report.answer.in_words import show_chance, show_p
from cnnsweep.report.stats.comparison import Comparison, Pair
from cnnsweep.report.stats.grouping import Group, Grouping
from cnnsweep.report.stats.intervals import FEWEST
from cnnsweep.report.stats.metric import POINTS, Metric
from cnnsweep.report.stats.nested import Nested
from cnnsweep.report.stats.significance import PAIRED

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
        told = f"{groups[0].label} has {metric.name} {_mean(groups[0], metric)}"
        return [f"{told}; there is nothing to compare it with"]
    if not pairs:
        return [f"{group.label} {_mean(group, metric)}" for group in groups[:_MOST]]
    focus = comparison.baseline or groups[0].label
    about = [pair for pair in pairs if focus in (pair.better.label, pair.worse.label)]
    enough = [pair for pair in about if not pair.too_few]
    undecided = [pair for pair in enough if not pair.decided]
    parts = []
    for kind in (  # each kind is shortened by itself
        [pair for pair in enough if pair.decided],
        [pair for pair in undecided if pair.equivalent],
    ):
        parts += _shortened([sentence(pair, metric, comparison.margin) for pair in kind])
    parts += _open([pair for pair in undecided if not pair.equivalent], focus, comparison, metric)
    few = [pair for pair in about if pair.too_few]
    parts += [sentence(pair, metric) for pair in few] if len(few) == 1 else _few(few)
    if len(few) > 1 and len(parts) == 1:
        parts.insert(0, f"{groups[0].label} leads with {metric.show(groups[0].mean)}")
    return parts + _of_one_search(groups)


def _mean(group: Group, metric: Metric) -> str:
    more = "" if group.nested is None else f": {told_searches(group.nested, metric)}"
    return metric.show_mean(group.mean, group.half_width, group.n, more)


def told_searches(nested: Nested, metric: Metric) -> str:
    """``3 searches; between them sd 0.21, between seeds sd 0.12 points``."""
    text = f"{nested.searches} searches"
    if nested.of_searches is None or nested.of_seeds is None:
        return f"{text}; between them sd {metric.show_difference(math.sqrt(nested.of_means))}"
    between = metric.show_deviation(nested.of_searches)
    return f"{text}; between them sd {between}, seeds sd {metric.show_difference(nested.of_seeds)}"


def _of_one_search(groups: list[Group]) -> list[str]:
    """What is compared where each network was searched once."""
    once = [g for g in groups if g.nested is None and all(r.role == CONFIRM for r in g.runs)]
    if not once or _has_siblings({run.search for group in once for run in group.runs}):
        return []
    return [
        "networks searched once stand for these tuned settings: another search might give others "
        "(hydra.sweeper.searches=3 measures that)"
    ]


def _has_siblings(searches: set[Path | None]) -> bool:
    """Whether some network has several searches here, as where groups are by what they tuned."""
    above = [search.parent for search in searches if search is not None]
    return len(set(above)) < len(above)


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


def _open(pairs: list[Pair], focus: str, comparison: Comparison, metric: Metric) -> list[str]:
    """Pairs that can't be told apart, several of them in one clause."""
    if len(pairs) < 2:
        return [sentence(pair, metric, comparison.margin) for pair in pairs]
    others = [p.worse.label if p.better.label == focus else p.better.label for p in pairs]
    p_values = [pair.p_holm for pair in pairs if pair.p_holm is not None]
    told = [f"p = {_span(p_values, '.2g')}"] if p_values else []
    for unit in dict.fromkeys(map(_unit, pairs)):
        told += _counts([pair for pair in pairs if _unit(pair) == unit], unit)
    text = f"{focus} can't be told apart from {and_more(others)} ({'; '.join(told)})"
    if comparison.margin is not None:
        within = _margin(comparison.margin, metric)
        text += f", nor are they shown to be equivalent within {within}"
    wins = [
        pair.chance.value if pair.better.label == focus else 1 - pair.chance.value
        for pair in pairs
        if pair.chance is not None
    ]
    if wins:
        text += f"; searched anew, {focus} wins against one of them with probability "
        text += _span(wins, ".2f")
    return [text]


def _counts(pairs: list[Pair], unit: str) -> list[str]:
    """How many searches, or seeds, pairs have, and how many would show their differences."""
    told = [f"n = {_span([pair.difference.n for pair in pairs], 'd')} {unit} each"]
    needed = [pair.needed for pair in pairs if pair.needed is not None]
    if len(needed) == len(pairs):
        told.append(f"about {_span(needed, 'd')} {unit} would show differences of these sizes")
    return told


def _span(values: Sequence[float], digits: str) -> str:
    """``0.59 to 1``; one number where all are written alike."""
    low, high = f"{min(values):{digits}}", f"{max(values):{digits}}"
    return low if low == high else f"{low} to {high}"


def _few(pairs: list[Pair]) -> list[str]:
    """Many pairs with too few seeds, in one clause."""
    if not pairs:
        return []
    n = max(pair.difference.n for pair in pairs)
    unit = _unit(pairs[0])
    needed = [pair.needed for pair in pairs if pair.needed is not None]
    hint = f"{FEWEST} or more {unit} are needed to say anything"
    if len(needed) == len(pairs):
        span = f"{min(needed)} to {max(needed)}"
        hint = f"about {span} {unit} would show differences of these sizes"
    return [f"n = {n} for {len(pairs)} pairs: no verdict on them; {hint}"]


def _unit(pair: Pair) -> str:
    """What is counted in a pair."""
    return "searches" if pair.over_searches else "seeds"


def sentence(pair: Pair, metric: Metric, margin: float | None = None) -> str:
    """One pair in words; ``margin``: a difference that does not matter."""
    d, names = pair.difference, (pair.better.label, pair.worse.label)
    n = f"n = {d.n}{_searches(pair)}"
    if pair.too_few:
        shown = metric.show_difference(d.mean)
        hint = _needed(pair) or f"{FEWEST} or more {_unit(pair)} are needed to say anything"
        ahead = f"{names[0]} is {shown} ahead of {names[1]} by {metric.name}"
        return f"{ahead}, {n}: no verdict; {hint}"
    if pair.decided:
        gap = metric.show_difference(d.mean, d.half_width)
        small = "" if not pair.equivalent else f", which is within {_margin(margin, metric)}"
        told = f"{names[0]} beats {names[1]} by {gap} ({show_p(pair.p_holm)}, {_seeds(pair)})"
        return told + small + _chance(pair)
    if pair.equivalent:
        within = f"{names[0]} and {names[1]} are equivalent within {_margin(margin, metric)}"
        return f"{within} ({show_p(pair.p_same)}, {_seeds(pair)}){_chance(pair)}"
    hint = _needed(pair)
    told = f"{show_p(pair.p_holm)}, {n}{hint and f'; {hint}'}"
    apart = f"{names[0]} and {names[1]} can't be told apart ({told})"
    if pair.p_same is not None:
        within = _margin(margin, metric)
        apart += f", nor are they shown to be equivalent within {within} ({show_p(pair.p_same)})"
    return apart + _chance(pair)


def _margin(margin: float | None, metric: Metric) -> str:
    """The margin as it was typed: 0.3 points."""
    typed = f"{metric.scale * (margin or 0):.4g}"
    return f"{typed}{POINTS}" if metric.percent else typed


def _seeds(pair: Pair) -> str:
    d = pair.difference
    if pair.over_searches:
        first, second = map(_independent, pair.groups)
        return f"{d.n} searches each" if first == second else f"{first} against {second}"
    unit = "common seeds" if d.kind == PAIRED else "or more runs each, compared without pairs"
    is_each = pair.better.n == pair.worse.n == d.n
    return f"{d.n} seeds each" if is_each else f"{d.n} {unit}"


def _independent(group: Group) -> str:
    if group.nested is None:
        return f"{group.n} seeds of given settings"
    return f"{group.nested.searches} searches"


def _searches(pair: Pair) -> str:
    if not pair.over_searches:
        return ""
    return " search" if pair.difference.n == 1 else " searches"


def _chance(pair: Pair) -> str:
    if pair.chance is None:
        return ""
    told = show_chance(pair.chance).replace("(", "(95 % interval ")
    return f"; searched anew, {pair.better.label} wins with probability {told}"


def _needed(pair: Pair) -> str:
    if pair.needed is None:
        return ""
    return f"about {pair.needed} {_unit(pair)} would show a difference of this size"
