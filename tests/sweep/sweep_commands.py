"""Starting sweeps as a person does, killing them, and reading back what they left."""

import csv
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
import psutil
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial

from tests.command import fork_server
from tests.started_commands import StartedCommand

ROOT = Path(__file__).resolve().parents[2]
TOY = ("tests.sweep.toy.app", "hydra/sweeper=optuna")
OURS = ("cnnsweep", "hydra/sweeper=optuna")
TOY_SPACE = ("lr=tag(log, interval(0.001, 1))", "momentum=interval(0, 1)")
UNEQUAL = ("train_seconds", "images_per_second")
_END_SECONDS = 20.0
Started = subprocess.Popen[str] | StartedCommand
_started: list[Started] = []


def command(app: tuple[str, ...], folder: Path, *overrides: str) -> list[str]:
    """The command line of a sweep in ``folder``."""
    module, *chosen = app
    return [
        *(sys.executable, "-m", module, "--multirun", *chosen),
        *(f"hydra.sweep.dir={folder}", *overrides),
    ]


def start(line: list[str], **environment: str) -> "subprocess.Popen[str]":
    """A sweep in the background, until finish() or end_all()."""
    return start_in(ROOT, line, **environment)


def start_in(cwd: Path, line: list[str], **environment: str) -> "subprocess.Popen[str]":
    """The same in another current folder."""
    process = subprocess.Popen(
        line,
        cwd=cwd,
        env=_variables(environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    _started.append(process)
    return process


def begin(line: list[str], **environment: str) -> Started:
    """A sweep in the background like start(), forked where that is the same."""
    variables = _variables(environment)
    if not _can_fork(line, variables):
        return start(line, **environment)
    process = StartedCommand(fork_server(), line[2], line[3:], ROOT, variables)
    _started.append(process)
    return process


def _can_fork(line: list[str], variables: Mapping[str, str]) -> bool:
    return line[1] == "-m" and fork_server().can_run(variables)


def _variables(more: Mapping[str, str]) -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1", **more}


@dataclass
class Done:
    """How a sweep ended and what it printed."""

    code: int
    text: str


def finish(process: Started, seconds: float = 240) -> Done:
    try:
        text, _ = process.communicate(timeout=seconds)
    finally:
        _end(process)
    return Done(process.wait(), text)


def end_all() -> None:
    """End the sweeps that were started and not finished: those of a test that failed."""
    while _started:
        _end(_started[-1])


def _end(process: Started) -> None:
    """In good order if it goes: its jobs on a cluster go with it."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    if isinstance(process, StartedCommand):
        process.close()
    elif process.stdout is not None:
        process.stdout.close()
    _started.remove(process)


def sweep(app: tuple[str, ...], folder: Path, *overrides: str, **environment: str) -> Done:
    """A sweep from start to end, forked where that is the same."""
    return to_its_end(command(app, folder, *overrides), **environment)


def to_its_end(line: list[str], **environment: str) -> Done:
    """The same by its command line."""
    variables = _variables(environment)
    if not _can_fork(line, variables):
        return finish(start(line, **environment))
    ended = fork_server().run(line[2], line[3:], ROOT, variables, one_stream=True)
    return Done(ended.code, ended.out)


def study(folder: Path, name: str = "cnnsweep") -> optuna.Study:
    """The study of a sweep folder, opened with Optuna's own means."""
    backend = JournalFileBackend(str(folder / "study.journal"))
    return optuna.load_study(study_name=name, storage=JournalStorage(backend))


def table(folder: Path, name: str = "cnnsweep") -> list[dict[str, Any]]:
    """All that a search found out: what must not depend on how often it was killed."""
    return [_row(folder, trial) for trial in study(folder, name).trials]


def _row(folder: Path, trial: FrozenTrial) -> dict[str, Any]:
    return {
        "number": trial.number,
        "state": trial.state.name,
        "params": trial.params,
        "values": trial.values,
        "epochs": trial.intermediate_values,
        "metrics": metrics(folder / str(trial.number)),
    }


def metrics(run: Path) -> list[dict[str, str]]:
    """A run's metrics.csv without its times."""
    if not (run / "metrics.csv").exists():
        return []
    with (run / "metrics.csv").open(encoding="utf-8") as file:
        return [{k: v for k, v in r.items() if k not in UNEQUAL} for r in csv.DictReader(file)]


def workers(process: Started) -> list[psutil.Process]:
    """The living workers of a sweep."""
    try:
        children = psutil.Process(process.pid).children()
        return [
            c
            for c in children
            if os.getsid(c.pid) == c.pid  # they alone have a session of their own
        ]
    except (psutil.NoSuchProcess, ProcessLookupError):
        return []


def kill_in_training(
    line: list[str], folder: Path, draw: random.Random, *, whom: str, most_seconds: float
) -> bool:
    """Start a sweep, and SIGKILL it or a worker of it at a random moment of a trial's training.

    Returns whether it came to that before the sweep was over. A sweep whose worker was killed goes
    on to its end.
    """
    process = begin(line)
    if not wait_for_training(process, folder):
        finish(process)
        return False
    time.sleep(draw.uniform(0, most_seconds))
    if process.poll() is not None:
        finish(process)
        return False
    victims = workers(process)
    if whom == "parent" or not victims:
        process.send_signal(signal.SIGKILL)
    else:
        draw.choice(victims).send_signal(signal.SIGKILL)
    finish(process)
    return True


def kill_until_done(line: list[str], folder: Path, seed: int, most: int, seconds: float) -> int:
    """Kill a sweep's parent and its workers in turn, ``most`` times or until it is over."""
    draw, kills = random.Random(seed), 0
    while kills < most:
        whom = "worker" if kills % 4 == 3 else "parent"
        if not kill_in_training(line, folder, draw, whom=whom, most_seconds=seconds):
            break
        kills += 1
    done = to_its_end(line)
    assert done.code == 0, done.text
    return kills


def wait_for_training(process: Started, folder: Path) -> bool:
    """Until an epoch is reported by this launch; False where the sweep ends before."""
    journal = folder / "study.journal"
    before = journal.stat().st_size if journal.exists() else 0
    while process.poll() is None:
        if journal.exists() and b'"op_code":7' in journal.read_bytes()[before:]:
            return True
        time.sleep(0.01)
    return False
