"""Among how many trials of an earlier sweep given points were chosen, on which images."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence

from optuna.study import Study
from optuna.trial import FrozenTrial

from cnnsweep.dotted_keys import look_up
from cnnsweep.errors import UserError
from cnnsweep.folders.run_folder import RunFolder
from cnnsweep.folders.sweep_folder import POINT, seed_runs
from cnnsweep.sweep.spec.plan import Given, Plan
from cnnsweep.sweep.spec.space.points import identity

CHOSEN = "chosen among"  # the study attribute: for each folder its points, and trials by images
_SPLIT = ("data.train_limit", "data.val_fraction", "seed")  # which images validate


def counts_of(runs: Iterable[RunFolder]) -> dict[str, int]:
    """How many of some runs have been compared on the same images, by a key for those."""
    return dict(Counter(map(_images, runs)))


def record_chosen(study: Study, given: Given) -> None:
    """Record among how many trials the points of a folder were chosen; may be called again."""
    if not given.chosen_of:
        return
    before = study.user_attrs.get(CHOSEN) or {}
    points = list(map(identity, given.points))
    new = {"points": points, "trials": dict(given.chosen_of)}
    if before.get(given.source) != new:
        study.set_user_attr(CHOSEN, before | {given.source: new})


def chosen_besides(
    study: Study, plan: Plan, best: FrozenTrial, tried: Sequence[FrozenTrial]
) -> int:
    """Among how many trials of other folders, besides those tried here, a winner was chosen.

    0 where it came as no point of theirs, or where they had other images to validate on than it.
    """
    sources = _sources(study, best)
    if not sources:
        return 0
    place = plan.place(best)
    images = _images(RunFolder(next(iter(seed_runs(place)), place)))
    alike = [source for source in sources if images in source["trials"]]
    there = sum(int(source["trials"][images]) for source in alike)
    points = {point for source in alike for point in source["points"]}
    again = sum(identity(trial.params) in points for trial in tried)
    return max(0, there - again)


def _sources(study: Study, best: FrozenTrial) -> list[dict[str, dict[str, int]]]:
    """Those of the recorded folders that hold the winner's point."""
    recorded = study.user_attrs.get(CHOSEN) or {}
    if POINT not in best.user_attrs:
        return []
    key = identity(best.params)
    return [source for source in recorded.values() if key in source["points"]]


def _images(run: RunFolder) -> str:
    """Equal for runs that are validated on the same images, as far as that is recorded."""
    try:
        config, result = run.read_config() or {}, run.read_result() or {}
    except UserError:
        return ""
    data = result.get("data")
    of = data.get("hash") if isinstance(data, dict) else None
    return json.dumps([of, *(look_up(config, key) for key in _SPLIT)], default=str)
