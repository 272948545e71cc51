"""A grid: what it is, and what it says before and after."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from omegaconf import DictConfig, OmegaConf

from cnnsweep import report
from cnnsweep.config.composing.grid_jobs import GridJobs, checked_jobs, job_overrides
from cnnsweep.errors import StoppedEarly
from cnnsweep.sweep.grid.numbering import axes
from cnnsweep.sweep.grid.open import open_grid
from cnnsweep.sweep.grid.outcome import outcome_lines
from cnnsweep.sweep.grid.search import GridSearch
from cnnsweep.sweep.preflight import check_disk
from cnnsweep.sweep.spec.compose import SweepContext
from cnnsweep.sweep.spec.plan import DEFAULT_STUDY, Plan, objectives_of, threads_of
from cnnsweep.sweep.spec.search_space import SearchSpace
from cnnsweep.sweep.spec.settings import GridSettings, directions, read_grid_settings
from cnnsweep.sweep.study.coordination import Coordination
from cnnsweep.sweep.study.search import Search
from cnnsweep.sweep.study.storage_outage import Outage

_BY_NUMBER = "${hydra.job.num}"  # the place of a job's folder, unless somebody names it otherwise


@dataclass
class Grid:
    """A sweep of every combination of the values that were typed."""

    context: SweepContext
    settings: GridSettings
    jobs: list[tuple[str, ...]]  # the overrides of each, in Hydra's order
    ours: GridJobs | None  # the same jobs, where they are runs of this package

    @classmethod
    def read(cls, context: SweepContext, keys: dict[str, object]) -> "Grid":
        """From the sweeper's keys and the command line's overrides.

        Raises:
            UserError: a key is out of range, an axis is a range without steps, or a job could only
                fail.
        """
        settings = read_grid_settings(keys)
        ours = checked_jobs(context.config) if context.is_our_task else None
        typed = job_overrides(context.config) if ours is None else ours.overrides
        jobs = [tuple(line for line in job if not line.startswith("resume=")) for job in typed]
        return cls(context, settings, jobs, ours)

    def check(self) -> None:
        check_disk(self.context.folder)

    def open(
        self, coordination: Coordination, may_ask: Callable[[], bool], say: Callable[[str], None]
    ) -> list[Search]:
        return [open_grid(self, self._plan(), coordination, may_ask, say)]

    def withdraw_results(self, _searches: list[Search]) -> None:
        return

    def announcement(self, searches: list[Search]) -> Iterator[str]:
        (plan,) = (search.plan for search in searches)
        names = ", ".join(axes(self.jobs))
        over = f" over {names}" if names else ""
        threads = "" if plan.threads is None else f" of {plan.threads} CPU threads"
        count = len(self.jobs)
        yield (
            f"{count} {'job' if count == 1 else 'jobs'}{over}; {self.settings.n_jobs} workers"
            f"{threads}; in {plan.folder}"
        )
        yield from () if self.ours is None else self.ours.notes

    def are_written(self, _searches: list[Search]) -> bool:
        return True

    def conclude(self, searches: list[Search], outage: Outage) -> None:
        (search,) = searches
        assert isinstance(search, GridSearch)
        lines, error = outage.retry(lambda: outcome_lines(search))
        print("\n".join(lines), flush=True)
        if self.context.is_our_task and search.counts()["done"]:
            print(f"report: {report.write(self.context.folder)}", flush=True)
        if error is not None:
            raise StoppedEarly(error)

    def compose(self, place: int, number: int, *more: str) -> DictConfig:
        """The config of the job at a place of the list under a number; ``more`` overrides."""
        folder = None if self.names_folders else str(number)
        return self.context.compose((*self.jobs[place], *more), folder, number)

    @property
    def names_folders(self) -> bool:
        """Whether somebody names the jobs' folders otherwise than by their numbers."""
        plain = OmegaConf.to_container(self.context.config.hydra.sweep, resolve=False)
        assert isinstance(plain, dict)
        return bool(plain["subdir"] != _BY_NUMBER)

    def _plan(self) -> Plan:
        config = self.compose(0, 0)
        objectives = objectives_of(config) or ["value"]
        return Plan(
            sweep=self.context.folder,
            subfolder="",
            study_name=DEFAULT_STUDY,
            space=SearchSpace({}, ()),
            config=config,
            objectives=tuple(objectives),
            directions=tuple(directions(None, objectives)),
            n_trials=len(self.jobs),
            points=None,
            seed=0,
            threads=threads_of(config, self.settings.n_jobs),
            typed=frozenset(),
            noun="job",
            swept=frozenset(axes(self.jobs)),
        )
