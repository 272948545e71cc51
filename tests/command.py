"""The real command line, to its end in a forked child or in a process of its own."""

import atexit
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from tests.fork_server import ForkServer

REPOSITORY = Path(__file__).resolve().parent.parent
REAL_DATA = Path(os.environ.get("CNNSWEEP_DATA") or REPOSITORY.parent / "shared" / "data").resolve()
needs_real_data = pytest.mark.skipif(
    not all((REAL_DATA / name / "raw").is_dir() for name in ("MNIST", "FashionMNIST")),
    reason=f"no real MNIST and Fashion-MNIST in {REAL_DATA}: CNNSWEEP_DATA names another folder",
)
TINY = ("model=lenet", "data.train_limit=200", "epochs=2", "threads=1")
QUICK = (*TINY, "pictures=false")
SECONDS = 240


def environment(**more: str) -> dict[str, str]:
    """This process's environment, ready for several processes side by side."""
    kept = {k: v for k, v in os.environ.items() if k not in ("HYDRA_FULL_ERROR", "CNNSWEEP_ALLOW")}
    return kept | {"OMP_NUM_THREADS": "1", "COLUMNS": "200"} | more


def start(*arguments: str, cwd: Path, **env: str) -> subprocess.Popen[str]:
    """Start `python -m cnnsweep ARGUMENTS` in a folder; its output can be read from pipes."""
    return subprocess.Popen(
        [sys.executable, "-m", "cnnsweep", *arguments],
        cwd=cwd,
        env=environment(**env),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@cache
def fork_server() -> ForkServer:
    """The server of this process, which ends with it."""
    server = ForkServer(environment())
    atexit.register(server.close)
    return server


def cnnsweep(
    *arguments: str, cwd: Path, module: str = "cnnsweep", **env: str
) -> subprocess.CompletedProcess[str]:
    """Run `python -m cnnsweep ARGUMENTS` in a folder to its end, forked where that is the same."""
    variables = environment(**env)
    if fork_server().can_run(variables):
        ended = fork_server().run(module, arguments, cwd, variables, seconds=SECONDS)
        return subprocess.CompletedProcess([module, *arguments], *ended)
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=cwd,
        env=variables,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def pasted(line: str, cwd: Path) -> None:
    """Have bash run a line that must work, with this Python as `python`."""
    done = subprocess.run(
        ["bash", "-c", line],
        cwd=cwd,
        env=environment(PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}"),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"


def succeeded(done: subprocess.CompletedProcess[str]) -> str:
    """The standard output of a command that must have worked."""
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def complaint_of(done: subprocess.CompletedProcess[str]) -> str:
    """The one line of a command that must have been refused."""
    assert done.returncode == 1, done.stdout + done.stderr
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("error: ")
    return lines[0]
