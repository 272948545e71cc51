"""Searches by Optuna, one or one for each choice of a group: their plans, studies and results."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from optuna.trial import TrialState

from cnnsweep import report
from cnnsweep.errors import StoppedEarly
from cnnsweep.sweep.earlier.given import with_given_points
from cnnsweep.sweep.earlier.warm_start import with_warm_start
from cnnsweep.sweep.estimate.of_search import outlook_of_search
from cnnsweep.sweep.estimate.outlook import Outlook
from cnnsweep.sweep.final_model import final_lines
from cnnsweep.sweep.freeze_thaw.choice import note_on_pausing, with_fitting_pruner
from cnnsweep.sweep.freeze_thaw.paused import is_paused
from cnnsweep.sweep.journal.theirs import ours
from cnnsweep.sweep.launch.former_keys import refuse_former
from cnnsweep.sweep.machine.sizing import MOST_STACKED
from cnnsweep.sweep.machine.workers import AUTO
from cnnsweep.sweep.preflight import check_sweep, check_sweeper_targets
from cnnsweep.sweep.progress import announcement
from cnnsweep.sweep.results import are_written, result_lines, withdraw_results, write_results
from cnnsweep.sweep.several_searches import in_vain, unconfirmed
from cnnsweep.sweep.spec.compose import SweepContext
from cnnsweep.sweep.spec.failure_policy import FailureWatch
from cnnsweep.sweep.spec.plan import Plan, sampling_of
from cnnsweep.sweep.spec.planning import make_plans
from cnnsweep.sweep.spec.samplers import note_on_conditions
from cnnsweep.sweep.spec.settings import Settings, read_settings
from cnnsweep.sweep.study.coordination import Coordination
from cnnsweep.sweep.study.opening.storage_outage import Outage
from cnnsweep.sweep.study.opening.study import open_search
from cnnsweep.sweep.study.pruning import make_pruner, note_on_idle_pruner
from cnnsweep.sweep.study.search import Search


@dataclass
class Searches:
    """A sweep whose trials Optuna proposes."""

    context: SweepContext
    settings: Settings
    plans: list[Plan]
    _data: list[Mapping[str, Any]] = field(default_factory=list)

    @classmethod
    def read(
        cls, context: SweepContext, keys: dict[str, object], arguments: list[str]
    ) -> "Searches":
        """From the sweeper's keys and the command line's overrides.

        Raises:
            UserError: a key is out of range, or there is nothing to search over.
        """
        refuse_former(keys, context.config)
        settings = read_settings(keys)
        check_sweeper_targets(settings, context)
        make_pruner(settings.pruner, settings.seeds)  # refuses a NaN, of which Hydra speaks darkly
        plans = make_plans(context, settings, arguments)
        plans = with_given_points(context, settings, plans)
        plans = with_warm_start(context, settings, plans)
        return cls(context, with_fitting_pruner(settings, plans, context), plans)

    def check(self) -> None:
        self._data = check_sweep(self.context, self.settings, self.plans)

    def data(self) -> Sequence[Mapping[str, Any]]:
        return self._data

    def open(
        self, coordination: Coordination, time_left: Callable[[], float], say: Callable[[str], None]
    ) -> list[Search]:
        searches: list[Search] = []

        def shares() -> tuple[int, int]:
            trials = [t for s in searches for t in ours(s.study).get_trials(deepcopy=False)]
            failed = sum(trial.state is TrialState.FAIL for trial in trials)
            return failed, sum(t.state.is_finished() or is_paused(t) for t in trials)

        stack = self.settings.stack
        if self.settings.searches > 1:
            say = _once(say)
        beside = MOST_STACKED if stack == AUTO else int(stack)
        watch = FailureWatch(self.settings.max_failure_rate, shares, beside)
        for index, plan in enumerate(self.plans):
            search = open_search(
                index, plan, self.settings, self.context, watch, time_left, coordination, say
            )
            searches.append(search)
        return searches

    def prepare(self, searches: list[Search]) -> None:
        withdraw_results(self.context.folder, searches)

    def announcement(self, searches: list[Search]) -> Iterator[str]:
        for search in searches:
            if search.plan.search_number:  # as search 0 of its choice
                continue
            yield from announcement(search, self.settings, self.context.is_our_task)
            yield from search.plan.notes
            if note := note_on_pausing(search.plan, self.settings, self.context):
                yield note
            if note := note_on_idle_pruner(search.plan, self.settings):
                yield note
            yield from self._notes_on_sampler(search)

    def _notes_on_sampler(self, search: Search) -> Iterator[str]:
        if search.asker.takes_every_point:  # and no sampler chooses
            if self.settings.earlier:
                yield (
                    "note: every point of the space is tried, in an order of chance: what "
                    "hydra.sweeper.warm_start tells the sampler changes nothing"
                )
            return
        sampler = sampling_of(search.plan, self.settings).sampler_for(0)
        if note := note_on_conditions(sampler, search.plan.space.conditions.keys()):
            yield note

    def outlooks(self, searches: list[Search]) -> list[Outlook]:
        return [outlook_of_search(self.context, self.settings, search) for search in searches]

    def are_written(self, searches: list[Search]) -> bool:
        return are_written(searches)

    def conclude(self, searches: list[Search], outage: Outage) -> None:
        empty = outage.retry(lambda: self._write_results(searches))
        lines, error = unconfirmed(searches, self.settings.max_failure_rate)
        for line in lines:
            print(line, flush=True)
        tells_of_epochs = self.context.is_our_task or self.settings.metric is not None
        if tells_of_epochs and empty < len(searches):
            page, answer = report.write_and_tell(self.context.folder)
            several = answer if len(searches) > 1 else []  # of one, the lines above say it
            print("\n".join([*several, f"report: {page}"]), flush=True)
        if error is not None:
            raise error
        if empty:
            which = "" if len(searches) == 1 else f"in {empty} of {len(searches)} searches "
            raise in_vain(searches, which) or StoppedEarly(
                f"{which}no trial was completed; the lines above say why"
            )

    def _write_results(self, searches: list[Search]) -> int:
        """Write and print what came out; how many searches have no completed trial."""
        if all(search.may_confirm for search in searches):
            write_results(self.context.folder, searches)
        lines = [*result_lines(searches), *final_lines(self.context)]
        empty = sum(not ours(search.study).best_trials for search in searches)
        print("\n".join(lines), flush=True)
        return empty


def _once(say: Callable[[str], None]) -> Callable[[str], None]:
    """Say each line once, of which several searches have something to tell."""
    said: set[str] = set()

    def say_new(line: str) -> None:
        if line not in said:
            said.add(line)
            say(line)

    return say_new
