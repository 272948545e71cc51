"""The number of threads of real runs: typed, found, kept; the same bytes for the same number."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cnnsweep.machine.cores import usable_cores
from tests.command import REPOSITORY, SECONDS

AUTO = ("model=lenet", "epochs=2", "pictures=false", "test=false")


def run(folder: Path, *words: str, kill_after_epoch: int | None = None, **env: str) -> None:
    """A run in a process of its own, whose environment says of OpenMP what ``env`` says."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("OMP_", "GOMP_"))}
    with subprocess.Popen(
        [sys.executable, "-m", "cnnsweep", *AUTO, *words, f"hydra.run.dir={folder}"],
        cwd=folder.parent,
        env=kept | env,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if kill_after_epoch is not None and line.startswith(f"epoch {kill_after_epoch}/"):
                process.send_signal(signal.SIGKILL)
    code = process.wait(timeout=SECONDS)
    assert code == (0 if kill_after_epoch is None else -signal.SIGKILL)


def result(folder: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((folder / "result.json").read_text())
    return found


def test_what_auto_found_is_recorded_and_typed_it_gives_the_same_bytes(tmp_path: Path) -> None:
    auto, typed = tmp_path / "auto", tmp_path / "typed"
    run(auto, "threads=auto")
    threads = result(auto)["threads"]
    assert threads in range(1, usable_cores() + 1)
    command = str(result(auto)["command"])
    assert command.endswith(f" threads={threads}")
    assert command.count("threads=") == 1
    log = (auto / "cnnsweep.log").read_text()
    assert ("milliseconds of a step by threads (least, median) 1:" in log) == (usable_cores() > 1)
    assert (f"; taken: {threads}\n" in log) == (usable_cores() > 1)
    run(typed, f"threads={threads}")
    assert "milliseconds of a step" not in (typed / "cnnsweep.log").read_text()
    assert (auto / "best.pt").read_bytes() == (typed / "best.pt").read_bytes()


def test_a_run_that_goes_on_keeps_its_number(tmp_path: Path) -> None:
    threads = "2"
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    run(whole, "epochs=3", OMP_NUM_THREADS=threads)
    assert result(whole)["threads"] == int(threads)  # as typed for all programs
    run(killed, "epochs=3", kill_after_epoch=1, OMP_NUM_THREADS=threads)
    run(killed, "epochs=3", OMP_NUM_THREADS="1")
    assert result(killed)["threads"] == int(threads)
    best = [(folder / "best.pt").read_bytes() for folder in (whole, killed)]
    assert best[0] == best[1]


def test_a_typed_number_is_obeyed_whatever_is_typed_for_all_programs(tmp_path: Path) -> None:
    run(tmp_path / "run", "threads=3", "epochs=1", OMP_NUM_THREADS="1")
    assert result(tmp_path / "run")["threads"] == 3


OWN = """
import threading
from torch import nn

class Locked(nn.Module):
    def __init__(self, *, in_channels, image_size, num_classes, **lenets):
        super().__init__()
        self.lock = threading.Lock()  # cannot be copied
        self.linear = nn.Linear(in_channels * image_size[0] * image_size[1], num_classes)

    def forward(self, images):
        with self.lock:
            return self.linear(images.flatten(1))

class Warm(nn.Module):
    def __init__(self, **of_cross_entropy):
        super().__init__()
        self.calls = 0

    def forward(self, logits, labels):
        self.calls += 1
        return nn.functional.cross_entropy(logits, labels) * min(1, self.calls / 20)
"""


@pytest.fixture
def _own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs may name the modules of OWN."""
    (tmp_path / "own.py").write_text(OWN)
    monkeypatch.setenv("PYTHONPATH", f"{REPOSITORY}:{tmp_path}")
    monkeypatch.setenv("CNNSWEEP_ALLOW", "own.*")


@pytest.mark.usefixtures("_own")
def test_a_model_that_cannot_be_copied_trains_without_timing(tmp_path: Path) -> None:
    locked = ("model._target_=own.Locked", "epochs=1", "data.train_limit=200")
    run(tmp_path / "auto", *locked)
    threads = result(tmp_path / "auto")["threads"]
    assert threads == usable_cores()
    log = (tmp_path / "auto/cnnsweep.log").read_text()
    assert ("steps are not timed: " in log) == (usable_cores() > 1)
    run(tmp_path / "typed", *locked, f"threads={threads}")
    assert best_of(tmp_path / "auto") == best_of(tmp_path / "typed")


@pytest.mark.usefixtures("_own")
def test_timing_leaves_a_loss_that_counts_its_calls_as_it_was(tmp_path: Path) -> None:
    warm = ("loss._target_=own.Warm", "epochs=1", "data.train_limit=200")
    run(tmp_path / "auto", *warm)
    run(tmp_path / "typed", *warm, f"threads={result(tmp_path / 'auto')['threads']}")
    assert best_of(tmp_path / "auto") == best_of(tmp_path / "typed")


@pytest.mark.skipif(
    usable_cores() == 1 or not Path("/proc/self/schedstat").exists(),
    reason="needs a choice of threads and Linux's count of waiting",
)
def test_a_run_on_the_one_thread_that_timing_chose_waits_for_no_other(tmp_path: Path) -> None:
    cpus = len(os.sched_getaffinity(0))
    programs = [
        subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2 * cpus)
    ]
    try:
        tiny = ("model.channels=[1]", "model.hidden=[]", "data.batch_size=2", "epochs=1")
        run(tmp_path / "run", *tiny)
    finally:
        for program in programs:
            program.kill()
            program.wait()
    if result(tmp_path / "run")["threads"] != 1:
        pytest.skip("beside other programs, timing chose more threads")
    _, trained = (tmp_path / "run/cnnsweep.log").read_text().split("milliseconds of a step")
    assert "they wait for each other asleep" not in trained


def best_of(folder: Path) -> bytes:
    return (folder / "best.pt").read_bytes()
