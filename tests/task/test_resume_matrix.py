"""Stopped in any way at any moment, resumed in any way: it ends as if nothing had happened.

Three kinds of command, four ways to stop one and five to name its folder, at moments of every
stage. The everyday tests take a few of them that cover each, the slow one takes them all.
"""

import json
import random
import re
import shlex
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.command import TINY, cnnsweep, start, succeeded
from tests.run_files import metrics, tensors
from tests.sweep.sweep_commands import table

COMMON = (*TINY, "epochs=8", "pictures=false")
KINDS: dict[str, tuple[str, ...]] = {
    "run": (*COMMON, "model.dropout=0.2", "scheduler=cosine"),
    "grid": ("--multirun", *COMMON, "optim=adam", "optim.lr=0.001,0.01"),
    "search": (
        *("--multirun", *COMMON, "search=adam", "hydra/sweeper/pruner=none"),
        *("hydra.sweeper.n_trials=2", "hydra.sweeper.n_jobs=1"),
    ),
}
STOPS = ("SIGINT", "SIGTERM", "SIGKILL", "power cut")
WAYS = ("line", "latest", "latest, typed", "folder", "typed folder")
MOMENTS = ("begun", "folder", "amid", "between", "end")
ROOTS = {"run": "outputs", "grid": "multirun", "search": "multirun"}


def folders(cwd: Path, kind: str) -> list[Path]:
    """The command's folders: by default below its root, else the one that was typed."""
    found = [f for f in cwd.glob(f"{ROOTS[kind]}/*/*") if f.is_dir() and f.name[0] != "."]
    return [*found, *(f for f in (cwd / "typed",) if f.is_dir())]


def runs(folder: Path) -> dict[str, Path]:
    """The run folders below a folder, by place."""
    return {
        str(p.parent.relative_to(folder)): p.parent
        for p in folder.rglob("config.yaml")
        if ".hydra" not in p.parts
    }


def is_time(moment: str, cwd: Path, kind: str) -> bool:
    if moment == "begun":
        return True
    made = folders(cwd, kind)
    if moment == "folder" or not made:
        return bool(made)
    if moment == "amid":
        return any(not (p.parent / "result.json").exists() for p in made[0].rglob("last.pt"))
    results = len(list(made[0].rglob("result.json")))
    return results >= (2 if moment == "end" and kind != "run" else 1)


def stop(process: subprocess.Popen[str], how: str) -> tuple[str, str]:
    """End a command; what it printed."""
    if how == "power cut":
        victims = psutil.Process(process.pid).children(recursive=True)
        for victim in (psutil.Process(process.pid), *victims):
            try:
                victim.kill()
            except psutil.NoSuchProcess:
                continue
    elif process.poll() is None:
        process.send_signal(signal.Signals[how])
    return process.communicate(timeout=60)


def stopped(
    cwd: Path, kind: str, how: str, moment: str, draw: random.Random, *typed: str
) -> list[str] | None:
    """Start a command and stop it; the words that it says resume it, None where it says none."""
    process = start(*KINDS[kind], *typed, cwd=cwd)
    while process.poll() is None and not is_time(moment, cwd, kind):
        time.sleep(0.001)
    time.sleep(draw.uniform(0, 1.0 if moment == "begun" else 0.15))
    _, errors = stop(process, how)
    said = [line for line in errors.splitlines() if line.startswith("stopped; to resume: ")]
    assert len(said) <= 1, errors
    return shlex.split(said[0].partition("python -m cnnsweep ")[2]) if said else None


def resuming(way: str, kind: str, cwd: Path, said: list[str] | None) -> list[str] | None:
    """The command that resumes in this way; None where there is nothing to resume."""
    flags = ["--multirun"] if kind != "run" else []
    made = folders(cwd, kind)
    if way == "typed folder":
        return [*KINDS[kind], *place(way, kind)]
    if not made:
        return None
    return {
        "line": said or [*KINDS[kind], f"resume={made[0].relative_to(cwd)}"],
        "latest": [*flags, "resume=latest"],
        "latest, typed": [*KINDS[kind], "resume=latest"],
        "folder": [f"resume={made[0].relative_to(cwd)}"],
    }[way]


def place(way: str, kind: str) -> list[str]:
    key = "hydra.run.dir" if kind == "run" else "hydra.sweep.dir"
    return [f"{key}=typed"] if way == "typed folder" else []


def assert_equal(kind: str, folder: Path, whole: Path) -> None:
    assert runs(folder).keys() == runs(whole).keys()
    for name, run in runs(folder).items():
        other = runs(whole)[name]
        assert metrics(run) == metrics(other), name
        kept = sorted(file.name for file in run.glob("*.pt"))
        assert kept == sorted(file.name for file in other.glob("*.pt")), name
        assert all(tensors(run / file) == tensors(other / file) for file in kept), name
        assert json.loads((run / "result.json").read_text())["status"] == "completed"
    if kind == "search":
        assert table(folder) == table(whole)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of an unbroken command of a kind."""
    made: dict[str, Path] = {}

    def one(kind: str) -> Path:
        if kind not in made:
            cwd = tmp_path_factory.mktemp(kind)
            succeeded(cnnsweep(*KINDS[kind], cwd=cwd))
            made[kind] = folders(cwd, kind)[0]
        return made[kind]

    return one


def check(whole: Path, cwd: Path, kind: str, how: str, way: str, moment: str) -> str:
    """Stop and resume one command; what it had reached when it was stopped."""
    draw = random.Random(f"{kind} {how} {way} {moment}")
    said = stopped(cwd, kind, how, moment, draw, *place(way, kind))
    made = folders(cwd, kind)
    reached = f"{len(list(made[0].rglob('result.json')))} results" if made else "nothing"
    words = resuming(way, kind, cwd, said)
    if words is None:
        assert said is None
        words = [*KINDS[kind]]
    done = cnnsweep(*words, cwd=cwd)
    is_over = way == "latest" and re.search("is unfinished.*; leave resume out", done.stderr)
    if not is_over:  # it was done when it was stopped
        succeeded(done)
    assert len(folders(cwd, kind)) == 1, words
    assert_equal(kind, folders(cwd, kind)[0], whole)
    return reached


@pytest.mark.parametrize(
    ("kind", "how", "way", "moment"),
    [
        ("run", "SIGKILL", "latest", "folder"),
        ("grid", "power cut", "latest, typed", "between"),
        ("search", "SIGTERM", "typed folder", "amid"),
        pytest.param("run", "SIGINT", "line", "amid", marks=pytest.mark.slow),
        pytest.param("grid", "SIGTERM", "folder", "folder", marks=pytest.mark.slow),
        pytest.param("search", "SIGKILL", "folder", "amid", marks=pytest.mark.slow),
        pytest.param("search", "SIGINT", "typed folder", "end", marks=pytest.mark.slow),
    ],
)
def test_stopped_and_resumed_it_ends_as_if_nothing_had_happened(
    whole: Callable[[str], Path], tmp_path: Path, kind: str, how: str, way: str, moment: str
) -> None:
    check(whole(kind), tmp_path, kind, how, way, moment)


@pytest.mark.slow
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("how", STOPS)
def test_all_ways_to_stop_and_to_resume(
    whole: Callable[[str], Path], tmp_path: Path, kind: str, how: str
) -> None:
    first = list(KINDS).index(kind) + STOPS.index(how)
    for number, way in enumerate(WAYS):
        moment = MOMENTS[(first + number) % len(MOMENTS)]
        (tmp_path / str(number)).mkdir()
        reached = check(whole(kind), tmp_path / str(number), kind, how, way, moment)
        print(f"{kind}, {how} ({moment}: {reached}), {way}: equal", flush=True)
