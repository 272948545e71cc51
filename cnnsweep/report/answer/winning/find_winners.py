"""From the runs of a search to its winner."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from statistics import fmean

from cnnsweep.errors import and_more
from cnnsweep.folders.run_folder import PAUSED
from cnnsweep.folders.sweep_folder import CONFIRM
from cnnsweep.report.answer.searches import searched
from cnnsweep.report.answer.winning.default_config import (
    AgainstDefault,
    OnTest,
    objectives,
    on_test,
    on_validation,
)
from cnnsweep.report.answer.winning.winners import Winner
from cnnsweep.report.read.given_trials import beforehand, default_trial
from cnnsweep.report.read.run_files import Splits, not_drawn, split_sizes, words_of
from cnnsweep.report.read.run_record import Run
from cnnsweep.report.read.spaces import Launch, read_launch
from cnnsweep.report.read.sweeps import Sweep
from cnnsweep.report.stats.group_keys import setting_keys, setting_of
from cnnsweep.report.stats.intervals import mean_deviation, pooled_variance
from cnnsweep.report.stats.metric import TEST_ACCURACY, Metric, objective_of
from cnnsweep.report.stats.significance import expected_maximum

_ROUNDING = 1e-9  # less deviation than that is none
_TRIED = ("completed", "pruned", PAUSED, "failed")
_NAMED = 3  # searches whose confirmation runs are the default config's
Trials = Mapping[object, list[Run]]  # by number, of a trial with several seeds all its runs


def winners(sweeps: Sequence[Sweep], runs: Iterable[Run]) -> list[Winner]:
    """The winner of each search with one objective that has a finished trial.

    ``runs`` are all of the report: among them may be runs of a default config.
    """
    singles = _Singles([r for r in runs if r.role != "search" and r.status == "completed"])
    rivals = _rivals(sweeps)
    found = (_winner(s, singles, rivals.get(s.folder, 1)) for s in sweeps if s.searched)
    return [winner for winner in found if winner is not None]


def _rivals(sweeps: Sequence[Sweep]) -> dict[Path, int]:
    """Of how many searches of the same data and length each may come out best, itself counted."""
    strata: dict[str, list[Path]] = defaultdict(list)
    for one in searched(sweeps):
        own = [s for s in one.sweeps if any(r.result.get("objective") is not None for r in s.runs)]
        strata[one.stratum] += [sweep.folder for sweep in own]
    return {folder: len(own) for own in strata.values() for folder in own}


@dataclass
class _Singles:
    """Completed runs that were no trials, by setting; sorted when the first is asked for."""

    runs: Sequence[Run]

    @cached_property
    def _by_setting(self) -> dict[object, list[Run]]:
        found: dict[object, list[Run]] = defaultdict(list)
        for run in self.runs:
            found[setting_of(run)].append(run)
        return found

    def like(self, run: Run) -> list[Run]:
        """Those that differ from a run in nothing but their seed."""
        return self._by_setting.get(setting_of(run), [])


def _winner(sweep: Sweep, singles: _Singles, rivals: int) -> Winner | None:
    trials = _trials(sweep)
    values = {key: done for key, runs in trials.items() if (done := objectives(runs))}
    members = [run for runs in trials.values() for run in runs]
    metric = objective_of(members)
    if not values or metric is None:
        return None
    means = {key: fmean(done) for key, done in values.items()}
    best = max(means, key=lambda key: metric.sign() * means[key])
    confirmed = [run for run in sweep.runs if run.role == CONFIRM and run.status == "completed"]
    reached = objectives(confirmed)
    launch = read_launch(sweep.folder)
    keys = launch.keys if launch is not None and launch.keys else setting_keys(members, ())
    splits = _splits(trials[best][0], confirmed)
    tested = _tested(confirmed, splits.test)
    before = beforehand(sweep)
    tried = _with_values(trials)
    number = tried + before.points_of
    return Winner(
        sweep=sweep,
        objective=metric,
        trial=trials[best][0],
        best=means[best],
        tried=tried,
        among=number,
        beforehand=before,
        bias=_bias(reached, list(values.values()), len(values[best]), number),
        confirmed=reached,
        test=list(tested.values.values()),
        runs=[*trials[best], *confirmed],
        seeds=len(values[best]),
        settings=_settings(trials[best][0], keys, launch),
        splits=splits,
        launch=launch,
        against=_against(
            sweep, metric, trials, trials[best], tested, splits, keys, singles, rivals, number
        ),
    )


def _settings(trial: Run, keys: Iterable[str], launch: Launch | None) -> list[str]:
    """The words that set what a trial drew."""
    absent = not_drawn(launch, trial)
    return words_of(trial, [key for key in keys if key not in absent])


def _trials(sweep: Sweep) -> Trials:
    trials: dict[object, list[Run]] = defaultdict(list)
    for run in sweep.runs:
        if run.role == "search" and run.status in _TRIED:
            trials[run.folder if run.trial is None else run.trial].append(run)
    return trials


def _splits(trial: Run, confirmed: Sequence[Run]) -> Splits:
    """Both splits' sizes: trials of a search have not read the test split."""
    of_trial = split_sizes(trial)
    tested = split_sizes(confirmed[0]) if confirmed else of_trial
    return Splits(of_trial.validation, tested.test, of_trial.brings_validation)


def _tested(runs: Iterable[Run], images: int | None) -> OnTest:
    read = ((run.seed, run.metric(TEST_ACCURACY.name)) for run in runs)
    return OnTest({seed: value for seed, value in read if value is not None}, images)


def _against(
    sweep: Sweep,
    metric: Metric,
    trials: Trials,
    best: Sequence[Run],
    tested: OnTest,
    splits: Splits,
    keys: Iterable[str],
    singles: _Singles,
    rivals: int,
    number: int,
) -> AgainstDefault | None:
    """On the test split, where runs of both have read it, else on validation."""
    at = default_trial(sweep)
    default = trials.get(at) if at is not None else None
    if not default:
        return None
    words = _settings(default[0], keys, read_launch(sweep.folder))
    if default[0].folder != best[0].folder and tested.values:
        same = [run for run in singles.like(default[0]) if run.sweep != sweep.folder]
        default_tested = replace(_tested(same, splits.test), source=_source(same))
        found = on_test(tested, default_tested, words, rivals)
        if found is not None:
            return found
    others = _with_values(trials) - 1
    return on_validation(metric, best, default, splits, number, words, rivals, others)


def _source(runs: Sequence[Run]) -> str:
    """Where the default config was trained outside the search, in words."""
    others = sum(run.role != CONFIRM for run in runs)
    parts = [f"{others} runs outside searches" if others > 1 else "a run outside searches"]
    parts = parts if others else []
    sweeps = dict.fromkeys(run.sweep for run in runs if run.role == CONFIRM)
    names = ["/".join(sweep.parts[-2:]) for sweep in sweeps if sweep is not None]
    if names:
        parts.append(f"confirmation runs of {and_more(names, _NAMED)}")
    return " and ".join(parts)


def _with_values(trials: Trials) -> int:
    """The trials that the best was chosen from: those that did not fail."""
    return sum(all(run.status != "failed" for run in runs) for runs in trials.values())


def _bias(
    confirmed: list[float], trials: list[list[float]], seeds: int, tried: int
) -> float | None:
    """A bound: noise of a trial's metric times the expected largest of so many noises.

    The noise is the deviation over seeds, from the confirmation runs or else from the trials with
    several seeds; None where nothing was repeated or all repeats came out equal.
    """
    _, noise = mean_deviation(confirmed) if len(confirmed) > 1 else (0.0, None)
    if noise is None:
        variance, _ = pooled_variance(trials)
        noise = None if variance is None else math.sqrt(variance)
    if noise is None or noise < _ROUNDING:
        return None
    return noise / math.sqrt(seeds) * expected_maximum(tried)
