"""A nanny in a process of its own, and the launching process's view of it; no launcher needed."""

import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cloudpickle
import psutil
import pytest
from hydra.core.singleton import Singleton
from hydra.errors import HydraException

from cnnsweep.sweep.cluster.listener import Listener, Registered
from cnnsweep.sweep.cluster.nanny import Assignment, Nanny, Welcome
from cnnsweep.sweep.cluster.remote_worker import RemoteWorker
from cnnsweep.sweep.machine.gpus import Gpu
from cnnsweep.sweep.spec.messages import Finished, Job, Started
from tests.command import REPOSITORY

JOB_NUMBER = 5
NANNY = f"""
import pickle, sys
from types import SimpleNamespace
from cnnsweep.sweep.cluster import nanny
config = SimpleNamespace(
    job=SimpleNamespace(num={JOB_NUMBER}), runtime=SimpleNamespace(output_dir=sys.argv[2])
)
nanny.HydraConfig = SimpleNamespace(get=lambda: config)
nanny.SIGHT_SECONDS = 0.5
pickle.loads(bytes.fromhex(sys.argv[1]))(None)
"""


class Context:
    """Stands in for a worker's SweepContext: its jobs fail, or sleep until they are ended."""

    folder = Path("sweep")
    is_our_task = True

    def compose(self, overrides: tuple[str, ...], _folder: str, _number: int) -> None:
        if overrides == ("sleep",):
            time.sleep(600)
        raise HydraException("no such key")


@dataclass
class Pair:
    """A nanny's process, and what the listener has of it."""

    process: "subprocess.Popen[bytes]"
    registered: Registered
    folder: Path

    def worker(self, overrides: str) -> RemoteWorker:
        """The nanny's worker, once it has begun a job."""
        worker = RemoteWorker(self.registered, Assignment(self.folder / "log", Gpu()))
        give(worker, overrides)
        return worker

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children()


def give(worker: RemoteWorker, overrides: str) -> None:
    worker.give(Job(0, 0, 0, "0", 0, (overrides,), is_prunable=True))
    assert isinstance(message(worker), Started)


def message(worker: RemoteWorker) -> Any:
    """The next one about a job, or that the killed job is gone."""
    while worker.connection.poll(60):
        was_free, received = worker.is_free, worker.receive()
        if received is not None or worker.is_free != was_free:
            return received
    raise TimeoutError


def start(folder: Path, word: str) -> Iterator[Pair]:
    (folder / "token").write_text("word")
    setup = SimpleNamespace(context=Context(), singletons=Singleton.get_state(), heartbeat=None)
    listener = Listener(Welcome(cloudpickle.dumps(setup), folder / "token", word))
    nanny = pickle.dumps(Nanny(listener.addresses(), listener.key, 0)).hex()
    line = [sys.executable, "-c", NANNY, nanny, str(folder / "a" / "b" / "c")]
    with subprocess.Popen(line, cwd=REPOSITORY) as process:
        deadline = time.monotonic() + 60
        while not (found := listener.registered()) and time.monotonic() < deadline:
            time.sleep(0.02)
        yield Pair(process, found[0], folder)
        found[0].connection.close()
        process.kill()
    listener.close()


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    yield from start(tmp_path, "word")


def test_it_outlives_its_jobs_until_it_is_told_that_no_more_come(pair: Pair) -> None:
    assert pair.registered.registration.job == JOB_NUMBER
    worker = pair.worker("fail")
    assert message(worker).reason == "failed"
    give(worker, "sleep")
    pair.children()[0].kill()
    assert message(worker).reason == "died"
    worker.send("go_on")  # the answer to an epoch of the worker that has just died
    give(worker, "fail")
    assert message(worker).reason == "failed"
    worker.send(None)
    assert pair.process.wait(timeout=30) == 0


def test_a_killed_job_leaves_a_nanny_that_takes_another(pair: Pair) -> None:
    worker = pair.worker("sleep")
    worker.kill()
    assert [worker.is_free, message(worker), worker.is_free] == [False, None, True]
    assert pair.children() == []
    give(worker, "sleep")
    worker.ask_to_stop()
    assert pair.process.wait(timeout=30) == 0


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2])
def test_a_preempted_one_says_so_and_leaves_no_worker(pair: Pair, sent: signal.Signals) -> None:
    worker = pair.worker("sleep")
    (child,) = pair.children()
    pair.process.send_signal(sent)
    error = f"its job was preempted ({sent.name})"
    assert message(worker) == Finished("preempted", error=error)
    assert worker.is_over
    assert pair.process.wait(timeout=30) == 128 + sent
    assert not child.is_running()


def test_one_that_is_killed_leaves_no_worker(pair: Pair) -> None:
    worker = pair.worker("sleep")
    (child,) = pair.children()
    pair.process.kill()
    assert message(worker).reason == "lost"
    child.wait(timeout=30)


def test_a_lost_connection_ends_nanny_and_worker(pair: Pair) -> None:
    worker = pair.worker("sleep")
    (child,) = pair.children()
    worker.connection.close()
    assert pair.process.wait(timeout=30) == 0
    assert not child.is_running()


def test_one_that_does_not_see_the_sweep_folder_is_unfit(tmp_path: Path) -> None:
    for pair in start(tmp_path, "another word"):
        assert "does not see the sweep folder" in str(pair.registered.unfit)
        pair.registered.connection.close()
        assert pair.process.wait(timeout=30) == 0
