"""A sweep from its first check to its last line."""

import shutil
import sys
import time
import warnings
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

import optuna
from hydra.core.hydra_config import HydraConfig
from hydra.core.singleton import Singleton
from omegaconf import OmegaConf
from optuna.exceptions import ExperimentalWarning
from optuna.trial import TrialState

from cnnsweep import report
from cnnsweep.config.launchers import is_chosen, refuse_devices, with_submissions
from cnnsweep.errors import StoppedEarly
from cnnsweep.folders import lock
from cnnsweep.folders.run_folder import write_text_whole
from cnnsweep.folders.sweep_folder import SWEEP_CONFIG, WORKERS
from cnnsweep.process import begin_collection
from cnnsweep.sweep.cluster.launcher_pool import LaunchedPool
from cnnsweep.sweep.event_loop import EventLoop
from cnnsweep.sweep.machine.facts import Machine, read_machine
from cnnsweep.sweep.machine.gpus import devices_of_slots
from cnnsweep.sweep.machine.sizing import Crew, make_crew
from cnnsweep.sweep.multihost.membership import HostExpired
from cnnsweep.sweep.multihost.shared_study import joined
from cnnsweep.sweep.preflight import check_sweep
from cnnsweep.sweep.progress import SweepProgress, announcement, counted, open_progress
from cnnsweep.sweep.results import are_written, result_lines, withdraw_results, write_results
from cnnsweep.sweep.spec.compose import SweepContext
from cnnsweep.sweep.spec.plan import Plan, make_plans
from cnnsweep.sweep.spec.settings import Settings, read_settings
from cnnsweep.sweep.study.coordination import Coordination
from cnnsweep.sweep.study.failure_policy import FailureWatch
from cnnsweep.sweep.study.pruning import note_on_idle_pruner
from cnnsweep.sweep.study.search import Search
from cnnsweep.sweep.study.storage_outage import Outage
from cnnsweep.sweep.study.study import open_search
from cnnsweep.sweep.work import work_of
from cnnsweep.sweep.workers.pool import Pool
from cnnsweep.sweep.workers.worker_main import Setup
from cnnsweep.task.recorded_command import mask_password

STOP_SECONDS = 3.5  # a person who pressed Ctrl-C waits less than 5 s in all


def run_sweep(context: SweepContext, keys: dict[str, object], arguments: list[str]) -> None:
    """Run or resume the sweep in the context's folder.

    Raises:
        UserError: it cannot begin, was stopped by failures, or a part of it failed.
    """
    begin_collection()
    mask_password(context.config)  # the settings have the URL as it was typed; workers need none
    HydraConfig.instance().set_config(context.config)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    warnings.simplefilter("ignore", ExperimentalWarning)  # whoever chose it knows
    machine = read_machine()
    settings, plans = _checked(context, keys, arguments, machine)
    context.folder.mkdir(parents=True, exist_ok=True)
    lock.acquire(context.folder, shared=settings.shared)
    with ExitStack() as stack:
        with open_progress(sys.stdout) as progress:
            say = progress.say
            coordination = stack.enter_context(joined(context.folder, settings.shared, say))
            outage = Outage(say)
            controller = Controller(context, settings, machine, coordination, outage, progress)
            searches = outage.retry(lambda: controller.open_searches(plans))
            controller.run(searches)
        empty = outage.retry(lambda: _write_results(context, searches))
        _conclude(context, searches, empty)


def _checked(
    context: SweepContext, keys: dict[str, object], arguments: list[str], machine: Machine
) -> tuple[Settings, list[Plan]]:
    try:
        settings = read_settings(keys)
        refuse_devices(context.config, settings.devices)
        devices_of_slots(settings.devices, machine.gpus, 0)  # refuses one that is not there
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
    if {entry.name for entry in folder.iterdir()} <= {lock.LOCK_NAME, SWEEP_CONFIG}:
        shutil.rmtree(folder)


@dataclass
class Controller:
    """Takes a sweep from its studies to its last confirmation run."""

    context: SweepContext
    settings: Settings
    machine: Machine
    coordination: Coordination
    outage: Outage
    progress: SweepProgress
    crew: Crew = field(init=False)

    def open_searches(self, plans: list[Plan]) -> list[Search]:
        """The sweep's searches, new or as an earlier launch left them; may be called again."""
        with self.coordination.turn():
            text = OmegaConf.to_yaml(self.context.config)
            place = self.context.folder / SWEEP_CONFIG
            if not place.exists():
                write_text_whole(place, text)
            searches = self._open_all(plans)  # refuses before anything is written over
            write_text_whole(place, text)
            if self.coordination.is_first() or not all(search.is_done() for search in searches):
                withdraw_results(self.context.folder, searches)
        settings, work = self.settings, work_of(plans, searches)
        self.crew = make_crew(
            self.context.config, settings.n_jobs, settings.devices, self.machine, work
        )
        for line in self.crew.lines:
            self.progress.say(line)
        for search in searches:
            for line in announcement(search, self.settings, self.context.is_our_task):
                self.progress.say(line)
            if note := note_on_idle_pruner(search.plan, self.settings):
                self.progress.say(note)
        return searches

    def _open_all(self, plans: list[Plan]) -> list[Search]:
        searches: list[Search] = []

        def shares() -> tuple[int, int]:
            states = [t.state for s in searches for t in s.study.get_trials(deepcopy=False)]
            return states.count(TrialState.FAIL), sum(state.is_finished() for state in states)

        watch = FailureWatch(self.settings.max_failure_rate, shares)
        timeout = self.settings.timeout
        end = None if timeout is None else time.monotonic() + timeout

        def may_ask() -> bool:
            return end is None or time.monotonic() < end

        for index, plan in enumerate(plans):
            search = open_search(
                index,
                plan,
                self.settings,
                self.context,
                watch,
                may_ask,
                self.coordination,
                self.progress.say,
            )
            searches.append(search)
        return searches

    def run(self, searches: list[Search]) -> None:
        """Run all trials; one launch of several then runs the confirmations."""
        while True:
            try:
                self._run(searches, self._open_pool())
            except HostExpired as expired:
                self.progress.say(f"{expired}; it joins again as a new host")
                for search in searches:
                    search.forget()
                self.coordination.rejoin()
            else:
                return

    def _run(self, searches: list[Search], pool: Pool) -> None:
        timeout = self.settings.trial_timeout
        loop = EventLoop(searches, pool, self.progress, self.outage, timeout)
        try:
            for search in searches:
                self._resume_trials(search)
            loop.run()
            self.coordination.begin_finishing()
            done_elsewhere = self.outage.retry(lambda: are_written(searches))
            for search in searches:
                search.may_confirm = self.coordination.is_alone or not done_elsewhere
            loop.run()
        except HostExpired:  # its workers must not touch a trial that may be another host's by now
            for slot in pool.busy_slots():
                pool.kill(slot)
            pool.close(grace=0.0, stop=True)
            raise
        except BaseException:
            self.progress.say("stopping: running trials keep their last whole epoch")
            pool.close(grace=STOP_SECONDS, stop=True)
            raise
        pool.close(grace=STOP_SECONDS, stop=False)

    def _resume_trials(self, search: Search) -> None:
        """Among several launches a search seeks for trials left behind as it goes."""
        is_alone = self.coordination.is_alone
        trials = self.outage.retry(lambda: search.study.get_trials(deepcopy=False))
        running = sum(trial.state is TrialState.RUNNING for trial in trials)
        resumed = self.outage.retry(search.resume_trials) if is_alone else 0
        if len(trials) > 1:
            now = f"{resumed} left running" if is_alone else f"{running} running"
            self.progress.say(f"{search.plan.prefix}resuming: {counted(search)}, {now}")

    def _open_pool(self) -> Pool:
        context, devices = self.context, self.crew.devices
        setup = Setup(context, Singleton.get_state(), self.coordination.heartbeat)
        folder = self.coordination.own_folder(context.folder / WORKERS)
        if not is_chosen(context.config):
            return Pool(folder, setup, devices)
        # Each host's jobs are its own to count and to cancel, and it tells them by their folder.
        # Workers compose with the config as it is: Hydra refuses another launcher's.
        config = with_submissions(context.config, self.coordination.own_folder)
        launcher_setup = replace(setup, context=replace(context, config=config))
        return LaunchedPool(folder, setup, launcher_setup, devices, self.progress.say)


def _write_results(context: SweepContext, searches: list[Search]) -> int:
    """Write and print what came out; how many searches have no completed trial."""
    if all(search.may_confirm for search in searches):
        write_results(context.folder, searches)
    lines = result_lines(searches)
    empty = sum(not search.study.best_trials for search in searches)
    print("\n".join(lines), flush=True)
    return empty


def _conclude(context: SweepContext, searches: list[Search], empty: int) -> None:
    if context.is_our_task and empty < len(searches):
        print(f"report: {report.write(context.folder)}", flush=True)
    failed = [line for search in searches for line in search.confirmation.failed]
    if failed:
        raise StoppedEarly(f"{len(failed)} confirmation runs failed: {'; '.join(failed)}")
    if empty:
        raise StoppedEarly("no trial was completed; the lines above say why")
