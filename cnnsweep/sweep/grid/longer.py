"""``resume=GRID epochs=20``: the jobs of a grid that has run, each made longer in its place."""

import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from optuna.study import Study

from cnnsweep.errors import UserError, and_more
from cnnsweep.folders.longer import begin, begun
from cnnsweep.folders.run_folder import LAST, LONGER, RunFolder, differing_keys
from cnnsweep.sweep.grid.ask import NUMBER
from cnnsweep.sweep.grid.jobs import Jobs
from cnnsweep.sweep.grid.numbering import Begun, GridJob, Resolve, identity
from cnnsweep.sweep.machine.workers import counted
from cnnsweep.sweep.spec.run_keys import EPOCHS
from cnnsweep.task.longer.lengthening import refuse_what_cannot

Say = Callable[[str], None]


@dataclass(frozen=True)
class OtherEpochs:
    """What a launch of another number of epochs does to the jobs that were begun.

    ``runs``, by folder, are the configs that runs are to have; ``given_up`` are the folders of runs
    that have the epochs of this launch, and were begun to be made longer by another.
    """

    runs: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    given_up: tuple[str, ...] = ()


def as_long_as_now(jobs: Jobs, known: Mapping[int, Begun], resolve: Resolve) -> dict[int, Begun]:
    """What earlier launches left, with the number of epochs that all jobs are to have now.

    Nothing changes where jobs differ in their epochs alone, or are to have as many as they had.
    Those of a grid that was killed while it was made longer may have some more than others.

    Raises:
        UserError: another key of the jobs depends on the number of epochs.
    """
    if jobs.ours is None:  # another app's key of this name may hold anything
        return dict(known)
    now = {resolve(place, place).get(EPOCHS) for place in range(len(jobs.words))}
    had = {one.config.get(EPOCHS) for one in known.values() if one.config is not None} - now
    if len(now) != 1 or not had:
        return dict(known)
    (wanted,) = now
    changed = {
        number: one if one.config is None else replace(one, config=one.config | {EPOCHS: wanted})
        for number, one in known.items()
    }
    if len(had) > 1 and _different(changed) < _different(known):
        return dict(known)
    for was in had:
        _refuse_depending(jobs, was, wanted)
    return changed


def _different(known: Mapping[int, Begun]) -> int:
    """How many jobs there are, those that are the same counted once."""
    return len({identity(one.config) for one in known.values() if one.config is not None})


def _refuse_depending(jobs: Jobs, was: object, wanted: object) -> None:
    """Refuse jobs of which something depends on their number of epochs."""
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


def of_other_epochs(
    root: Path,
    listed: Iterable[GridJob],
    folders: Mapping[int, str],
    resolve: Resolve,
    *,
    shared: bool,
) -> OtherEpochs:
    """What becomes of the runs that were begun with other epochs.

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
    given_up = tuple(one for one in configs if one not in runs and begun(root / one) is not None)
    if (runs or given_up) and shared:
        raise UserError("hydra.sweeper.shared=true: other epochs need a launch that shares nothing")
    for folder, resolved in runs.items():
        run = RunFolder(root / folder)
        if _is_completed(run.path):
            refuse_what_cannot(run, resolved, may_begin_anew=True)
        elif (done := len(run.read_metrics())) > resolved[EPOCHS]:
            raise UserError(f"{run} has {done} epochs already, and {EPOCHS}={resolved[EPOCHS]}")
    return OtherEpochs(runs, given_up)


def of_other_keys(error: UserError) -> UserError:
    """What is said of jobs that differ in more than their epochs."""
    return UserError(
        f"a grid is made longer as it is, with no other key in the same command than {EPOCHS}: "
        f"{error}"
    )


def take_up(root: Path, longer: OtherEpochs, say: Say, *, only_says: bool) -> None:
    """Say what becomes of the runs; remove what this launch does not want of an earlier one."""
    if longer.runs:
        say(_line_on(root, longer.runs))
    if longer.given_up:
        jobs = counted(len(longer.given_up), "job")
        say(f"not made longer any more: {jobs}; of that only what they had before is kept")
    for folder in () if only_says else longer.given_up:
        shutil.rmtree(root / folder / LONGER)


def begin_longer(root: Path, longer: OtherEpochs) -> None:
    """Prepare the runs' folders. Only once the sweep's record says how many epochs are wanted.

    Killed in between, a launch by the record alone goes on with it.
    """
    for folder, resolved in longer.runs.items():
        run = RunFolder(root / folder)
        if _is_completed(run.path):
            begin(run, resolved, _recorder(resolved))
        else:  # it goes on, or is tried again
            run.write_config(resolved)


def _line_on(root: Path, runs: Iterable[str]) -> str:
    anew = sum(not RunFolder(root / folder).last.exists() for folder in runs)
    said = f"; {anew} from the first epoch on, having no {LAST}" if anew else ""
    jobs = counted(len([*runs]), "job")
    return f"to be trained for more epochs: {jobs}, each in its place once it is over{said}"


def _recorder(resolved: Mapping[str, Any]) -> Callable[[Path], None]:
    return lambda folder: RunFolder(folder).write_config(resolved)


def _is_completed(run: Path) -> bool:
    return (RunFolder(run).read_result() or {}).get("status") == "completed"


def to_be_longer(study: Study, folders: Mapping[int, str], longer: OtherEpochs) -> frozenset[int]:
    """The trials that are over whose jobs are to be trained for more epochs.

    They need not be prepared: a dry run prepares none.
    """
    numbers = {number for number, folder in folders.items() if folder in longer.runs}
    trials = study.get_trials(deepcopy=False)
    return frozenset(
        t.number for t in trials if t.state.is_finished() and t.user_attrs.get(NUMBER) in numbers
    )
