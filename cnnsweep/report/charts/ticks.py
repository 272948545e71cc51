"""What stands beside an axis: few numbers on a logarithmic one, names that leave others room."""

import math
from collections.abc import Iterable, Sequence

_FEW_DECADES = 2  # below this many 2 and 5 are named between the powers of ten
_MOST_POWERS = 8
_STEPS = ((1, 2, 5), tuple(range(1, 10)))


def log_ticks(values: Iterable[object]) -> list[float]:
    """Round numbers among the positive ones of ``values``; their ends where there are no others."""
    known = [float(v) for v in values if isinstance(v, int | float) and v > 0 and math.isfinite(v)]
    if not known:
        return []
    low, high = min(known), max(known)
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    if math.log10(high / low) > _FEW_DECADES:
        step = -(-(last - first) // _MOST_POWERS)
        return [10.0**power for power in range(first, last + 1, step) if power < 308]
    for factors in _STEPS:
        every = [float(f"{n}e{power}") for power in range(first, last + 1) for n in factors]
        inside = [value for value in every if low <= value <= high]
        if len(inside) > 1:
            return inside
    return [low, high] if high > low else [low]


def shown_number(value: float) -> str:
    """``100,000``, ``0.002``, ``1e-05``."""
    return f"{value:,.4g}" if value < 1e4 else f"{value:,.0f}" if value < 1e7 else f"{value:.3g}"


def shortened(name: str, most: int) -> str:
    """A name of at most ``most`` letters, its middle left out where it is longer."""
    end = (most - 1) // 2
    return name if len(name) <= most else f"{name[: most - 1 - end]}…{name[len(name) - end :]}"


def distinct(names: Sequence[str], most: int) -> list[str]:
    """The names shortened; those that come out alike, or empty, led by their number."""
    short = [shortened(name, most) for name in names]
    known: dict[str, int] = {}
    for name in short:
        known[name] = known.get(name, 0) + 1
    return [
        name if name.strip() and known[name] == 1 else f"{number}: {name}"
        for number, name in enumerate(short)
    ]
