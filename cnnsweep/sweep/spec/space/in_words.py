"""What a parameter is drawn from, in words."""

from optuna.distributions import BaseDistribution, CategoricalDistribution, IntDistribution

from cnnsweep.rules import as_typed
from cnnsweep.sweep.spec.space.points import count_points


def described(distribution: BaseDistribution) -> str:
    """``0.0001 to 1, logarithmic``; ``2 to 10 in steps of 2 (5 values)``; ``16, 32, 64``."""
    if isinstance(distribution, CategoricalDistribution):
        return ", ".join(map(as_typed, distribution.choices))
    low, high = distribution.low, distribution.high  # type: ignore[attr-defined]
    line = f"{as_typed(low)} to {as_typed(high)}"
    step = distribution.step  # type: ignore[attr-defined]
    line += f" in steps of {as_typed(step)}" if step not in (None, 1) else ""
    points = count_points({"": distribution})
    line += "" if points is None else f" ({points} values)"
    return f"{line}, logarithmic" if distribution.log else line  # type: ignore[attr-defined]


def drawn_from(distribution: BaseDistribution) -> str:
    """The same with the kind: choices, whole numbers or numbers, which Optuna does not mix."""
    if isinstance(distribution, CategoricalDistribution):
        return f"the choices {described(distribution)}"
    whole = "whole " if isinstance(distribution, IntDistribution) else ""
    return f"{whole}numbers from {described(distribution)}"
