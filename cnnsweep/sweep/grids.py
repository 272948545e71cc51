"""A grid: what it is, and what it says before and after."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cnnsweep import report
from cnnsweep.errors import JobsFailed
from cnnsweep.sweep.estimate.of_grid import outlook_of_grid
from cnnsweep.sweep.estimate.outlook import Outlook
from cnnsweep.sweep.final_model import final_lines
from cnnsweep.sweep.grid.jobs import Jobs
from cnnsweep.sweep.grid.longer import begin_longer
from cnnsweep.sweep.grid.numbering import SEED
from cnnsweep.sweep.grid.open import open_grid
from cnnsweep.sweep.grid.outcome import outcome_lines
from cnnsweep.sweep.grid.search import GridSearch
from cnnsweep.sweep.machine.workers import counted
from cnnsweep.sweep.spec.compose import SweepContext
from cnnsweep.sweep.spec.needs import check_disk
from cnnsweep.sweep.spec.plan import DEFAULT_STUDY, Plan, threads_of
from cnnsweep.sweep.spec.run_keys import RunKeys
from cnnsweep.sweep.spec.settings import GridSettings, directions, read_grid_settings
from cnnsweep.sweep.spec.space.search_space import SearchSpace
from cnnsweep.sweep.study.coordination import Coordination
from cnnsweep.sweep.study.opening.storage_outage import Outage
from cnnsweep.sweep.study.search import Search


@dataclass
class Grid:
    """A sweep of every combination of the values that were typed."""

    context: SweepContext
    settings: GridSettings
    jobs: Jobs

    @classmethod
    def read(cls, context: SweepContext, keys: dict[str, object]) -> "Grid":
        """From the sweeper's keys and the command line's overrides.

        Raises:
            UserError: a key is out of range, an axis is a range without steps, or a job could only
                fail.
        """
        return cls(context, read_grid_settings(keys), Jobs.read(context))

    def check(self) -> None:
        self.jobs.check_folders()
        check_disk(self.context.folder)

    def data(self) -> Iterator[Mapping[str, Any]]:
        if self.jobs.ours is not None:
            for place in range(len(self.jobs.words)):
                yield self.jobs.resolved(place, place, ())["data"]

    def open(
        self, coordination: Coordination, time_left: Callable[[], float], say: Callable[[str], None]
    ) -> list[Search]:
        return [open_grid(self.jobs, self.settings, self._plan(), coordination, time_left, say)]

    def prepare(self, searches: list[Search]) -> None:
        (search,) = searches
        assert isinstance(search, GridSearch)
        begin_longer(self.context.folder, search.longer)

    def announcement(self, searches: list[Search]) -> Iterator[str]:
        (plan,) = (search.plan for search in searches)
        names = ", ".join(self.jobs.axes)
        over = f" over {names}" if names else ""
        yield f"{counted(len(self.jobs.words), 'job')}{over}; in {plan.folder}"
        yield from () if self.jobs.ours is None else self.jobs.ours.notes

    def outlooks(self, searches: list[Search]) -> list[Outlook]:
        (search,) = searches
        assert isinstance(search, GridSearch)
        more = search.plan.threads_override()

        def resolve(place: int, number: int) -> dict[str, Any]:
            return self.jobs.resolved(place, number, more)

        kept, ours = self.settings.keep_best, self.context.is_our_task
        return [outlook_of_grid(search, resolve, kept, ours=ours)]

    def are_written(self, _searches: list[Search]) -> bool:
        return True

    def conclude(self, searches: list[Search], outage: Outage) -> None:
        (search,) = searches
        assert isinstance(search, GridSearch)
        lines, error = outage.retry(lambda: outcome_lines(search))
        if set(self.jobs.axes) - {SEED} and search.counts()["done"]:
            lines += final_lines(self.context)
        for line in lines:
            print(line, flush=True)
        if self.context.is_our_task and search.counts()["done"]:
            page, answer = report.write_and_tell(self.context.folder)
            print("\n".join([*answer, f"report: {page}"]), flush=True)
        if error is not None:
            raise JobsFailed(error)

    def _plan(self) -> Plan:
        config = self.jobs.compose(self.jobs.words[0], 0)
        keys = RunKeys(config, self.context.is_our_task)
        objectives = keys.objectives(None) or ["value"]
        return Plan(
            sweep=self.context.folder,
            subfolder="",
            study_name=DEFAULT_STUDY,
            space=SearchSpace({}, ()),
            config=config,
            objectives=tuple(objectives),
            directions=tuple(directions(None, objectives)),
            n_trials=len(self.jobs.words),
            points=None,
            seed=0,
            threads=threads_of(keys),
            typed=frozenset(),
            noun="job",
            swept=frozenset(self.jobs.axes),
            is_ours=self.context.is_our_task,
        )
