"""Opening a grid: its study, and which of its jobs an earlier launch has begun."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import optuna
from optuna.study import Study

from cnnsweep.errors import UserError, and_more
from cnnsweep.folders.provenance import code, versions
from cnnsweep.folders.run_folder import RunFolder
from cnnsweep.folders.sweep_folder import SweepFolder
from cnnsweep.sweep.grid.ask import NUMBER, OVERRIDES, GridAsker, failed, lost
from cnnsweep.sweep.grid.jobs import Jobs
from cnnsweep.sweep.grid.longer import (
    OtherEpochs,
    as_long_as_now,
    of_other_epochs,
    of_other_keys,
    take_up,
    to_be_longer,
)
from cnnsweep.sweep.grid.numbering import Begun, GridJob, Resolve, names_of, numbered
from cnnsweep.sweep.grid.search import GridSearch, with_objective
from cnnsweep.sweep.spec.failure_policy import NoWatch
from cnnsweep.sweep.spec.plan import FOLDER, Plan
from cnnsweep.sweep.spec.run_keys import THREADS
from cnnsweep.sweep.spec.settings import GridSettings
from cnnsweep.sweep.study.confirmation import Confirmation
from cnnsweep.sweep.study.coordination import Coordination
from cnnsweep.sweep.study.opening.compatibility import FACTS, KEEPS_ALL, Facts, settle
from cnnsweep.sweep.study.opening.scratch import storage_of_launch
from cnnsweep.sweep.study.opening.storage_outage import OutageStorage
from cnnsweep.sweep.study.retries import Retries
from cnnsweep.sweep.study.tell import Recorder
from cnnsweep.task.changed_data import DataCheck
from cnnsweep.task.longer.lengthening import settle as settle_longer

Say = Callable[[str], None]


def open_grid(
    jobs: Jobs,
    settings: GridSettings,
    plan: Plan,
    coordination: Coordination,
    time_left: Callable[[], float],
    say: Say,
) -> GridSearch:
    """The jobs of a grid, new or as an earlier launch left them; may be called again.

    Raises:
        UserError: what is recorded there does not go with this launch.
        TryLater: another host writes to the study.
    """
    study = _open_study(plan, settings.shared, coordination)
    plan = with_objective(plan, study)
    begun = _begun(jobs, study)
    _settle_folders(plan.folder, {} if coordination.only_looks else begun)
    plan = replace(plan, threads=_threads(study, plan, [one for _, one in begun.values()]))
    more = plan.threads_override()

    def resolve(place: int, number: int) -> dict[str, Any]:
        return jobs.resolved(place, number, more)

    folders = {number: folder for number, (folder, _) in begun.items()}
    known = {number: _known(jobs, one, more) for number, (_, one) in begun.items()}
    listed, longer = _listed(jobs, known, resolve, folders, plan, shared=settings.shared)
    if begun and study.user_attrs.get(FACTS) is None:
        study.set_user_attr(KEEPS_ALL, True)
    settle(study, _facts(plan, settings), say)
    take_up(plan.folder, longer, say, only_says=coordination.only_looks)
    placed = _placed(jobs, listed, folders)
    plan = replace(plan, jobs={folder: job.swept for job, folder in placed})
    if not coordination.only_looks:
        _list(plan, placed)
    recorder = Recorder(plan, study, NoWatch(), say, jobs.context.log_file("").name)
    return GridSearch(
        search_index=0,
        plan=plan,
        seeds=1,
        retries=Retries(recorder, settings.retries),
        study=study,
        asker=GridAsker(study, placed, _done_again(study, jobs, folders, longer, say)),
        recorder=recorder,
        confirmation=Confirmation(0, plan, study, recorder, wanted=0, seeds=1),
        time_left=time_left,
        coordination=coordination,
        may_confirm=coordination.is_alone,
        longer=longer,
    )


def _settle_folders(root: Path, begun: Mapping[int, tuple[str, Begun]]) -> None:
    for folder, _ in begun.values():
        settle_longer(root / folder)


def _listed(
    jobs: Jobs,
    known: Mapping[int, Begun],
    resolve: Resolve,
    folders: Mapping[int, str],
    plan: Plan,
    *,
    shared: bool,
) -> tuple[list[GridJob], OtherEpochs]:
    """The jobs with their numbers; and which of the runs are to be longer now."""
    root = plan.folder
    now = as_long_as_now(jobs, known, resolve)
    try:
        listed = numbered(jobs.words, now, resolve, root, is_ours=plan.is_ours)
    except UserError as error:
        raise error if now == known else of_other_keys(error) from error
    if not jobs.context.is_our_task:
        return listed, OtherEpochs()
    _refuse_other_data(root, listed, folders, resolve)
    return listed, of_other_epochs(root, listed, folders, resolve, shared=shared)


def _placed(
    jobs: Jobs, listed: list[GridJob], folders: Mapping[int, str]
) -> list[tuple[GridJob, str]]:
    """The jobs with the names of their folders, which those that were begun have already."""
    return [
        (job, folders.get(job.number) or jobs.folder(place, job.number))
        for place, job in enumerate(listed)
    ]


def _list(plan: Plan, placed: list[tuple[GridJob, str]]) -> None:
    """Write down which jobs there are, where a person and ``resume=latest`` look."""
    names = names_of(job for job, _ in placed)
    rows = (
        (job.number, folder, *(job.swept.get(key, "") for key in names)) for job, folder in placed
    )
    SweepFolder(plan.folder).write_jobs(names, rows)


def _open_study(plan: Plan, shared: bool, coordination: Coordination) -> Study:
    storage: Any = storage_of_launch(None, plan, coordination)
    if shared and not coordination.only_looks:
        storage = OutageStorage(storage, coordination.check)
    chosen: dict[str, Any] = {
        "study_name": plan.study_name,
        "storage": storage,
        "sampler": optuna.samplers.RandomSampler(),
        "pruner": optuna.pruners.NopPruner(),
    }
    if plan.study_name in optuna.get_all_study_names(storage):  # with the first launch's directions
        return optuna.load_study(**chosen)
    return optuna.create_study(**chosen, directions=plan.directions)


def _threads(study: Study, plan: Plan, begun: list[Begun]) -> int | None:
    """As at the first launch, which its jobs' configs say where the journal was lost.

    Jobs that Hydra's own sweeper began keep what was typed.
    """
    recorded = study.user_attrs.get(FACTS)
    if isinstance(plan.keys.get(THREADS), int):
        return plan.threads
    if recorded is not None:
        return recorded["threads"] or None
    if not begun:
        return plan.threads
    (threads, *others) = {(one.config or {}).get(THREADS) for one in begun}
    return threads if isinstance(threads, int) and not others else None


def _done_again(
    study: Study, jobs: Jobs, folders: Mapping[int, str], longer: OtherEpochs, say: Say
) -> frozenset[int]:
    """The trials whose jobs this launch does once more."""
    root = jobs.context.folder
    gone = lost(study, root, is_our_task=jobs.context.is_our_task)
    if gone:
        names = and_more(sorted(set(gone.values())))
        say(f"no longer there: the results of {names} in {root}; these jobs run again")
    return failed(study) | gone.keys() | to_be_longer(study, folders, longer)


def _begun(jobs: Jobs, study: Study) -> dict[int, tuple[str, Begun]]:
    """By number, the folder and what an earlier launch left there of each job."""
    root = jobs.context.folder
    trials = study.get_trials(deepcopy=False)
    by_number = {t.user_attrs[NUMBER]: t for t in trials if FOLDER in t.user_attrs}
    if by_number:
        return {
            number: _of(jobs, str(trial.user_attrs[FOLDER]), tuple(trial.user_attrs[OVERRIDES]))
            for number, trial in by_number.items()
        }
    if jobs.names_folders:
        places = {place: jobs.folder(place, place) for place in range(len(jobs.words))}
    else:
        places = {int(p.name): p.name for p in root.glob("*") if p.name.isdecimal()}
    found = {number: _of(jobs, folder, None) for number, folder in sorted(places.items())}
    return {number: one for number, one in found.items() if one[1].config is not None}


def _of(jobs: Jobs, folder: str, overrides: tuple[str, ...] | None) -> tuple[str, Begun]:
    """Another app's config.yaml may be anything."""
    run = RunFolder(jobs.context.folder / folder)
    return folder, Begun(overrides, run.read_config() if jobs.context.is_our_task else None)


def _known(jobs: Jobs, begun: Begun, more: tuple[str, ...]) -> Begun:
    """With the config of other words than today's, where the run has not left its own."""
    if begun.config is not None or begun.overrides is None or begun.overrides in jobs.words:
        return begun
    return replace(begun, config=jobs.resolved_words((*begun.overrides, *more), 0))


def _refuse_other_data(
    root: Path,
    jobs: list[GridJob],
    folders: Mapping[int, str],
    resolve: Callable[[int, int], Mapping[str, Any]],
) -> None:
    data = DataCheck()
    for place, job in enumerate(jobs):
        if job.number in folders:
            data.refuse_other_data(
                RunFolder(root / folders[job.number]), resolve(place, job.number)
            )


def _facts(plan: Plan, settings: GridSettings) -> Facts:
    """Of a grid only the code is compared: its jobs' configs are compared one by one."""
    return Facts(
        config={},
        space={},
        objectives={},
        seeds=1,
        seed=0,
        threads=plan.threads or 0,
        sampler={},
        pruner={},
        keep_best=settings.keep_best,
        code={**versions(), **code().as_plain()},
        is_ours=plan.is_ours,
    )
