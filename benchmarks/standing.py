"""The searches of several seeds together: times, accuracies, and how two contestants compare."""

from collections.abc import Sequence
from statistics import mean, median, stdev
from typing import Any

from benchmarks.race import Race
from cnnsweep.report.stats.significance import paired_t


def standing(races: Sequence[Race]) -> list[dict[str, Any]]:
    """A row a contestant: seconds as median (least–greatest), best accuracy as mean ± deviation."""
    rows = []
    for name in dict.fromkeys(race.name for race in races):
        own = [race for race in races if race.name == name]
        best = [race.best for race in own]
        deviation = f" ± {stdev(best):.4f}" if len(own) > 1 else ""
        rows.append(
            {
                "contestant": name,
                "n": len(own),
                "seconds": _spread([race.seconds for race in own], ".1f"),
                "epochs": _spread([race.epochs for race in own], ".0f"),
                "best_val_accuracy": f"{mean(best):.4f}{deviation}",
                "seconds_to_0.98": _spread([race.seconds_to(0.98) for race in own], ".1f"),
            }
        )
    return rows


def compared(races: Sequence[Race], peers: Sequence[str]) -> list[dict[str, Any]]:
    """A row for each of ours and each peer, over the seeds that both have.

    The share of the peer's time as median (least–greatest); by how much our best accuracy is
    higher, with Student's 95 % interval of the paired differences.
    """
    rows = []
    ours = dict.fromkeys(race.name for race in races if race.name not in peers)
    for name in ours:
        for peer in peers:
            pairs = [
                (a, b)
                for a in races
                for b in races
                if a.name == name and b.name == peer and a.seed == b.seed
            ]
            if not pairs:
                continue
            better = paired_t([a.best for a, _ in pairs], [b.best for _, b in pairs])
            half = "" if better.half_width is None else f" ± {better.half_width:.4f}"
            rows.append(
                {
                    "contestant": name,
                    "peer": peer,
                    "n": len(pairs),
                    "share_of_time": _spread([a.seconds / b.seconds for a, b in pairs], ".2f"),
                    "accuracy_higher_by": f"{better.mean:+.4f}{half}",
                }
            )
    return rows


def _spread(values: Sequence[float | None], form: str) -> str:
    found = [value for value in values if value is not None]
    if len(found) < len(values):
        return "not always"
    if len(found) == 1:
        return format(found[0], form)
    return f"{median(found):{form}} ({min(found):{form}}–{max(found):{form}})"
