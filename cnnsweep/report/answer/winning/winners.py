"""The winner of each search: its settings in full, and how much too good its value is."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean

from cnnsweep.report.answer.block import Block
from cnnsweep.report.answer.winning.default_config import AgainstDefault
from cnnsweep.report.read.given_trials import Beforehand
from cnnsweep.report.read.run_files import Splits
from cnnsweep.report.read.run_record import Run
from cnnsweep.report.read.spaces import Launch
from cnnsweep.report.read.sweeps import Sweep
from cnnsweep.report.stats.intervals import half_width, mean_deviation
from cnnsweep.report.stats.metric import TEST_ACCURACY, Metric


@dataclass(frozen=True, slots=True)
class Winner:
    """The best trial of a search, and what its confirmation runs said."""

    sweep: Sweep
    objective: Metric
    trial: Run
    best: float
    tried: int  # trials it is the best of: all but those that failed
    among: int  # the same, with the trials of another sweep that its point was chosen among
    beforehand: Beforehand
    bias: float | None  # upper bound of the mean overestimate of ``best``; None: unknown
    confirmed: list[float]  # objectives of the confirmation runs, which nothing was chosen by
    test: list[float]  # their test accuracy
    runs: list[Run]  # of the trial and its confirmation
    seeds: int  # runs of the trial, whose mean ``best`` is
    settings: list[str]  # words that set all that the search varied
    splits: Splits
    launch: Launch | None
    against: AgainstDefault | None  # None where nobody knows which trial the default config was

    def sentence(self) -> str:
        """What won with which settings, what is optimistic in its value and what isn't."""
        show = self.objective
        text = (
            f"{self.sweep.name}: trial {self._number()} won with {' '.join(self.settings)}: best "
        )
        text += (
            f"{show.name} {show.show(self.best)} ({self._basis()}), chosen on validation as the "
        )
        text += f"best of {self.among} trials{self._points()}, hence optimistic"
        if self.bias is not None:
            text += f" (by up to {show.show_difference(self.bias)} on average)"
        unlearned = sum(run.learned is False for run in self.runs)
        if unlearned:
            text += f"; {unlearned} of its {len(self.runs)} runs never learned"
        if self.confirmed:
            text += f"; with fresh seeds {show.name} {shown_mean(show, self.confirmed)}"
        if self.test:
            images = f" on {self.splits.test:,} images" if self.splits.test else ""
            return f"{text}; {self.test_words()}{images}."
        return f"{text}; no confirmation run has read the test split."

    def test_words(self) -> str:
        """``test 98.86 ± 0.09 % (n = 5, sd 0.07)``."""
        deviation = mean_deviation(self.test)[1]
        spread = "" if deviation is None else f", sd {TEST_ACCURACY.show_deviation(deviation)}"
        return f"test {shown_mean(TEST_ACCURACY, self.test, spread)}"

    def _points(self) -> str:
        earlier = self.beforehand.points_of
        return f", {earlier:,} of them in the sweep that its point is from" if earlier else ""

    def _number(self) -> object:
        return self.trial.folder.name if self.trial.trial is None else self.trial.trial

    def _basis(self) -> str:
        """What the best value rests on."""
        is_validation = self.objective.name.startswith("val_") and self.splits.validation
        images = [f"{self.splits.validation:,} validation images"] if is_validation else []
        return ", ".join([*images, "one seed" if self.seeds == 1 else f"{self.seeds} seeds"])


def without_copies(winners: Sequence[Winner]) -> list[Winner]:
    """Winners whose settings, confirmation runs and values another has too count once."""
    first: dict[object, Winner] = {}
    for winner in winners:
        values = tuple(sorted([*winner.confirmed, *winner.test]))
        first.setdefault((*winner.settings, values) if values else id(winner), winner)
    return [*first.values()]


def unequal_budgets(winners: Sequence[Winner]) -> str:
    """A sentence where searches that are taken together had other numbers of trials, else empty."""
    trials = {w.tried if w.launch is None else w.launch.n_trials or w.tried for w in winners}
    if len(trials) < 2:
        return ""
    named = ", ".join(map(str, sorted(trials)))
    return f" Warning: the searches had different numbers of trials ({named})."


def shown_trials(winners: Sequence[Winner]) -> str:
    """How many trials searches had, for a table: ``2, and 10 earlier ones``."""
    tried = sum(winner.tried for winner in winners)
    earlier = sum(winner.beforehand.points_of for winner in winners)
    return f"{tried}, and {earlier} earlier ones" if earlier else str(tried)


def costs(winners: Sequence[Winner]) -> tuple[float, float]:
    """Seconds of all trainings of the searches, and of one training of their winners."""
    trials = [run for winner in winners for run in winner.sweep.runs if run.role == "search"]
    return sum(map(_seconds, trials)), fmean(_seconds(winner.trial) for winner in winners)


def _seconds(run: Run) -> float:
    return max(run.metric("train_seconds") or 0.0, 0.0)


def shown_mean(metric: Metric, values: Sequence[float], more: str = "") -> str:
    """``98.86 ± 0.09 % (n = 5)`` of single runs' values."""
    mean, deviation = mean_deviation(values)
    return metric.show_mean(mean, half_width(deviation, len(values)), len(values), more)


_REAL = re.compile(r"-?\d+(\.\d+)?(e-?\d+)?")
_COLUMNS = (
    "search", "best", "trials", "test", "n", "sd", "against the default config", "settings",
)  # fmt: skip


def winners_table(winners: Sequence[Winner]) -> Iterator[Block]:
    """A row a search, for an appendix; nothing where there is no winner."""
    if winners:
        yield Block(
            "Winners of the searches",
            columns=_COLUMNS,
            rows=[_row(winner) for winner in winners],
            caption="best: the objective on validation, chosen as the best of the trials and so "
            "optimistic. test: mean of n runs with fresh seeds, ± half of its 95 % interval, which "
            "fewer than three do not have; sd: standard deviation of single runs. "
            "settings: four digits of each number; they stand in full above.",
            is_detail=True,
        )


def _row(winner: Winner) -> list[str]:
    test, deviation = "–", None
    if winner.test:
        mean, deviation = mean_deviation(winner.test)
        test = TEST_ACCURACY.show_around(mean, half_width(deviation, len(winner.test)))
    return [
        winner.sweep.name,
        f"{winner.objective.name} {winner.objective.show(winner.best)}",
        shown_trials([winner]),
        test,
        str(len(winner.test)),
        TEST_ACCURACY.show_deviation(deviation),
        "unknown" if winner.against is None else winner.against.cell(),
        " ".join(map(_short, winner.settings)),
    ]


def _short(word: str) -> str:
    """A setting with four significant digits; sentences have it in full."""
    key, _, value = word.partition("=")
    is_real = _REAL.fullmatch(value) is not None
    return f"{key}={float(value):.4g}" if is_real else word
