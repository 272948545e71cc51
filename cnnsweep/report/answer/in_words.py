"""Probabilities and tests as text."""

from cnnsweep.report.stats.comparison import Pair
from cnnsweep.report.stats.nested import Chance


def show_chance(chance: Chance) -> str:
    """``0.93 (0.61 to 0.99)``: with its 95 % interval."""
    value, low, high = map(_probability, (chance.value, chance.low, chance.high))
    return f"{value} ({low} to {high})"


def _probability(value: float) -> str:
    """Two digits; never 0 or 1, which it can't be."""
    if value < 0.005:
        return "under 0.01"
    return "over 0.99" if value > 0.995 else f"{value:.2f}"


def show_p(p: float | None) -> str:
    """``p = 0.004``; ``no p`` where there is none."""
    if p is None:
        return "no p-value: the differences do not vary"
    return "p < 0.0001" if p < 1e-4 else f"p = {p:.2g}"


def p_cell(p: float | None) -> str:
    """The same for a column of p-values: ``0.004``, ``< 0.0001``."""
    return show_p(p).removeprefix("p ").removeprefix("= ")


def show_images(pair: Pair) -> str:
    """McNemar's test of a pair in words; empty where it wasn't made."""
    images = pair.images
    if images is None:
        return ""
    mean, several = (" on average", "s") if images.seeds > 1 else ("", "")
    return (
        f"of {images.count:,} test images {images.only_better:.0f} only {pair.better.label} and "
        f"{images.only_worse:.0f} only {pair.worse.label} gets right{mean} "
        f"({show_p(images.p_holm)}, McNemar, {images.seeds} common seed{several})"
    )
