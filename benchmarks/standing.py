"""The searches of several seeds together: times, accuracies, and how two contestants compare."""

from collections.abc import Callable, Sequence
from math import inf
from statistics import mean, median, stdev
from typing import Any

from benchmarks.race import Race
from cnnsweep.report.stats.significance import paired_t

TARGETS = (0.975, 0.98)  # validation accuracies whose first moment is told


def standing(races: Sequence[Race]) -> list[dict[str, Any]]:
    """A row a contestant: times as median (least–greatest), best accuracy as mean (sd)."""
    rows = []
    for name in dict.fromkeys(race.name for race in races):
        own = [race for race in races if race.name == name]
        best = [race.best for race in own]
        deviation = f" (sd {stdev(best):.4f})" if len(own) > 1 else ""
        rows.append(
            {
                "contestant": name,
                "n": len(own),
                "seconds": _spread([race.seconds for race in own], ".1f"),
                "epochs": _spread([race.epochs for race in own], ".0f"),
                "best_val_accuracy": f"{mean(best):.4f}{deviation}",
                **{f"seconds_to_{target}": _first(own, target) for target in TARGETS},
            }
        )
    return rows


def compared(races: Sequence[Race], ours: str) -> list[dict[str, Any]]:
    """A row for each other contestant, over the seeds that both have.

    The share of the other's time, and of its time to each target, as median (least–greatest); by
    how much our best accuracy is higher, with Student's 95 % interval of the paired differences.
    Whoever never reached a target took an endless time; seeds where neither did are left out.
    """
    rows = []
    by_seed = {(race.name, race.seed): race for race in races}
    for name in dict.fromkeys(race.name for race in races if race.name != ours):
        pairs = [
            (by_seed[ours, seed], other)
            for (whose, seed), other in by_seed.items()
            if whose == name and (ours, seed) in by_seed
        ]
        if not pairs:
            continue
        better = paired_t([a.best for a, _ in pairs], [b.best for _, b in pairs])
        half = "" if better.half_width is None else f" ± {better.half_width:.4f}"
        rows.append(
            {
                f"{ours} beside": name,
                "n": len(pairs),
                "share_of_time": _spread([a.seconds / b.seconds for a, b in pairs], ".2f"),
                "accuracy_higher_by": f"{better.mean:+.4f}{half}",
                **{f"share_of_time_to_{t}": _share(pairs, _time_to(t)) for t in TARGETS},
            }
        )
    return rows


def _first(races: Sequence[Race], target: float) -> str:
    found = [seconds for race in races if (seconds := race.seconds_to(target)) is not None]
    missed = len(races) - len(found)
    if not found:
        return "never"
    middle = median([*found, *[inf] * missed])
    shown = f"{middle:.1f} ({min(found):.1f}–{'never' if missed else format(max(found), '.1f')})"
    return f"{shown}, {len(found)} of {len(races)}"


def _time_to(target: float) -> Callable[[Race], float]:
    def seconds(race: Race) -> float:
        found = race.seconds_to(target)
        return inf if found is None else found

    return seconds


def _share(pairs: Sequence[tuple[Race, Race]], seconds: Callable[[Race], float]) -> str:
    both = [(seconds(a), seconds(b)) for a, b in pairs]
    ratios = [a / b for a, b in both if min(a, b) < inf]
    return f"{_spread(ratios, '.2f')}, n = {len(ratios)}" if ratios else "neither reached it"


def _spread(values: Sequence[float], form: str) -> str:
    if len(values) == 1:
        return format(values[0], form)
    return f"{median(values):{form}} ({min(values):{form}}–{max(values):{form}})"
