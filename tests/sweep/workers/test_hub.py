"""Jobs that take turns in one process: over real pipes, with runs that compute nothing."""

import contextlib
import logging
import os
import random
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, Pipe, wait
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cnnsweep import epoch_reporter
from cnnsweep.process import Terminated
from cnnsweep.sweep.spec.messages import Epoch, Finished, Job, Message, Note
from cnnsweep.sweep.workers.hub import Hub
from cnnsweep.sweep.workers.run_job import Reporter


@dataclass
class Trainer:
    """Of a run that trains nothing."""

    name: str
    family: SimpleNamespace
    trained_with: int = 1


@dataclass
class Launcher:
    """Gives jobs to seats, answers epochs, and keeps what was said; runs in a thread."""

    ours: list[Connection]
    jobs: list[Job]
    paused_at: dict[str, int] = field(default_factory=dict)
    said: list[tuple[str, Message]] = field(default_factory=list)

    def run(self) -> None:
        busy: dict[Connection, Job] = {}
        waiting = list(self.jobs)
        free = list(self.ours)
        while waiting or busy:
            while waiting and free:
                seat = free.pop(0)
                busy[seat] = waiting.pop(0)
                seat.send(busy[seat])
            ready: list[Any] = wait(list(busy))
            for seat in ready:
                job, message = busy[seat], seat.recv()
                self.said.append((job.folder, message))
                if isinstance(message, Epoch) and job.is_prunable:
                    at = self.paused_at.get(job.folder)
                    seat.send("pause" if at == message.number else "go_on")
                if isinstance(message, Finished):
                    free.append(seat)
                    del busy[seat]
        for seat in self.ours:
            seat.send(None)

    def ends(self) -> dict[str, Finished]:
        return {folder: word for folder, word in self.said if isinstance(word, Finished)}


def job(folder: str, *, family: str = "a", epochs: int = 3, is_prunable: bool = False) -> Job:
    return Job(0, 0, 0, folder, 0, (family, str(epochs)), is_prunable)


@dataclass
class Runs:
    """What jobs do, and in which groups their epochs were trained."""

    groups: list[list[str]] = field(default_factory=list)
    most: int = 10**9  # that can be trained at once
    each_epoch: Callable[[Job], None] = lambda _job: None
    ended: list[str] = field(default_factory=list)  # by SIGTERM

    def work(self, job: Job, reporter: Reporter, pause: Callable[[float], None]) -> Finished:
        key, epochs = job.overrides
        alone = "it is odd" if key == "alone" else None
        trainer = Trainer(job.folder, SimpleNamespace(key=key, why_alone=alone))
        epoch_reporter.current = reporter
        if key == "b":
            pause(0.001)  # as for a lock
        try:
            for number in range(1, int(epochs) + 1):
                assert epoch_reporter.together is not None
                if epoch_reporter.together(trainer) is None:
                    self.groups.append([job.folder])
                assert epoch_reporter.current is reporter
                self.each_epoch(job)
                reporter.epoch_ended(number, {})
        except epoch_reporter.Paused:
            return Finished("paused")
        except ZeroDivisionError as error:
            return Finished("failed", error=str(error))
        except Terminated:
            self.ended.append(job.folder)
            raise
        return Finished("completed", trainer.trained_with)

    def train(self, trainers: Sequence[Trainer]) -> list[str]:
        if len(trainers) > self.most:
            raise MemoryError("no room")
        self.groups.append([trainer.name for trainer in trainers])
        return [trainer.name for trainer in trainers]

    def epochs(self, folder: str) -> int:
        return sum(folder in group for group in self.groups)


def serve(runs: Runs, jobs: list[Job], seats: int, **more: Any) -> Launcher:
    """Run jobs on so many seats, to the end."""
    pipes = [Pipe() for _ in range(seats)]
    launcher = Launcher([ours for ours, _ in pipes], jobs, **more)
    thread = threading.Thread(target=launcher.run, daemon=True)
    thread.start()
    with process_kept():
        Hub([theirs for _, theirs in pipes], runs.work, runs.train).serve()
    thread.join(10)
    return launcher


@contextlib.contextmanager
def process_kept() -> Iterator[None]:
    handler = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, handler)
        epoch_reporter.together = epoch_reporter.current = None


@pytest.mark.parametrize("seed", range(6))
def test_every_job_gets_its_epochs_whatever_the_others_do(seed: int) -> None:
    draw = random.Random(seed)
    jobs = [
        job(
            str(number),
            family=draw.choice(["a", "b", "alone"]),
            epochs=draw.randint(1, 5),
            is_prunable=draw.random() < 0.5,
        )
        for number in range(draw.randint(1, 12))
    ]
    runs = Runs(most=draw.choice([1, 2, 100]))
    paused = {j.folder: 2 for j in jobs if j.is_prunable and draw.random() < 0.3}
    seats = draw.randint(2, 5)
    launcher = serve(runs, jobs, seats, paused_at=paused)
    ends = launcher.ends()
    by_folder = {j.folder: j for j in jobs}
    for folder, one in by_folder.items():
        epochs = int(one.overrides[1])
        is_paused = folder in paused and epochs >= 2
        assert ends[folder].reason == ("paused" if is_paused else "completed")
        assert runs.epochs(folder) == (2 if is_paused else epochs)
    for group in runs.groups:
        families = {by_folder[folder].overrides[0] for folder in group}
        assert len(families) == 1
        assert len(group) <= min(seats, runs.most)
        assert families != {"alone"} or len(group) == 1


def test_all_of_a_family_train_together_though_each_waits_for_an_answer() -> None:
    runs = Runs()
    serve(runs, [job(name, is_prunable=True, epochs=4) for name in "wxyz"], seats=4)
    assert [sorted(group) for group in runs.groups] == [list("wxyz")] * 4


def test_a_newcomer_joins_at_the_next_round() -> None:
    runs = Runs()
    serve(runs, [job("w", epochs=6), job("x", epochs=2), job("y", epochs=3)], seats=2)
    assert [set(group) for group in runs.groups] == [{"w", "x"}] * 2 + [{"w", "y"}] * 3 + [{"w"}]


def test_a_family_that_does_not_fit_is_halved_once_and_said() -> None:
    runs = Runs(most=2)
    launcher = serve(runs, [job(name) for name in "stuvwxyz"], seats=8)
    assert [len(group) for group in runs.groups] == [2] * 12
    notes = [word.line for _, word in launcher.said if isinstance(word, Note)]
    assert notes[0] == "note: 4 trials are trained at a time, not 8: MemoryError: no room"
    assert len(notes) == 3  # of 8, and of each half, in the first round alone
    assert all(end.value == 2 for end in launcher.ends().values())


def test_one_that_fails_leaves_and_the_others_go_on() -> None:
    def each_epoch(one: Job) -> None:
        if one.folder == "x":
            raise ZeroDivisionError("a mishap")

    runs = Runs(each_epoch=each_epoch)
    ends = serve(runs, [job(name) for name in "wxy"], seats=3).ends()
    assert [ends[name].reason for name in "wxy"] == ["completed", "failed", "completed"]
    assert [len(group) for group in runs.groups] == [3, 2, 2]


def test_each_job_finds_its_process_as_it_left_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MINE", raising=False)
    rng_of: dict[str, int] = {}

    def each_epoch(one: Job) -> None:
        folder, log = tmp_path / one.folder, logging.getLogger()
        if one.folder not in rng_of:
            rng_of[one.folder] = 1
            folder.mkdir()
            os.chdir(folder)
            os.environ["MINE"] = one.folder
            log.handlers[:] = [logging.FileHandler(folder / "log")]
            log.setLevel(logging.INFO if one.folder == "w" else logging.ERROR)
            file = os.open(folder / "out", os.O_WRONLY | os.O_CREAT)
            os.dup2(file, 1)
            os.close(file)
        assert Path.cwd() == folder
        assert os.environ["MINE"] == one.folder
        log.info("%s", one.folder)
        log.handlers[0].close()  # what Hydra does to all handlers; it opens again
        os.write(1, one.folder.encode())

    before = os.environ.copy(), logging.getLogger().handlers[:], os.fstat(1).st_ino
    serve(Runs(each_epoch=each_epoch), [job(name) for name in "wxy"], seats=3)
    texts = [(tmp_path / name / "out").read_text() for name in "wxy"]
    assert texts == ["www", "xxx", "yyy"]
    logs = [(tmp_path / name / "log").read_text() for name in "wxy"]
    assert logs == ["w\n" * 3, "", ""]
    assert before == (os.environ.copy(), logging.getLogger().handlers[:], os.fstat(1).st_ino)
    assert Path.cwd() == tmp_path
