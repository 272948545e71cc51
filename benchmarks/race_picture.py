"""The curves of all searches, as CSV and as the picture with a median and a band for each tool."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from benchmarks.race import Race

_POINTS = 600  # of the picture's time axis


def curve_rows(races: Sequence[Race]) -> list[dict[str, Any]]:
    """Tool, seed, seconds and best accuracy so far, wherever that rises, and at the end."""
    return [
        {
            "tool": race.name,
            "seed": race.seed,
            "seconds": round(seconds, 2),
            "best_so_far": round(best, 4),
        }
        for race in races
        for seconds, best in [*race.curve(), (race.seconds, race.best)]
    ]


def draw(races: Sequence[Race], path: Path) -> None:
    """Best validation accuracy so far against wall time.

    A line is the median over a tool's searches, its band their middle half; a dot stands where half
    of them were through, and what is through keeps its best.
    """
    figure = Figure(figsize=(9, 4.6), layout="constrained")
    axes = figure.subplots()
    names = list(dict.fromkeys(race.name for race in races))
    times = np.linspace(0, max(race.seconds for race in races), _POINTS)
    for number, name in enumerate(names):
        own = [race for race in races if race.name == name]
        low, middle, high = np.quantile(
            [_at(race, times) for race in own], (0.25, 0.5, 0.75), axis=0
        )
        end = float(np.median([race.seconds for race in own]))
        shown, color = times <= end, f"C{number}"
        label = f"{name} ({len(own)})"
        axes.plot(times[shown], middle[shown], color=color, label=label)
        axes.fill_between(times[shown], low[shown], high[shown], color=color, alpha=0.18, lw=0)
        axes.plot(end, float(np.interp(end, times, middle)), "o", color=color)
    axes.set_ylim(0.9, 1.0)
    axes.set_xlim(left=0)
    axes.set_xlabel("seconds since the command was started")
    axes.set_ylabel("best validation accuracy so far")
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="lower right", title="median, middle half (searches)")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150)


def _at(race: Race, times: np.ndarray) -> np.ndarray:
    """The best so far at each time; 0 before the first epoch."""
    seconds, best = zip(*[(0.0, 0.0), *race.curve()], strict=True)
    return np.asarray(best)[np.searchsorted(seconds, times, side="right") - 1]
