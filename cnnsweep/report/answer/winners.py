"""How much too good a search's best validation metric is, being the best of many trials."""

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean

from cnnsweep.folders.run_folder import PAUSED
from cnnsweep.folders.sweep_folder import CONFIRM
from cnnsweep.report.read.run_record import Run
from cnnsweep.report.read.sweeps import Sweep
from cnnsweep.report.stats.intervals import mean_deviation
from cnnsweep.report.stats.metric import Metric, choose_metric
from cnnsweep.report.stats.significance import expected_maximum

_ROUNDING = 1e-9  # less deviation than that is none
_TRIED = ("completed", "pruned", PAUSED, "failed")  # the best was chosen among all of these


@dataclass(frozen=True, slots=True)
class Winner:
    """The best trial of a search, and what its confirmation runs said."""

    sweep: Sweep
    objective: Metric
    trial: Run
    best: float
    tried: int  # trials it is the best of, paused and failed ones included
    bias: float | None  # upper bound of the mean overestimate of ``best``; None: unknown
    confirmed: list[float]  # objectives of the confirmation runs, which nothing was chosen by
    test: list[float]  # their test accuracy
    runs: list[Run]  # of the trial and its confirmation

    def sentence(self) -> str:
        """One sentence that names what is optimistic and what isn't."""
        show = self.objective
        text = f"{self.sweep.name}: best {show.name} {show.show(self.best)}, chosen on validation"
        text += f" as the best of {self.tried} trials, hence optimistic"
        if self.bias is not None:
            text += f" (by up to {show.show_difference(self.bias)} on average)"
        unlearned = sum(run.learned is False for run in self.runs)
        if unlearned:
            text += f"; {unlearned} of its {len(self.runs)} runs never learned"
        if self.confirmed:
            mean, deviation = mean_deviation(self.confirmed)
            text += f"; with fresh seeds {show.show_mean(mean, deviation, len(self.confirmed))}"
        if self.test:
            mean, deviation = mean_deviation(self.test)
            accuracy = Metric("test_accuracy", maximize=True, percent=True)
            return f"{text}; test {accuracy.show_mean(mean, deviation, len(self.test))}."
        return f"{text}; no confirmation run has read the test split."


def winners(sweeps: list[Sweep]) -> list[Winner]:
    """The winner of each search with one objective that has a finished trial."""
    found = (_winner(sweep) for sweep in sweeps if sweep.searched)
    return [winner for winner in found if winner is not None]


def _winner(sweep: Sweep) -> Winner | None:
    trials: dict[object, list[Run]] = defaultdict(list)
    for run in sweep.runs:
        if run.role == "search" and run.status in _TRIED:
            trials[run.folder if run.trial is None else run.trial].append(run)
    values = {key: done for key, runs in trials.items() if (done := _objectives(runs))}
    name = next((str(r.value("config.objective") or "") for r in sweep.runs if r.config), "")
    if not values or name.startswith("["):
        return None
    members = [run for runs in trials.values() for run in runs]
    metric = choose_metric(members, name if any(name in r.result for r in members) else None)
    means = {key: fmean(done) for key, done in values.items()}
    best = max(means, key=lambda key: metric.sign() * means[key])
    confirmed = [run for run in sweep.runs if run.role == CONFIRM and run.status == "completed"]
    return Winner(
        sweep,
        metric,
        trials[best][0],
        means[best],
        len(trials),
        _bias(
            _objectives(confirmed), list(values.values()), len(values[best]), _with_values(trials)
        ),
        _objectives(confirmed),
        [value for run in confirmed if (value := run.metric("test_accuracy")) is not None],
        [*trials[best], *confirmed],
    )


def _with_values(trials: Mapping[object, list[Run]]) -> int:
    """The trials that the best was chosen from: those that did not fail."""
    return sum(all(run.status != "failed" for run in runs) for runs in trials.values())


def _objectives(runs: list[Run]) -> list[float]:
    """The objectives of the completed runs."""
    done = [run.metric("objective") for run in runs if run.status == "completed"]
    return [value for value in done if value is not None]


def _bias(
    confirmed: list[float], trials: list[list[float]], seeds: int, tried: int
) -> float | None:
    """A bound: noise of a trial's metric times the expected largest of so many noises.

    The noise is the deviation over seeds, from the confirmation runs or else from the trials with
    several seeds; None where nothing was repeated or all repeats came out equal.
    """
    _, noise = mean_deviation(confirmed) if len(confirmed) > 1 else (0.0, None)
    repeated = [t for t in trials if len(t) > 1]
    if noise is None and repeated:
        variances = [(mean_deviation(trial)[1] or 0.0) ** 2 for trial in repeated]
        noise = math.sqrt(fmean(variances))
    if noise is None or noise < _ROUNDING:
        return None
    return noise / math.sqrt(seeds) * expected_maximum(tried)
