"""What a contestant of the search tells while it runs: a JSON line for each begin, epoch, end."""

import json
import time
from pathlib import Path
from typing import Any


class Events:
    """One trial's lines, appended to a file that all workers share."""

    def __init__(self, file: str | Path, trial: str) -> None:
        self._file = Path(file)
        self._trial = trial
        self._write(event="begin")

    def epoch(self, accuracy: float) -> None:
        """An epoch's validation accuracy is known."""
        self._write(event="epoch", accuracy=accuracy)

    def end(self) -> None:
        self._write(event="end")

    def _write(self, **what: Any) -> None:
        line = json.dumps({"time": time.time(), "trial": self._trial, **what}) + "\n"
        with self._file.open("a") as file:  # one short write: lines of two processes don't mix
            file.write(line)
