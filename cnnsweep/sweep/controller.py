"""A sweep from its first check to its last line."""

import shutil
import sys
import time
import warnings
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path

import optuna
from hydra.core.singleton import Singleton
from omegaconf import OmegaConf
from optuna.exceptions import ExperimentalWarning
from optuna.trial import TrialState

from cnnsweep import report
from cnnsweep.config.launchers import gives_gpus, is_chosen, refuse_devices, with_submissions
from cnnsweep.folders import lock
from cnnsweep.folders.run_folder import write_text_whole
from cnnsweep.process import begin_collection
from cnnsweep.sweep.cluster.launcher_pool import LaunchedPool
from cnnsweep.sweep.event_loop import work
from cnnsweep.sweep.multihost.membership import HostExpired
from cnnsweep.sweep.multihost.shared_study import joined
from cnnsweep.sweep.preflight import check_sweep
from cnnsweep.sweep.progress import SweepProgress, open_progress
from cnnsweep.sweep.results import are_written, result_lines, withdraw_results, write_results
from cnnsweep.sweep.spec.compose import SweepContext, mask_password
from cnnsweep.sweep.spec.plan import CONFIRM, Plan, make_plans
from cnnsweep.sweep.spec.resources import devices_of_slots
from cnnsweep.sweep.spec.settings import Settings, read_settings
from cnnsweep.sweep.study.coordination import Coordination
from cnnsweep.sweep.study.failure_policy import FailureWatch, StoppedEarly
from cnnsweep.sweep.study.retrying_storage import RetryPolicy
from cnnsweep.sweep.study.search import Search
from cnnsweep.sweep.study.study import open_search
from cnnsweep.sweep.workers.pool import Pool
from cnnsweep.sweep.workers.worker_main import Setup
from cnnsweep.task.resume import SWEEP_CONFIG

WORKERS = ".workers"


def run_sweep(context: SweepContext, keys: dict[str, object], arguments: list[str]) -> None:
    """Run or go on with the sweep in the master's folder.

    Raises:
        UserError: it cannot begin, was stopped by failures, or a part of it failed.
    """
    begin_collection()
    mask_password(context.config)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    warnings.simplefilter("ignore", ExperimentalWarning)  # whoever chose it knows
    settings, plans = _checked(context, keys, arguments)
    context.folder.mkdir(parents=True, exist_ok=True)
    lock.acquire(context.folder, shared=settings.shared)
    with ExitStack() as stack:
        with open_progress(sys.stdout) as display:
            patience = RetryPolicy(display.say)
            coordination = stack.enter_context(joined(context.folder, settings.shared, patience))
            with coordination.turn():
                write_text_whole(context.folder / SWEEP_CONFIG, OmegaConf.to_yaml(context.config))
                searches = _open_all(plans, settings, context, coordination, patience, display)
            open_pool = partial(_open_pool, context, settings, coordination, display)
            run(searches, open_pool, settings.trial_timeout, coordination, patience, display)
        _conclude(context, searches)


def _checked(
    context: SweepContext, keys: dict[str, object], arguments: list[str]
) -> tuple[Settings, list[Plan]]:
    try:
        settings = read_settings(keys)
        refuse_devices(context.config, settings.devices)
        plans = make_plans(context, settings, arguments)
        check_sweep(context, settings, plans)
    except Exception:
        _remove_if_unused(context.folder)
        raise
    return settings, plans


def _remove_if_unused(folder: Path) -> None:
    """Nothing is left of a sweep that was refused before it began."""
    if not folder.is_dir() or lock.is_held_elsewhere(folder):
        return
    if {entry.name for entry in folder.iterdir()} <= {lock.LOCK_NAME}:
        shutil.rmtree(folder)


def _open_all(
    plans: list[Plan],
    settings: Settings,
    context: SweepContext,
    coordination: Coordination,
    patience: RetryPolicy,
    display: SweepProgress,
) -> list[Search]:
    searches: list[Search] = []

    def shares() -> tuple[int, int]:
        states = [t.state for s in searches for t in s.study.get_trials(deepcopy=False)]
        return states.count(TrialState.FAIL), sum(state.is_finished() for state in states)

    watch = FailureWatch(settings.max_failure_rate, shares)
    end = None if settings.timeout is None else time.monotonic() + settings.timeout

    def may_ask() -> bool:
        return end is None or time.monotonic() < end

    for search_index, plan in enumerate(plans):
        display.say(_announcement(plan, settings))
        search = open_search(
            search_index, plan, settings, context, watch, may_ask, coordination, patience
        )
        searches.append(search)
    if coordination.is_first() or not all(search.is_done() for search in searches):
        withdraw_results(context.folder, searches)
    return searches


def _open_pool(
    context: SweepContext, settings: Settings, coordination: Coordination, display: SweepProgress
) -> Pool:
    setup = Setup(context, Singleton.get_state(), coordination.heartbeat)
    folder = coordination.own_folder(context.folder / WORKERS)
    if gives_gpus(context.config):
        devices: list[str | None] = [None] * settings.n_jobs
    else:
        devices = devices_of_slots(settings.devices, settings.n_jobs)
    if is_chosen(context.config):
        # Each host's jobs are its own to count and to cancel, and it tells them by their folder.
        # Workers compose with the config as it is: Hydra refuses another launcher's.
        apart = replace(context, config=with_submissions(context.config, coordination.own_folder))
        return LaunchedPool(folder, setup, replace(setup, context=apart), devices, display.say)
    return Pool(folder, setup, devices)


def _conclude(context: SweepContext, searches: list[Search]) -> None:
    failed = [line for search in searches for line in search.confirmation.failed]
    if all(search.may_confirm for search in searches):
        write_results(context.folder, searches)
    print("\n".join(result_lines(searches)), flush=True)
    if context.is_our_task and any(search.study.best_trials for search in searches):
        print(f"report: {report.write(context.folder)}", flush=True)
    if failed:
        raise StoppedEarly(f"{len(failed)} confirmation runs failed: {'; '.join(failed)}")
    empty = [s for s in searches if not s.study.best_trials]
    if empty:
        raise StoppedEarly("no trial was completed; the lines above say why")


def _announcement(plan: Plan, settings: Settings) -> str:
    names = ", ".join(plan.space.distributions) or settings.custom_search_space
    threads = "" if plan.threads is None else f" of {plan.threads} CPU threads"
    return (
        f"{plan.n_trials} trials over {names}; {settings.n_jobs} workers{threads}; in {plan.folder}"
    )


_STOP_SECONDS = 3.5  # a person who pressed Ctrl-C waits less than 5 s in all


def run(
    searches: list[Search],
    open_pool: Callable[[], Pool],
    trial_timeout: float | None,
    coordination: Coordination,
    patience: RetryPolicy,
    display: SweepProgress,
) -> None:
    """Run all trials; one launch of several then runs the confirmations."""
    while True:
        try:
            _run(searches, open_pool(), trial_timeout, coordination, patience, display)
        except HostExpired as woken:
            display.say(f"{woken}; it joins again as a new host")
            for search in searches:
                search.forget()
            coordination.rejoin()
        else:
            return


def _run(
    searches: list[Search],
    pool: Pool,
    trial_timeout: float | None,
    coordination: Coordination,
    patience: RetryPolicy,
    display: SweepProgress,
) -> None:
    try:
        for search in searches:
            _take_up(search, coordination, display)
        work(searches, pool, trial_timeout, patience, display)
        coordination.begin_finishing([search.plan.folder / CONFIRM for search in searches])
        for search in searches:
            search.may_confirm = coordination.is_alone or not are_written(searches)
        work(searches, pool, trial_timeout, patience, display)
    except HostExpired:
        _kill(pool)
        raise
    except BaseException:
        display.say("stopping: running trials keep their last whole epoch")
        pool.close(grace=_STOP_SECONDS, stop=True)
        raise
    finally:
        patience.meanwhile = time.sleep
    pool.close(grace=_STOP_SECONDS, stop=False)


def _take_up(search: Search, coordination: Coordination, display: SweepProgress) -> None:
    """Among several launches a search seeks for trials left behind as it goes."""
    states = [trial.state for trial in search.study.get_trials(deepcopy=False)]
    running = states.count(TrialState.RUNNING)
    left = search.take_up() if coordination.is_alone else 0
    if len(states) > 1:
        prefix = f"{search.plan.subfolder}: " if search.plan.subfolder else ""
        now = f"{left} taken up again" if coordination.is_alone else f"{running} running"
        over = f"{len(states) - running} of {search.plan.n_trials} trials are over"
        display.say(f"{prefix}going on: {over}, {now}")


def _kill(pool: Pool) -> None:
    """End the workers before they touch a trial that may be another host's by now."""
    for slot in pool.busy_slots():
        pool.kill(slot, "its host was taken for gone")
    pool.close(grace=0.0, stop=True)
