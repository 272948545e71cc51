"""Training time and epochs of all runs, epochs that were spared, failures by cause."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from cnnsweep.folders.run_folder import PAUSED
from cnnsweep.metric_names import duration
from cnnsweep.report.read.run_record import Run


@dataclass(frozen=True, slots=True)
class Cost:
    """Sums over all runs, finished or not.

    ``epochs_spared``: planned epochs that pruning saved; ``epochs_left``: those that paused trials
    have not had, and may still get.
    """

    seconds: float
    seconds_lost: float  # in runs that failed, were interrupted or are damaged
    epochs: int
    epochs_spared: int
    epochs_left: int
    failures: list[tuple[str, int, Run]]  # cause, how often, the first such run

    def sentence(self) -> str:
        """One line for the terminal and the files."""
        text = f"{duration(self.seconds)} of training, {self.epochs:,} epochs"
        if self.seconds_lost:
            text += f" ({duration(self.seconds_lost)} in runs that failed or were interrupted)"
        if self.epochs_spared:
            text += f"; pruning spared {self._of_all(self.epochs_spared)}"
        if self.epochs_left:
            text += f"; paused trials lack {self._of_all(self.epochs_left)}"
        return text + "."

    def _of_all(self, epochs: int) -> str:
        planned = self.epochs + self.epochs_spared + self.epochs_left
        return f"{epochs:,} epochs ({100 * epochs / planned:.0f} % of all planned)"


def cost(runs: Sequence[Run]) -> Cost:
    """Add up what the folders tell."""
    lost = [run for run in runs if run.status in ("failed", "interrupted", "damaged")]
    return Cost(
        sum(_seconds(run) for run in runs),
        sum(_seconds(run) for run in lost),
        sum(run.epochs_done for run in runs),
        sum(_lacking(run) for run in runs if run.status == "pruned"),
        sum(_lacking(run) for run in runs if run.status == PAUSED),
        _failures(runs),
    )


def _seconds(run: Run) -> float:
    return max(run.metric("train_seconds") or 0.0, 0.0)


def _lacking(run: Run) -> int:
    planned = run.epochs_planned
    return 0 if planned is None else max(int(planned) - run.epochs_done, 0)


def _failures(runs: Sequence[Run]) -> list[tuple[str, int, Run]]:
    """Causes by frequency; causes that differ in numbers and paths only are one."""
    first: dict[str, Run] = {}
    counted: Counter[str] = Counter()
    for run in runs:
        if run.status == "failed":
            cause = re.sub(r"/\S+|\d+(\.\d+)?(e[-+]?\d+)?", "…", run.error or "no cause recorded")
            counted[cause] += 1
            first.setdefault(cause, run)
    return [(first[c].error or c, count, first[c]) for c, count in counted.most_common()]
