"""What a contestant of the search did, read from what it left, and the picture of all of them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from matplotlib.figure import Figure

_TIME = "%Y-%m-%d %H:%M:%S,%f"


class Event(NamedTuple):
    """Seconds since the contestant's process was started, the trial, and what happened."""

    seconds: float
    trial: str
    kind: str  # begin, epoch, end
    accuracy: float | None


@dataclass(frozen=True)
class Race:
    """One contestant's search; ``seconds`` is its process's whole life.

    ``load`` is the machine's at its end, over one minute: well above the workers' number, and
    somebody else was at work too.
    """

    name: str
    seed: int
    seconds: float
    load: float
    events: Sequence[Event]

    @property
    def trials(self) -> int:
        return len({event.trial for event in self.events})

    @property
    def epochs(self) -> int:
        return sum(event.kind == "epoch" for event in self.events)

    @property
    def best(self) -> float:
        return max(event.accuracy for event in self.events if event.accuracy is not None)

    def idle(self, workers: int) -> float:
        """Share of the workers' time in which they had no trial, start-up and end included."""
        busy = 0.0
        for trial in {event.trial for event in self.events}:
            times = [event.seconds for event in self.events if event.trial == trial]
            busy += max(times) - min(times)
        return 1 - busy / (workers * self.seconds)

    def seconds_to(self, accuracy: float) -> float | None:
        """When a validation accuracy of at least that was first seen."""
        times = [
            e.seconds for e in self.events if e.accuracy is not None and e.accuracy >= accuracy
        ]
        return min(times, default=None)


def read_events(file: Path, started: float) -> list[Event]:
    """The lines that benchmarks/peers/events.py writes; ``started`` is a time.time()."""
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    return [
        Event(line["time"] - started, line["trial"], line["event"], line.get("accuracy"))
        for line in lines
    ]


def read_logs(sweep: Path, started: float) -> list[Event]:
    """The same from the logs of cnnsweep's run folders, whose lines carry the time."""
    found: list[Event] = []
    for log in sorted(sweep.glob("[0-9]*/cnnsweep.log")):
        lines = [line for line in log.read_text().splitlines() if line.startswith("[2")]
        trial = log.parent.name
        for line in lines:
            stamp, _, rest = line[1:].partition("]")
            seconds = datetime.strptime(stamp, _TIME).timestamp() - started
            accuracy = rest.partition("val_accuracy ")[2].partition(",")[0]
            kind = "epoch" if accuracy else "begin"
            found.append(Event(seconds, trial, kind, float(accuracy) if accuracy else None))
        ended = (log.parent / "result.json").stat().st_mtime - started
        found.append(Event(ended, trial, "end", None))
    return found


def draw(races: Sequence[Race], path: Path) -> None:
    """Best validation accuracy so far against wall time; a dot where a contestant was through."""
    figure = Figure(figsize=(9, 4.6), layout="constrained")
    axes = figure.subplots()
    colors = {name: f"C{i}" for i, name in enumerate(dict.fromkeys(race.name for race in races))}
    for race in races:
        points = [(e.seconds, e.accuracy) for e in race.events if e.accuracy is not None]
        best, seconds, accuracies = 0.0, [], []
        for when, accuracy in sorted(points):
            if accuracy > best:
                best = accuracy
                seconds.append(when)
                accuracies.append(best)
        color = colors[race.name]
        first = race.name not in axes.get_legend_handles_labels()[1]
        axes.step(
            [*seconds, race.seconds],
            [*accuracies, best],
            where="post",
            color=color,
            label=race.name if first else None,
        )
        axes.plot(race.seconds, best, "o", color=color)
    axes.set_ylim(0.9, 1.0)
    axes.set_xlim(left=0)
    axes.set_xlabel("seconds since the command was started")
    axes.set_ylabel("best validation accuracy so far")
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="lower right")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150)
