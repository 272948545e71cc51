"""Which trials of a sweep keep best.pt and last.pt; those of the others are removed.

A trial's are removed once the study knows its end: nothing resumes it then. Which trials are the
best depends on the study alone, so that a resumed launch and every other host come to the same.
"""

from collections.abc import Callable, Iterable

from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, TrialState

from cnnsweep.config.overrides import by_key, typed_lines
from cnnsweep.errors import one_line
from cnnsweep.folders.run_folder import RunFolder
from cnnsweep.folders.sweep_folder import seed_runs
from cnnsweep.sweep.grid.search import GridSearch
from cnnsweep.sweep.spec.compose import SweepContext
from cnnsweep.sweep.spec.plan import FOLDER, Plan
from cnnsweep.sweep.spec.settings import GridSettings, Settings
from cnnsweep.sweep.study.compatibility import KEEPS_ALL
from cnnsweep.sweep.study.confirmation import winner
from cnnsweep.sweep.study.coordination import TryLater
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

    def _losers(self, search: Search) -> set[str]:
        """Folders of trials that are over and not among the best."""
        study = search.study
        if self._keep_best is None or (study.user_attrs.get(KEEPS_ALL) and not self._is_typed):
            return set()
        trials = [t for t in study.get_trials(deepcopy=False) if FOLDER in t.user_attrs]
        last = {t.user_attrs[FOLDER]: t for t in trials}  # of several tries at one job
        kept = {t.number for t in best_trials(study, self._keep_best)}
        is_over = _is_over_in_grid if isinstance(search, GridSearch) else _is_over
        return {f for f, t in last.items() if is_over(t) and t.number not in kept}

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
    context: SweepContext, settings: Settings | GridSettings, say: Callable[[str], None]
) -> Checkpoints:
    """What a sweep keeps; another app's files are its own, whatever their names."""
    keep_best = settings.keep_best if context.is_our_task else None
    return Checkpoints(keep_best, by_key(typed_lines(context.config.hydra)), say)


def best_trials(study: Study, count: int) -> list[FrozenTrial]:
    """The ``count`` best completed trials; all of the Pareto front where objectives compete."""
    if count == 0:
        return []
    if len(study.directions) > 1:
        return list(study.best_trials)
    best = winner(study)
    if best is None:
        return []
    sign = -1 if study.direction is StudyDirection.MAXIMIZE else 1
    completed = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    others = [t for t in completed if t.number != best.number]
    ranked = sorted(others, key=lambda t: (sign * (t.value or 0.0), t.number))
    return [best, *ranked[: count - 1]]


def _is_over(trial: FrozenTrial) -> bool:
    """Whether nobody wants a trial's checkpoints any more, if it is not among the best."""
    return trial.state.is_finished()


def _is_over_in_grid(trial: FrozenTrial) -> bool:
    """A job that failed is tried again; of one without an objective nobody knows how good it is."""
    return trial.state is TrialState.COMPLETE
