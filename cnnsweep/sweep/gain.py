"""How much better a search's winner is than the config without the search, and how sure that is."""

import math
from typing import TYPE_CHECKING, Any

from optuna.trial import FrozenTrial, TrialState

from cnnsweep.folders.data_record import validation_images
from cnnsweep.folders.run_folder import RunFolder
from cnnsweep.folders.sweep_folder import DEFAULT_TRIAL, IS_DEFAULT, POINT, POINTS_OF, seed_runs
from cnnsweep.metric_names import is_share
from cnnsweep.sweep.earlier.chosen import chosen_besides
from cnnsweep.sweep.earlier.default_config import DEFAULT
from cnnsweep.sweep.freeze_thaw.paused import paused_at
from cnnsweep.sweep.journal.theirs import ours
from cnnsweep.sweep.spec.formatting import format_value
from cnnsweep.sweep.spec.run_keys import SEED
from cnnsweep.sweep.spec.space.points import identity
from cnnsweep.sweep.study.confirmation import winner
from cnnsweep.sweep.study.search import Search
from cnnsweep.sweep.study.tried import is_tried

if TYPE_CHECKING:
    from cnnsweep.report.answer.winning.gain import Gain

_ENDS = {TrialState.PRUNED: "was pruned", TrialState.FAIL: "failed"}


def gain_lines(search: Search) -> list[str]:
    """What is known of the difference between the winner and the default config.

    The default config is the trial that :func:`cnnsweep.sweep.study.opening.study.open_search`
    enqueued as the first, or one that has its values; nothing is said of searches that older code
    began, which does not tell it apart.
    """
    best = winner(search.study)
    if best is None:
        return []
    trials, default = ours(search.study).get_trials(deepcopy=False), _default(search)
    if default is None:
        is_unknown = any(map(_is_perhaps_default, trials))
        none = "the default config was no trial of this search: what was gained over it is unknown"
        return [] if is_unknown else [none]
    tried = list(filter(is_tried, trials))
    elsewhere = chosen_besides(search.study, search.plan, best, tried)
    number = len(tried) + elsewhere
    if default.number == best.number:
        return [_itself(default, len(tried)), *_optimism(search, number, elsewhere)]
    return [_against(search, best, default, number), *_optimism(search, number, elsewhere)]


def _is_perhaps_default(trial: FrozenTrial) -> bool:
    """Whether older code may have enqueued it as the default config."""
    return "fixed_params" in trial.system_attrs and POINT not in trial.user_attrs


def compared_with(search: Search, best: FrozenTrial) -> dict[str, int | None]:
    """What the results say: which trial is the default config, None where none is known to be.

    Of a winner that is a given point besides, among how many trials elsewhere it was chosen.
    """
    default = _default(search)
    tried = list(filter(is_tried, ours(search.study).get_trials(deepcopy=False)))
    chosen = chosen_besides(search.study, search.plan, best, tried)
    found = {DEFAULT_TRIAL: None if default is None else default.number}
    return found | ({POINTS_OF: chosen} if chosen else {})


def _default(search: Search) -> FrozenTrial | None:
    """The trial that is marked as it, or else the first of those with its values that completed."""
    trials = search.study.get_trials(deepcopy=False)
    marked = next((trial for trial in trials if IS_DEFAULT in trial.user_attrs), None)
    point = search.study.user_attrs.get(DEFAULT)
    if marked is not None or point is None:
        return marked
    key = identity(point)
    same = [t for t in ours(search.study).get_trials(deepcopy=False) if identity(t.params) == key]
    return min(same, key=lambda t: (t.state is not TrialState.COMPLETE, t.number), default=None)


def _optimism(search: Search, number: int, elsewhere: int) -> list[str]:
    if number < 2:
        return []
    line = f"a winner's value is the best of {number} tried"
    line += f", {elsewhere} of them in the sweep that its point is from," if elsewhere else ""
    line += " and so looks better than it is: "
    wanted = search.confirmation.wanted
    if wanted and search.confirmation.test_metrics():
        return [f"{line}its confirmation runs do not"]
    how = " (hydra.sweeper.confirm=3)" if _has_seeds(search) and not wanted else ""
    return [f"{line}runs with fresh seeds do not{how}"]


def _has_seeds(search: Search) -> bool:
    """Whether the sweeper can set the seed of a run, which another app may not have."""
    return search.plan.keys.get(SEED) is not None


def _itself(default: FrozenTrial, number: int) -> str:
    from cnnsweep.report.answer.winning.gain import none_better  # SciPy takes a while

    return f"trial {default.number} is the default config{none_better(number - 1)}"


def _against(search: Search, best: FrozenTrial, default: FrozenTrial, number: int) -> str:
    named = f"the default config (trial {default.number}"
    metric, epoch = search.plan.objectives[0], paused_at(default)
    if epoch is not None and search.seeds == 1:  # its value is not final: both as they were then
        values = _best_until(search, best, epoch), _best_until(search, default, epoch)
        of = search.plan.epochs(default)
        reached, its = map(format_value, values)
        named += f", {metric} {its}, the winner's then {reached}) when it was paused after "
        named += f"{epoch} of {of} epochs"
    elif default.state is TrialState.COMPLETE and best.value is not None:
        assert default.value is not None
        values = best.value, default.value
        named += f", {metric} {format_value(default.value)})"
    else:
        ending = "is paused" if epoch else _ENDS.get(default.state, "is not over")
        return f"{named}) {ending}: what the winner gained over it is unknown"
    return _difference(search, (best, default), values, named, number)


def _difference(
    search: Search,
    pair: tuple[FrozenTrial, FrozenTrial],
    values: tuple[float, float],
    named: str,
    number: int,
) -> str:
    """How much better the first of two trials is, and how sure that is."""
    from cnnsweep.report.answer.winning.gain import unknown_chance  # SciPy takes a while
    from cnnsweep.report.stats.metric import Metric

    metric, difference = search.plan.objectives[0], values[0] - values[1]
    if math.isnan(difference):
        return f"{named}: what the winner gained over it is unknown"
    if difference == 0:
        return f"the winner is as good as {named}"
    is_more_better = search.plan.directions[0] == "maximize"
    shown = Metric(metric, is_more_better, percent=is_share(metric, values))
    way = "above" if difference > 0 else "below"
    said = f"{shown.show_difference(abs(difference))} {way} {named}"
    runs = [search.plan.run(search.plan.place(trial)) for trial in pair]
    gain = _gain(metric, (runs[0], runs[1]), values, search.seeds, number)
    if gain is None:
        return f"{said}; {unknown_chance(has_seeds=_has_seeds(search))}"
    return f"{said}, {gain.verdict(is_share=shown.percent)}"


def _best_until(search: Search, trial: FrozenTrial, epoch: int) -> float:
    """A trial's best value in its first epochs; NaN where it had none."""
    early = (value for step, value in trial.intermediate_values.items() if step <= epoch)
    values = [value for value in early if not math.isnan(value)] or [math.nan]
    return max(values) if search.plan.directions[0] == "maximize" else min(values)


def _gain(
    metric: str,
    trials: tuple[RunFolder, RunFolder],
    values: tuple[float, float],
    seeds: int,
    number: int,
) -> "Gain | None":
    """Of the winner's objective over the default config's; None where nothing tells its interval.

    Seeds are compared in pairs; one run each of an accuracy by how many images there are.
    """
    from cnnsweep.report.answer.winning.gain import (  # SciPy takes a while
        SPLITS,
        gain_of_images,
        gain_of_seeds,
    )

    if seeds > 1:
        pairs = [_objectives(trial) for trial in trials]
        return gain_of_seeds(pairs[0], pairs[1], number)
    split = SPLITS.get(metric)
    images = [None if split is None else _images(trial, split) for trial in trials]
    if split is None or images[0] is None or images[1] is None:
        return None
    pair = (values[0], images[0]), (values[1], images[1])
    return gain_of_images(*pair, split, number, "one seed")


def _objectives(trial: RunFolder) -> list[float]:
    runs = (RunFolder(run, is_ours=trial.is_ours) for run in seed_runs(trial.path))
    results = [run.read_result() for run in runs]
    found = [None if result is None else result.get("objective") for result in results]
    return [value for value in found if isinstance(value, int | float)]


def _images(run: RunFolder, split: str) -> int | None:
    """How many images a run's figures of a split rest on; None where it isn't recorded."""
    config, result = run.read_config() if run.is_ours else None, run.read_result()
    if config is None or result is None or not isinstance(result.get("data"), dict):
        return None
    data: dict[str, Any] = result["data"]
    if split == "test":
        return data.get("test")
    limit, fraction = config["data"].get("train_limit"), config["data"]["val_fraction"]
    return validation_images(data.get("train"), data.get("val"), limit, fraction)
