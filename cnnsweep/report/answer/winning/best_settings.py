"""The best settings of a grid in full: chosen on validation, with their test value beside."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from cnnsweep.report.answer.winning.winners import shown_mean
from cnnsweep.report.read.run_files import Splits, split_sizes, words_of
from cnnsweep.report.read.run_record import Run
from cnnsweep.report.read.spaces import read_launch
from cnnsweep.report.read.sweeps import Sweep
from cnnsweep.report.stats.group_keys import setting_keys, setting_of
from cnnsweep.report.stats.metric import TEST_ACCURACY, Metric, objective_of

_SEED = "seed"


@dataclass(frozen=True, slots=True)
class BestSettings:
    """Of a grid's completed jobs, those with the best mean objective."""

    sweep: Sweep
    metric: Metric  # the objective
    tried: int  # settings
    runs: list[Run]  # one a seed
    settings: list[str]  # words that set all that the grid varied, but the seed
    splits: Splits

    def sentence(self) -> str:
        """Which settings, and what they reached on validation and test."""
        values = _values(self.runs, self.metric.name)
        images = self.splits.validation if self.metric.name.startswith("val_") else None
        basis = f" on {images:,} validation images" if images else ""
        text = f"{self.sweep.name}: the best of {self.tried} settings by {self.metric.name} is "
        text += (
            f"{' '.join(self.settings)}: {shown_mean(self.metric, values)}{basis}, chosen by it "
        )
        text += "and hence optimistic"
        test = _values(self.runs, TEST_ACCURACY.name)
        if not test or self.metric == TEST_ACCURACY:
            return f"{text}."
        images = self.splits.test
        basis = f" on {images:,} images" if images else ""
        return f"{text}; test {shown_mean(TEST_ACCURACY, test)}{basis}."


def best_settings(sweeps: Sequence[Sweep]) -> list[BestSettings]:
    """Of each grid of several settings that has completed jobs with one objective."""
    found = (_best(sweep) for sweep in sweeps if not sweep.searched)
    return [best for best in found if best is not None]


def _best(sweep: Sweep) -> BestSettings | None:
    done = [run for run in sweep.runs if run.role == "grid" and run.status == "completed"]
    named = {str(run.value("config.objective")) for run in done}
    metric = objective_of(done)
    if len(named) != 1 or metric is None or not all(run.ours for run in done):
        return None
    name = metric.name
    settings: dict[object, list[Run]] = defaultdict(list)
    for run in done:
        if run.metric(name) is not None:
            settings[setting_of(run)].append(run)
    if len(settings) < 2:
        return None
    best = max(settings.values(), key=lambda own: metric.sign() * fmean(_values(own, name)))
    launch = read_launch(sweep.folder)
    keys = [key for key in launch.keys if key != _SEED] if launch is not None else []
    words = words_of(best[0], keys or setting_keys(done, ()))
    return BestSettings(sweep, metric, len(settings), best, words, split_sizes(best[0]))


def _values(runs: Sequence[Run], name: str) -> list[float]:
    """A value a seed."""
    by_seed: dict[object, list[float]] = defaultdict(list)
    for run in runs:
        if (value := run.metric(name)) is not None:
            by_seed[run.seed].append(value)
    return [fmean(several) for several in by_seed.values()]
