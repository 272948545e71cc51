"""``resume=GRID epochs=20``: the jobs of a grid that has run, each made longer in its place."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from optuna.study import Study

from cnnsweep.errors import UserError, and_more
from cnnsweep.folders.longer import begin, begun
from cnnsweep.folders.run_folder import LAST, RunFolder, differing_keys
from cnnsweep.sweep.grid.ask import NUMBER
from cnnsweep.sweep.grid.jobs import Jobs
from cnnsweep.sweep.grid.numbering import Begun, GridJob, Resolve
from cnnsweep.sweep.machine.workers import counted
from cnnsweep.sweep.spec.run_keys import EPOCHS
from cnnsweep.task.longer.lengthening import refuse_what_cannot

Configs = Mapping[str, dict[str, Any]]  # resolved, by folder


def as_long_as_now(jobs: Jobs, known: Mapping[int, Begun], resolve: Resolve) -> dict[int, Begun]:
    """What earlier launches left, with the number of epochs that all jobs are to have now.

    Nothing changes where jobs differ in their epochs, or are to have as many as they had.

    Raises:
        UserError: another key of the jobs depends on the number of epochs.
    """
    if jobs.ours is None:  # another app's key of this name may hold anything
        return dict(known)
    now = {resolve(place, place).get(EPOCHS) for place in range(len(jobs.words))}
    had = {one.config.get(EPOCHS) for one in known.values() if one.config is not None} - now
    if len(now) != 1 or len(had) != 1:
        return dict(known)
    (wanted,), (was,) = now, had
    depending: dict[str, None] = {}
    for place, words in enumerate(jobs.words):
        before = jobs.resolved_words((*words, f"{EPOCHS}={was}"), place)
        after = jobs.resolved_words(words, place)
        depending |= dict.fromkeys(key for key in differing_keys(before, after) if key != EPOCHS)
    if depending:
        raise UserError(
            f"{RunFolder(jobs.context.folder)} cannot have epochs={wanted} instead of {was}: "
            f"{and_more(depending)} would differ too, so that its runs are others from their first "
            "epoch on. Leave epochs out, or begin a new grid, without resume and in another folder"
        )
    return {
        number: one if one.config is None else replace(one, config=one.config | {EPOCHS: wanted})
        for number, one in known.items()
    }


def of_other_epochs(
    root: Path,
    listed: Iterable[GridJob],
    folders: Mapping[int, str],
    resolve: Resolve,
    *,
    shared: bool,
) -> Configs:
    """The runs that were begun with other epochs, by folder, with the configs they are to have.

    Raises:
        UserError: one of them cannot be made longer; several launches share the grid.
    """
    configs = {
        folders[job.number]: dict(resolve(place, job.number))
        for place, job in enumerate(listed)
        if job.number in folders
    }
    runs = {
        folder: resolved
        for folder, resolved in configs.items()
        if (RunFolder(root / folder).read_config() or resolved)[EPOCHS] != resolved[EPOCHS]
    }
    if runs and shared:
        raise UserError("hydra.sweeper.shared=true: other epochs need a launch that shares nothing")
    for folder, resolved in runs.items():
        if _is_completed(root / folder):
            refuse_what_cannot(RunFolder(root / folder), resolved, may_begin_anew=True)
    return runs


def begin_longer(root: Path, runs: Configs, say: Callable[[str], None], *, only_says: bool) -> None:
    """Prepare the folders of :func:`of_other_epochs`, unless that is only to be said."""
    if runs:
        say(_line_on(root, runs))
    for folder, resolved in () if only_says else runs.items():
        run = RunFolder(root / folder)
        if _is_completed(run.path):
            begin(run, resolved, _recorder(resolved))
        else:  # it goes on, or is tried again
            run.write_config(resolved)


def _line_on(root: Path, runs: Configs) -> str:
    anew = sum(not RunFolder(root / folder).last.exists() for folder in runs)
    said = f"; {anew} from the first epoch on, having no {LAST}" if anew else ""
    jobs = counted(len(runs), "job")
    return f"to be trained for more epochs: {jobs}, each in its place once it is over{said}"


def _recorder(resolved: Mapping[str, Any]) -> Callable[[Path], None]:
    return lambda folder: RunFolder(folder).write_config(resolved)


def _is_completed(run: Path) -> bool:
    return (RunFolder(run).read_result() or {}).get("status") == "completed"


def to_be_longer(
    study: Study, root: Path, folders: Mapping[int, str], runs: Configs
) -> frozenset[int]:
    """The trials that are over whose jobs are to be trained for more epochs.

    Those of ``runs`` need not be prepared: a dry run prepares none.
    """
    numbers = {n for n, one in folders.items() if one in runs or begun(root / one) is not None}
    trials = study.get_trials(deepcopy=False)
    return frozenset(
        t.number for t in trials if t.state.is_finished() and t.user_attrs.get(NUMBER) in numbers
    )
