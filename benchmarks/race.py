"""What a contestant of the search did, read from what it left."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

_TIME = "%Y-%m-%d %H:%M:%S,%f"
_RESUMING = "resuming after epoch"  # a line of cnnsweep's log: the trial is taken up again


class Event(NamedTuple):
    """Seconds since the contestant's process was started, the trial, and what happened."""

    seconds: float
    trial: str
    kind: str  # begin (also: again), line, epoch, end
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
        return max((accuracy for _, accuracy in self.curve()), default=0.0)

    def idle(self, workers: int) -> float:
        """Share of the workers' time in which they had no trial, start-up and end included.

        What follows an epoch, but for another one, is the end of a job: its trial may be paused.
        """
        busy = 0.0
        for trial in {event.trial for event in self.events}:
            own = sorted((e for e in self.events if e.trial == trial), key=lambda e: e.seconds)
            busy += sum(
                b.seconds - a.seconds
                for a, b in pairwise(own)
                if b.kind == "epoch" or (b.kind == "line" and a.kind != "epoch")
            )
        return 1 - busy / (workers * self.seconds)

    def seconds_to(self, accuracy: float) -> float | None:
        """When a validation accuracy of at least that was first seen; None: never."""
        return next((when for when, best in self.curve() if best >= accuracy), None)

    def curve(self) -> Iterator[tuple[float, float]]:
        """Seconds and the best validation accuracy so far, wherever that rises."""
        best = 0.0
        for event in sorted(self.events, key=lambda e: e.seconds):
            if event.accuracy is not None and event.accuracy > best:
                best = event.accuracy
                yield event.seconds, best


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
            kind = "begin" if _RESUMING in rest else "epoch" if accuracy else "line"
            found.append(Event(seconds, trial, kind, float(accuracy) if accuracy else None))
    return found
