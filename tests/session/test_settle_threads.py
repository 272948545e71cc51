"""The number of threads of real runs: typed, found, kept; the same bytes for the same number."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from cnnsweep.machine.cores import usable_cores
from tests.command import SECONDS

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
    run(auto)
    threads = result(auto)["threads"]
    assert threads in range(1, usable_cores() + 1)
    assert str(result(auto)["command"]).endswith(f" threads={threads}")
    log = (auto / "cnnsweep.log").read_text()
    assert ("milliseconds of a step by number of threads: 1:" in log) == (usable_cores() > 1)
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
