"""Which trials of a sweep keep best.pt and last.pt; those of the others are removed.

A trial's are removed once the study knows its end: nothing resumes it then. Which trials are the
best depends on the study alone, so that a resumed launch and every other host come to the same.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from statistics import fmean

from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, TrialState

from cnnsweep.config.overrides import by_key, typed_lines
from cnnsweep.errors import one_line
from cnnsweep.folders.run_folder import RunFolder
from cnnsweep.folders.sweep_folder import OTHERS_FOLDER, seed_runs
from cnnsweep.folders.winner import in_order
from cnnsweep.metric_names import Direction, best_first
from cnnsweep.sweep.grid.numbering import SEED
from cnnsweep.sweep.grid.search import GridSearch
from cnnsweep.sweep.journal.theirs import ours
from cnnsweep.sweep.spec.compose import SweepContext
from cnnsweep.sweep.spec.optuna_internals import get_trial, study_attributes
from cnnsweep.sweep.spec.plan import FOLDER, Plan
from cnnsweep.sweep.spec.settings import SharedSettings
from cnnsweep.sweep.study.confirmation import winner
from cnnsweep.sweep.study.coordination import TryLater
from cnnsweep.sweep.study.opening.compatibility import KEEPS_ALL
from cnnsweep.sweep.study.search import Search

KEEP, KEEP_BEST = "keep", "hydra.sweeper.keep_best"


class Checkpoints:
    """Removes the checkpoints of trials that are over and not among the best of their search."""

    def __init__(
        self, keep_best: int | None, typed: Iterable[str], say: Callable[[str], None]
    ) -> None:
        """``keep_best`` trials of each search keep theirs, None: all. ``typed`` are the keys typed.

        ``keep`` on the command line is about every run of the sweep: each has what it says, unless
        ``keep_best`` is typed as well.
        """
        keys = set(typed)
        self._is_typed = KEEP_BEST in keys
        self._keep_best = None if KEEP in keys and not self._is_typed else keep_best
        self._say = say
        self._emptied: dict[int, set[str]] = {}  # folders, by search
        self._best: dict[int, list[FrozenTrial]] = {}  # by search, once all were looked at
        self._has_failed = False

    def drop(self, search: Search, *, again: bool = False) -> None:
        """Remove what is not kept by now; ``again``: look into folders that were emptied, too.

        Where the study cannot be reached nothing is removed: there is a next time.
        """
        with_these = self._emptied.setdefault(search.search_index, set())
        if again:
            with_these.clear()
        try:
            folders = self._losers(search) - with_these
        except TryLater:
            return
        for folder in folders:
            self._empty(search.plan, folder)
        with_these |= folders

    def drop_one(self, search: Search, number: int | None) -> None:
        """Remove what is not kept any more now that a run of trial ``number`` is over.

        As `drop`, which looks at all trials; here those that are not among the best already are
        not looked at again, where nobody else ends trials.
        """
        best = self._best.pop(search.search_index, None)
        if best is None or number is None:
            self.drop(search)
            return
        try:
            trial, direction = get_trial(search.study, number), search.study.direction
        except TryLater:  # all of them next time
            return
        if _is_bound(trial):
            self.drop(search)
            return
        others = [one for one in best if one.number != number]
        ranked, losers = best, list[FrozenTrial]()
        if trial.state is TrialState.COMPLETE:
            ranked = _ranked([*others, trial], direction)
            ranked, losers = ranked[: self._keep_best], ranked[self._keep_best :]
        elif trial.state.is_finished() and _has_folder(trial):
            losers = [trial]
        for loser in losers:
            self._empty(search.plan, str(loser.user_attrs[FOLDER]))
        self._best[search.search_index] = ranked

    def _losers(self, search: Search) -> set[str]:
        """Folders of trials that are over and not among the best."""
        study = search.study
        if self._keep_best is None or (
            study_attributes(study).get(KEEPS_ALL) and not self._is_typed
        ):
            return set()
        trials = [t for t in study.get_trials(deepcopy=False) if _has_folder(t)]
        last = {str(t.user_attrs[FOLDER]): t for t in trials}  # of several tries at one job
        if isinstance(search, GridSearch):
            done = {f: t for f, t in last.items() if t.state is TrialState.COMPLETE}
            if len(study.directions) == 1:
                return _losing_jobs(search.plan, done, study.direction, self._keep_best)
        else:
            done = {f: t for f, t in last.items() if t.state.is_finished()}
        best = best_trials(study, self._keep_best)
        is_simple = len(study.directions) == 1 and not isinstance(search, GridSearch)
        if is_simple and search.coordination.is_alone and not any(map(_is_bound, done.values())):
            self._best[search.search_index] = best
        kept = {t.number for t in best}
        return {f for f, t in done.items() if t.number not in kept}

    def _empty(self, plan: Plan, folder: str) -> None:
        trial = plan.folder / folder
        try:
            for path in (trial, *seed_runs(trial)):
                run = RunFolder(path)
                run.last.unlink(missing_ok=True)
                run.best.unlink(missing_ok=True)
        except OSError as error:
            if not self._has_failed:
                self._say(f"a checkpoint cannot be removed: {one_line(error)}")
            self._has_failed = True


def checkpoints_of(
    context: SweepContext, settings: SharedSettings, say: Callable[[str], None]
) -> Checkpoints:
    """What a sweep keeps; another app's files are its own, whatever their names."""
    keep_best = settings.keep_best if context.is_our_task else None
    return Checkpoints(keep_best, by_key(typed_lines(context.config.hydra)), say)


def best_trials(study: Study, count: int) -> list[FrozenTrial]:
    """The ``count`` best completed trials; all of the Pareto front where objectives compete."""
    if count == 0:
        return []
    if len(study.directions) > 1:
        return list(ours(study).best_trials)
    best = winner(study)
    if best is None:
        return []
    completed = ours(study).get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    others = [t for t in completed if t.number != best.number]
    return [best, *_ranked(others, study.direction)[: count - 1]]


def _ranked(trials: Iterable[FrozenTrial], direction: StudyDirection) -> list[FrozenTrial]:
    """The best first, of equals the first by number."""
    by_number = sorted(trials, key=lambda trial: trial.number)
    return best_first(by_number, lambda trial: trial.value or 0.0, _way(direction))


def _has_folder(trial: FrozenTrial) -> bool:
    """Whether what lies in its folder is its own."""
    return FOLDER in trial.user_attrs and OTHERS_FOLDER not in trial.user_attrs


def _is_bound(trial: FrozenTrial) -> bool:
    """Whether a trial has constraints, by which a worse one may be the best."""
    return "constraints" in trial.system_attrs


def _losing_jobs(
    plan: Plan, done: Mapping[str, FrozenTrial], direction: StudyDirection, count: int
) -> set[str]:
    """A grid's jobs, by folder, but for those of its ``count`` best settings.

    Jobs that differ in their seed alone are one setting, whose value is their mean. It is known
    once all of them are done: one that failed is tried again. One without an objective is not
    ``done`` here, since nobody knows how good it is. Of equal ones the first by number counts, as
    for :func:`cnnsweep.folders.winner.chosen_run`, in whatever order the axes were typed.
    """
    settings: dict[str, list[str]] = defaultdict(list)
    for folder in sorted(plan.jobs, key=lambda folder: in_order(Path(folder))):
        setting = {key: value for key, value in plan.jobs[folder].items() if key != SEED}
        settings[json.dumps(setting, sort_keys=True)].append(folder)
    known = [folders for folders in settings.values() if all(f in done for f in folders)]
    ranked = best_first(
        known, lambda folders: fmean(done[f].value or 0.0 for f in folders), _way(direction)
    )
    return {folder for folders in ranked[count:] for folder in folders}


def _way(direction: StudyDirection) -> Direction:
    return "maximize" if direction is StudyDirection.MAXIMIZE else "minimize"
