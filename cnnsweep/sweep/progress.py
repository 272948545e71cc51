"""The launching terminal: one live table, or plain lines where it is no terminal."""

import math
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from cnnsweep.sweep.estimate.live import OPEN, TimeLeft
from cnnsweep.sweep.spec.formatting import format_params, format_value
from cnnsweep.sweep.spec.messages import Epoch, Job
from cnnsweep.sweep.spec.settings import Settings
from cnnsweep.sweep.study.confirmation import winner
from cnnsweep.sweep.study.search import Search

_COUNTED = ("done", "pruned", "failed", "running", "paused", "of")  # in the order of columns
_DRAWINGS = 4  # a second: the table goes through all trials
_LINES_APART = 5.0  # seconds between two looks at whether a line is due


@dataclass
class SweepProgress:
    """Prints a line for each event and, where ``live`` is set, the table below them."""

    console: Console
    live: Live | None
    time_left: TimeLeft = field(default_factory=TimeLeft)
    _jobs: dict[int, Job] = field(default_factory=dict)
    _epochs: dict[int, Epoch] = field(default_factory=dict)
    _drawn: float = -math.inf
    _held: list[str] | None = None

    def say(self, line: str) -> None:
        if self._held is None:
            self.console.print(Text(line), soft_wrap=True)
        else:
            self._held.append(line)

    @contextmanager
    def held_back(self) -> Iterator[list[str]]:
        """Keep what is said meanwhile in a list, for later; an error has it said at once."""
        held: list[str] = []
        self._held = held
        try:
            yield held
        except BaseException:
            self._held = None
            for line in held:
                self.say(line)
            raise
        finally:
            self._held = None

    def begun(self, slot: int, job: Job) -> None:
        self._jobs[slot] = job
        self._epochs.pop(slot, None)
        self.time_left.begun(slot, job)

    def epoch_ended(self, slot: int, epoch: Epoch) -> None:
        self._epochs[slot] = epoch
        self.time_left.epoch_ended(slot, epoch)

    def over(self, slot: int) -> None:
        self._jobs.pop(slot, None)
        self.time_left.over(slot)

    def refresh(self, searches: Sequence[Search]) -> None:
        """Draw the table anew; without one, say now and then how much time is left."""
        now = time.monotonic()
        if now - self._drawn <= (1 / _DRAWINGS if self.live is not None else _LINES_APART):
            return
        self._drawn = now
        if self.live is not None:
            self.live.update(self.table(searches))
        elif (line := self.time_left.line(searches)) is not None:
            self.say(line)

    def table(self, searches: Sequence[Search]) -> Group:
        """Counts and the best so far of each search, then the running jobs."""
        return Group(self._summary(searches), self._running(searches))

    def _summary(self, searches: Sequence[Search]) -> Table:
        table = Table(box=None, pad_edge=False)
        counts = [search.counts() for search in searches]
        words = sorted({w for one in counts for w in one}, key=_COUNTED.index)
        headings = (*words, "best", "left")
        for heading in ("search", *headings) if len(searches) > 1 else headings:
            table.add_column(heading, style="bold" if heading == "best" else None)
        left = self.time_left.of(searches)
        for search, counted in zip(searches, counts, strict=True):
            subfolder = [search.plan.subfolder] if len(searches) > 1 else []
            numbers = (str(counted.get(word, 0)) for word in words)
            table.add_row(*subfolder, *numbers, _best(search), "?" if left is None else str(left))
        return table

    def _running(self, searches: Sequence[Search]) -> Table:
        table = Table(box=None, pad_edge=False)
        for heading in ("run", "epoch", "metric so far", "parameters"):
            table.add_column(heading)
        for slot, job in sorted(self._jobs.items()):
            search, epoch = searches[job.search_index], self._epochs.get(slot)
            name = search.plan.objectives[0]
            shown = None if epoch is None else epoch.metrics.get(name)
            table.add_row(
                job.folder,
                "" if epoch is None else f"{epoch.number}{_of_epochs(search)}",
                "" if shown is None else f"{name} {format_value(shown)}",
                ""
                if job.trial is None
                else format_params(search.plan.params(search.recorder.trial(job))),
            )
        return table


def _of_epochs(search: Search) -> str:
    """How many epochs a run has, after the number of one."""
    epochs = search.plan.common_epochs
    return "" if epochs is None else f"/{epochs}"


def _best(search: Search) -> str:
    best = winner(search.study)
    if best is None:
        return ""
    params = format_params(search.plan.params(best))
    return f"{format_value(best.value)} ({search.plan.label(best)}: {params})"


def _over(counts: dict[str, int]) -> int:
    return sum(number for word, number in counts.items() if word not in OPEN)


def announcement(search: Search, settings: Settings, is_our_task: bool) -> Iterator[str]:
    """What a search is about to do."""
    plan = search.plan
    drawn = map(plan.space.said, plan.space.distributions)
    names = ", ".join(drawn) or settings.custom_search_space
    prefix = f"{plan.choice}: " if plan.choice else ""
    several, folder = "", plan.folder
    if plan.search_number is not None:
        several, folder = f"{settings.searches} searches, each of ", folder.parent
    yield f"{several}{search.asker.trials_in_all()} trials over {names}; in {folder}"
    if search.asker.goes_through:
        several = "s: each" if plan.points != 1 else ": it"
        yield (
            f"{prefix}the space has {plan.points} point{several} is tried once, then the "
            "search ends"
        )
    chosen_by = [name for name in plan.objectives if name.startswith("test_")]
    if is_our_task and chosen_by:
        yield (
            f"{prefix}warning: this search chooses by {', '.join(chosen_by)}, so that the "
            "test split no longer tells how good the winner is on new images; val_accuracy and "
            "val_loss leave it unread"
        )


def counted(search: Search) -> str:
    """How many trials of a resumed search are over."""
    counts = search.counts()
    over, wanted = _over(counts), counts["of"]
    paused = counts.get("paused")
    more = f", {paused} {'is' if paused == 1 else 'are'} paused" if paused else ""
    if over <= wanted:
        return f"{over} of {wanted} {search.plan.noun}s are over{more}"
    return f"{over} trials are over{more}, more than hydra.sweeper.n_trials={wanted}"


@contextmanager
def open_progress(stream: IO[str]) -> Iterator[SweepProgress]:
    """The display for a stream: the live table on a terminal, lines elsewhere."""
    console = Console(file=stream, highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        yield SweepProgress(console, None)
        return
    with Live(console=console, refresh_per_second=_DRAWINGS, transient=True) as live:
        yield SweepProgress(console, live)
