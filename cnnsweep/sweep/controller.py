"""A sweep from its first check to its last line, whatever its kind."""

import math
import os
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import Protocol

import optuna
from hydra.core.hydra_config import HydraConfig
from hydra.core.singleton import Singleton
from omegaconf import OmegaConf
from optuna.exceptions import ExperimentalWarning
from optuna.trial import TrialState

from cnnsweep.config.launchers import is_chosen, with_submissions
from cnnsweep.folders import lock
from cnnsweep.folders.run_folder import write_text_whole
from cnnsweep.folders.sweep_folder import SWEEP_CONFIG, WORKERS
from cnnsweep.process import begin_collection
from cnnsweep.sweep.checkpoints import checkpoints_of
from cnnsweep.sweep.cluster.launcher_pool import LaunchedPool
from cnnsweep.sweep.estimate.before import look_back
from cnnsweep.sweep.estimate.dry_run import dry_run_lines, no_downloads
from cnnsweep.sweep.estimate.outlook import Outlook
from cnnsweep.sweep.event_loop import EventLoop
from cnnsweep.sweep.freeze_thaw.dropping import drop_paused
from cnnsweep.sweep.machine.facts import Machine, read_machine
from cnnsweep.sweep.machine.sizing import Crew, make_crew
from cnnsweep.sweep.multihost.membership import HostExpired
from cnnsweep.sweep.multihost.shared_study import joined
from cnnsweep.sweep.preflight import Checkable, checked
from cnnsweep.sweep.progress import SweepProgress, counted, open_progress
from cnnsweep.sweep.spec.compose import SweepContext
from cnnsweep.sweep.spec.needs import refuse_missing_data
from cnnsweep.sweep.spec.settings import Settings
from cnnsweep.sweep.stacking import why_not_stacked
from cnnsweep.sweep.study.coordination import Coordination, LookingLaunch, not_in_hand
from cnnsweep.sweep.study.opening.storage_outage import Outage
from cnnsweep.sweep.study.search import Search
from cnnsweep.sweep.work import work_of
from cnnsweep.sweep.workers.pool import Pool
from cnnsweep.sweep.workers.worker_main import Setup
from cnnsweep.task.recorded_command import mask_password

STOP_SECONDS = 3.5  # a person who pressed Ctrl-C waits less than 5 s in all


class Sweep(Checkable, Protocol):
    """What searches and grids do each in their own way."""

    context: SweepContext

    def open(
        self, coordination: Coordination, time_left: Callable[[], float], say: Callable[[str], None]
    ) -> list[Search]:
        """The studies, new or as an earlier launch left them; may be called again."""

    def prepare(self, searches: list[Search]) -> None:
        """Get an earlier launch's folder ready: there is more to do, which is recorded by now."""

    def announcement(self, searches: list[Search]) -> Iterator[str]:
        """Lines on what is about to be done."""

    def outlooks(self, searches: list[Search]) -> list[Outlook]:
        """What is still to be done in each of them."""

    def are_written(self, searches: list[Search]) -> bool:
        """Whether another launch has written these results."""

    def conclude(self, searches: list[Search], outage: Outage) -> None:
        """Write and print what came out.

        Raises:
            StoppedEarly: a part of it failed.
        """


def run_sweep(context: SweepContext, read: Callable[[], Sweep]) -> None:
    """Run or resume the sweep in the context's folder, which ``read`` makes of its keys.

    Raises:
        UserError: it cannot begin, was stopped by failures, or a part of it failed.
    """
    begin_collection()
    mask_password(context.config)  # the settings have the URL as it was typed; workers need none
    HydraConfig.instance().set_config(context.config)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    warnings.simplefilter("ignore", ExperimentalWarning)  # whoever chose it knows
    machine = read_machine()
    sweep = checked(context, read, machine)
    if sweep.settings.dry_run:
        _say_only(context, sweep, machine)
        return
    context.folder.mkdir(parents=True, exist_ok=True)
    lock.acquire(context.folder, shared=sweep.settings.shared)
    with ExitStack() as stack:
        with open_progress(sys.stdout) as progress:
            say = progress.say
            coordination = stack.enter_context(joined(context.folder, sweep.settings.shared, say))
            outage = Outage(say)
            controller = Controller(context, sweep, machine, coordination, outage, progress)
            searches = outage.retry(controller.open_searches)
            controller.run(searches)
        sweep.conclude(searches, outage)


def _say_only(context: SweepContext, sweep: Sweep, machine: Machine) -> None:
    """A dry run: as a launch would begin, but nothing is made, and nothing changes."""
    lock.refuse_busy(context.folder, shared=sweep.settings.shared)
    with open_progress(sys.stdout) as progress:
        controller = Controller(
            context, sweep, machine, LookingLaunch(), Outage(progress.say), progress
        )
        with no_downloads(context):
            searches = controller.open_searches()
        for search in searches:
            if any(number for word, number in search.counts().items() if word != "of"):
                progress.say(f"{search.plan.prefix}so far: {counted(search)}")
        timeout = sweep.settings.timeout
        outlooks = sweep.outlooks(searches)
        for line in dry_run_lines(context, outlooks, controller.crew, machine, timeout):
            progress.say(line)


@dataclass
class Controller:
    """Takes a sweep from its studies to its last confirmation run."""

    context: SweepContext
    sweep: Sweep
    machine: Machine
    coordination: Coordination
    outage: Outage
    progress: SweepProgress
    crew: Crew = field(init=False)

    def open_searches(self) -> list[Search]:
        """The sweep's studies, new or as an earlier launch left them; may be called again."""
        with self.coordination.turn():
            text = OmegaConf.to_yaml(self.context.config)
            place = self.context.folder / SWEEP_CONFIG
            only_looks = self.coordination.only_looks
            if not place.exists() and not only_looks:
                write_text_whole(place, text)
            with self.progress.held_back() as notes:
                searches = self.sweep.open(self.coordination, self._time_left(), self.progress.say)
            if not all(one.is_done() for one in searches):
                refuse_missing_data(self.context, self.sweep.data())
            if not only_looks:
                write_text_whole(place, text)  # only now: nothing refused what is there
                if self.coordination.is_first() or not all(one.is_done() for one in searches):
                    self.sweep.prepare(searches)
        may_stack = why_not_stacked(self.context) is None
        work = replace(work_of(searches, self.sweep.settings), may_stack=may_stack)
        self.crew = make_crew(self.context.config, self.sweep.settings, self.machine, work)
        self.progress.time_left.workers = len(self.crew.gpus) * self.crew.stack
        for line in (*self.crew.lines, *self.sweep.announcement(searches), *notes):
            self.progress.say(line)
        return searches

    def _time_left(self) -> Callable[[], float]:
        timeout = self.sweep.settings.timeout
        end = math.inf if timeout is None else time.monotonic() + timeout
        return lambda: end - time.monotonic()

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
        timeout = self.sweep.settings.trial_timeout
        checkpoints = checkpoints_of(self.context, self.sweep.settings, self.progress.say)
        loop = EventLoop(searches, pool, self.progress, self.outage, checkpoints, timeout)
        try:
            for search in searches:
                self._resume_trials(search)
            look_back(self.context, searches, self.machine, self.progress.time_left)
            loop.run()
            self.coordination.begin_finishing()
            done_elsewhere = self.outage.retry(lambda: self.sweep.are_written(searches))
            for search in searches:
                search.may_confirm = self.coordination.is_alone or not done_elsewhere
                self._drop_paused(search)
            loop.run()
        except HostExpired:  # its workers must not touch a trial that may be another host's by now
            for slot in pool.busy_slots():
                pool.kill(slot)
            pool.close(grace=0.0, stop=True)
            raise
        except BaseException:
            noun = searches[0].plan.noun if searches else "trial"
            self.progress.say(f"stopping: running {noun}s keep their last whole epoch")
            pool.close(grace=STOP_SECONDS, stop=True)
            raise
        pool.close(grace=STOP_SECONDS, stop=False)

    def _drop_paused(self, search: Search) -> None:
        settings = self.sweep.settings
        if not isinstance(settings, Settings) or settings.keep_paused or not search.may_confirm:
            return

        def drop() -> None:
            with self.coordination.turn():
                drop_paused(search.study, search.recorder, lambda _: True, "keep_paused=false")

        self.outage.retry(drop)

    def _resume_trials(self, search: Search) -> None:
        """Among several launches a search seeks for trials left behind as it goes."""
        is_alone = self.coordination.is_alone
        trials = self.outage.retry(lambda: search.study.get_trials(deepcopy=False))
        running = self.outage.retry(lambda: len(list(not_in_hand(search.study, ()))))
        resumed = self.outage.retry(search.resume_trials) if is_alone else 0
        if any(trial.state is not TrialState.WAITING for trial in trials):
            now = f"{resumed} left running" if is_alone else f"{running} running"
            self.progress.say(f"{search.plan.prefix}resuming: {counted(search)}, {now}")

    def _open_pool(self) -> Pool:
        context, gpus = self.context, self.crew.gpus
        for name, value in self.crew.environment.items():
            os.environ.setdefault(name, value)
        setup = Setup(context, Singleton.get_state(), self.coordination.heartbeat)
        folder = self.coordination.own_folder(context.folder / WORKERS)
        if not is_chosen(context.config):
            return Pool(folder, setup, gpus, self.crew.stack)
        # Each host's jobs are its own to count and to cancel, and it tells them by their folder.
        # Workers compose with the config as it is: Hydra refuses another launcher's.
        config = with_submissions(context.config, self.coordination.own_folder)
        launcher_setup = replace(setup, context=replace(context, config=config))
        return LaunchedPool(folder, setup, launcher_setup, gpus, self.progress.say)
