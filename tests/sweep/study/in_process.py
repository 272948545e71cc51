"""A whole search in this process: the real Search, recorder and event loop, and no workers."""

import math
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

import optuna
from omegaconf import DictConfig, OmegaConf
from optuna.distributions import FloatDistribution
from optuna.exceptions import StorageInternalError
from optuna.pruners import BasePruner, NopPruner
from optuna.storages import InMemoryStorage
from optuna.trial import FrozenTrial, TrialState
from rich.console import Console
from sqlalchemy.exc import OperationalError

from cnnsweep.folders.result import Outcome
from cnnsweep.folders.run_folder import RunFolder
from cnnsweep.sweep.checkpoints import Checkpoints
from cnnsweep.sweep.event_loop import EventLoop
from cnnsweep.sweep.progress import SweepProgress
from cnnsweep.sweep.spec.failure_policy import FailureWatch
from cnnsweep.sweep.spec.messages import Answer, Epoch, Finished, Job, Message
from cnnsweep.sweep.spec.plan import Plan
from cnnsweep.sweep.spec.samplers import Sampling, Space
from cnnsweep.sweep.spec.space.points import count_points
from cnnsweep.sweep.spec.space.search_space import SearchSpace
from cnnsweep.sweep.study.ask import Asker
from cnnsweep.sweep.study.confirmation import Confirmation
from cnnsweep.sweep.study.coordination import SingleLaunch
from cnnsweep.sweep.study.opening.storage import open_storage
from cnnsweep.sweep.study.opening.storage_outage import Outage, OutageStorage
from cnnsweep.sweep.study.retries import Retries
from cnnsweep.sweep.study.search import Search
from cnnsweep.sweep.study.tell import Recorder
from tests.sweep.study.studies import sampler

# The calls through which Optuna reaches its storage.
CALLS = tuple(
    name
    for name in dir(InMemoryStorage)
    if name.startswith(("get_", "set_", "create_")) and callable(getattr(InMemoryStorage, name))
)


EPOCHS = 4  # of each run


class FailingStorage(InMemoryStorage):
    """Fails at the calls whose numbers are in ``failing``, before or after doing them."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0
        self.failing: range = range(0)
        self.after = False
        self._depth = 0

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        if name not in CALLS:
            return found

        def call(*arguments: Any, **keywords: Any) -> Any:
            if self._depth:  # one call of Optuna's that uses another
                return found(*arguments, **keywords)
            self._depth += 1
            try:
                fails = self.calls in self.failing
                self.calls += 1
                answer = None if fails and not self.after else found(*arguments, **keywords)
            finally:
                self._depth -= 1
            if fails:
                cause = OperationalError("", {}, OSError())
                raise StorageInternalError("as Optuna wraps it") from cause
            return answer

        return call


class TakenOver(SingleLaunch):
    """Another host has trial 0, which was ours."""

    def is_ours(self, trial: FrozenTrial) -> bool:
        return trial.number != 0

    def should_look(self, study: optuna.Study, in_hand: Collection[int]) -> bool:
        return super().should_look(study, {0, *in_hand})

    def left_behind(
        self, study: optuna.Study, folder: Path, in_hand: Collection[int]
    ) -> FrozenTrial | None:
        return super().left_behind(study, folder, {0, *in_hand})


class SaidLines(StringIO):
    """A terminal whose lines are kept."""

    def __init__(self, said: list[str]) -> None:
        super().__init__()
        self._said = said

    def write(self, text: str) -> int:
        self._said += text.splitlines()
        return len(text)


@dataclass
class Parts:
    """A search, its loop, and what they have said and done."""

    search: Search
    loop: EventLoop
    pool: "FakePool"
    storage: FailingStorage
    said: list[str]
    folder: Path

    def step(self, times: int = 1) -> None:
        for _ in range(times):
            self.loop.step()

    def send(self, message: Message, slot: int = 0) -> None:
        """A worker says something about the job of its slot, and is heard."""
        self.pool.say(slot, message)
        self.step(2)  # receives it, acts on it

    def until_done(self) -> None:
        for _ in range(200):
            if self.loop.step():
                return
        raise AssertionError("the search does not come to its end")

    def write_result(self, job: Job, objective: float, status: str = "completed") -> None:
        """What a run leaves in its folder in the end."""
        folder = RunFolder(self.folder / job.folder)
        folder.path.mkdir(parents=True, exist_ok=True)
        outcome = Outcome(
            seed=0, device="cpu", precision="float32", threads=1, status=status, objective=objective
        )
        outcome.test_loss = objective + 1
        folder.write_metrics([])
        folder.write_result(outcome.as_dict())

    def states(self) -> list[str]:
        return [trial.state.name for trial in self.search.study.get_trials(deepcopy=False)]

    def status(self, folder: str) -> str | None:
        result = RunFolder(self.folder / folder).read_result()
        return None if result is None else str(result["status"])


@dataclass
class FakePool:
    """Slots that hold what they were given, and say what a test makes them say."""

    slots: int = 1
    jobs: dict[int, Job] = field(default_factory=dict)
    given: list[Job] = field(default_factory=list)
    answers: list[tuple[int, Answer]] = field(default_factory=list)
    killed: list[int] = field(default_factory=list)
    age: float | None = None  # seconds that every job has run
    shared: set[int] = field(default_factory=set)  # slots whose process has other jobs, too
    waiting: list[tuple[int, Job, Message]] = field(default_factory=list)

    def free_slots(self) -> list[int]:
        return [slot for slot in range(self.slots) if slot not in self.jobs]

    def busy_slots(self) -> list[int]:
        return sorted(self.jobs)

    def job(self, slot: int) -> Job | None:
        return self.jobs.get(slot)

    def seconds(self, slot: int) -> float | None:  # noqa: ARG002
        return self.age

    def is_alone(self, slot: int) -> bool:
        return slot not in self.shared

    def log(self, slot: int) -> Path:
        return Path(f"{slot}.log")

    def give(self, slot: int, job: Job) -> None:
        assert slot not in self.jobs
        self.jobs[slot] = job
        self.given.append(job)

    def answer(self, slot: int, answer: Answer) -> None:
        self.answers.append((slot, answer))

    def kill(self, slot: int) -> None:
        self.killed.append(slot)
        del self.jobs[slot]

    def say(self, slot: int, message: Message) -> None:
        self.waiting.append((slot, self.jobs[slot], message))

    def messages(self, _seconds: float) -> Iterator[tuple[int, Job, Message]]:
        waiting, self.waiting = self.waiting, []
        for slot, job, message in waiting:
            if isinstance(message, Finished):
                self.jobs.pop(slot, None)
            yield slot, job, message


def make(
    folder: Path,
    *,
    seeds: int = 1,
    retries: int = 1,
    n_trials: int = 3,
    confirm: int = 0,
    slots: int = 1,
    pruner: BasePruner | None = None,
    coordination: SingleLaunch | None = None,
    trial_timeout: float | None = None,
    max_failure_rate: float = 1.0,
    outage_seconds: float = 60.0,
    space: Space | None = None,
    sampling: DictConfig | None = None,
    keep_best: int | None = None,
    storage: FailingStorage | None = None,
    journal: bool = False,
    time_left: Callable[[], float] = lambda: math.inf,
) -> Parts:
    """A search, by default over one real number, minimizing val_loss; its storage can fail.

    ``journal``: it is the journal of its folder, as a user's is, and does not fail.
    """
    said: list[str] = []
    storage, coordination = storage or FailingStorage(), coordination or SingleLaunch()
    study = optuna.create_study(
        study_name="test",
        storage=open_storage(None, folder, None)
        if journal
        else OutageStorage(storage, coordination.check),  # type: ignore[arg-type]
        pruner=pruner or NopPruner(),
        direction="minimize",
        load_if_exists=True,
    )
    plan = _plan(folder, n_trials, space or {"x": FloatDistribution(0.0, 1.0)})
    watch = FailureWatch(max_failure_rate, _shares(study))
    recorder = Recorder(plan, study, watch, said.append, "cnnsweep.log")
    search = Search(
        search_index=0,
        plan=plan,
        seeds=seeds,
        retries=Retries(recorder, retries),
        study=study,
        asker=Asker(
            study,
            Sampling(
                sampling or sampler("RandomSampler"), 0, plan.space.distributions, plan.n_trials
            ),
            plan.space.distributions,
            None,
            plan.config,
            plan.n_trials,
            plan.points,
        ),
        recorder=recorder,
        confirmation=Confirmation(0, plan, study, recorder, wanted=confirm, seeds=seeds),
        time_left=time_left,
        coordination=coordination,
        may_confirm=True,
    )
    pool = FakePool(slots)
    progress = SweepProgress(Console(file=SaidLines(said)), None)
    outage = Outage(said.append, outage_seconds)
    checkpoints = Checkpoints(keep_best, (), said.append)
    loop = EventLoop([search], pool, progress, outage, checkpoints, trial_timeout)
    storage.calls = 0
    return Parts(search, loop, pool, storage, said, folder)


def _plan(folder: Path, n_trials: int, space: Space) -> Plan:
    return Plan(
        sweep=folder,
        subfolder="",
        study_name="test",
        space=SearchSpace(space, ()),
        config=OmegaConf.create({"seed": 0, "x": 0.5, "epochs": EPOCHS}),
        objectives=("val_loss",),
        directions=("minimize",),
        n_trials=n_trials,
        points=count_points(space),
        seed=0,
        threads=None,
        typed=frozenset(),
    )


def _shares(study: optuna.Study) -> Callable[[], tuple[int, int]]:
    def shares() -> tuple[int, int]:
        states = [trial.state for trial in study.get_trials(deepcopy=False)]
        return states.count(TrialState.FAIL), sum(state.is_finished() for state in states)

    return shares


def epoch(number: int, value: float) -> Epoch:
    return Epoch(number, {"epoch": number, "val_loss": value})
