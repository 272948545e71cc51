"""A command in a forked child is the command in a process of its own."""

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.command import QUICK, SECONDS, cnnsweep, environment, fork_server
from tests.run_files import assert_same
from tests.started_commands import StartedCommand

_TIMES = re.compile(r"[\d,]+ images/s|[\d.]+ s\b")


def both(
    cwd: Path, module: str, *words: str, **env: str
) -> tuple[subprocess.CompletedProcess[str], subprocess.CompletedProcess[str]]:
    """The same command forked and by itself, each in an empty folder of one name."""
    for name in ("forked", "own"):
        (cwd / name / "here").mkdir(parents=True, exist_ok=True)
    assert fork_server().can_run(environment(**env))
    forked = cnnsweep(*words, cwd=cwd / "forked/here", module=module, **env)
    own = subprocess.run(
        [sys.executable, "-m", module, *words],
        cwd=cwd / "own/here",
        env=environment(**env),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    return forked, own


@pytest.mark.parametrize(
    ("module", "words", "code"),
    [
        ("cnnsweep", ("optim.lrr=1",), 1),
        ("cnnsweep", ("--cfg", "job", "seed=7"), 0),
        ("cnnsweep", ("--help",), 0),
        ("cnnsweep", ("model._target_=own.Net",), 1),
        ("cnnsweep.report", ("nowhere",), 1),
        ("cnnsweep.predict", ("--help",), 0),
    ],
)
def test_it_says_and_leaves_the_same(
    module: str, words: tuple[str, ...], code: int, tmp_path: Path
) -> None:
    forked, own = both(tmp_path, module, *words)
    assert (forked.returncode, own.returncode) == (code, code), forked.stderr + own.stderr
    assert (forked.stdout, forked.stderr) == (own.stdout, own.stderr)
    left = [[*(tmp_path / name / "here").rglob("*")] for name in ("forked", "own")]
    assert left == [[], []]


def test_a_run_leaves_the_same_bytes(tmp_path: Path) -> None:
    forked, own = both(tmp_path, "cnnsweep", *QUICK, "hydra.run.dir=run")
    assert (forked.returncode, own.returncode) == (0, 0), forked.stderr + own.stderr
    assert _TIMES.sub("", forked.stdout) == _TIMES.sub("", own.stdout)
    assert forked.stderr == own.stderr == ""
    here = [tmp_path / name / "here/run" for name in ("forked", "own")]
    assert_same(*here)
    typed = [json.loads((run / "result.json").read_text())["command"] for run in here]
    assert typed[0] == typed[1]


def test_a_sweep_whose_workers_are_forked_leaves_the_same_bytes(tmp_path: Path) -> None:
    words = (*QUICK, "--multirun", "seed=0,1", "keep=all", "hydra.sweep.dir=sweep")
    forked, own = both(tmp_path, "cnnsweep", *words)
    assert (forked.returncode, own.returncode) == (0, 0), forked.stderr + own.stderr
    said = [
        sorted(line for line in done.stdout.splitlines() if line.startswith("job "))
        for done in (forked, own)
    ]
    assert len(said[0]) == 2
    assert said[0] == said[1]
    for job in ("0", "1"):
        assert_same(*(tmp_path / name / "here/sweep" / job for name in ("forked", "own")))


def test_it_ends_as_python_does_with_a_traceback(tmp_path: Path) -> None:
    forked, own = both(tmp_path, "cnnsweep", "optim.lrr=1", HYDRA_FULL_ERROR="1")
    assert forked.returncode == own.returncode == 1
    assert "Traceback" in forked.stderr
    assert forked.stderr.splitlines()[-1] == own.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    "last",
    [
        *(f"sys.exit({code})" for code in ("0", "3", "300", "-1", "None", "'no'", "True")),
        "raise ValueError('no')",
        "raise KeyboardInterrupt",
        "atexit.register(lambda: print('later'))",
        "threading.Timer(0.05, print, ['waited for']).start()",
        "sys.stdout.write('no end of a line')",
    ],
)
def test_it_ends_as_python_does(last: str, tmp_path: Path) -> None:
    text = f"import atexit, sys, threading\natexit.register(print, 'at exit')\n{last}\n"
    for name in ("forked", "own"):
        (tmp_path / name / "here").mkdir(parents=True)
        (tmp_path / name / "here/ending.py").write_text(text)
    forked, own = both(tmp_path, "ending")
    assert (forked.returncode, forked.stdout) == (own.returncode, own.stdout)
    assert forked.stderr.splitlines()[-1:] == own.stderr.splitlines()[-1:]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_in_the_background_it_ends_by_signals_as_python_does(
    number: signal.Signals, tmp_path: Path
) -> None:
    text = "import time\nprint('begun', flush=True)\ntime.sleep(60)\n"
    (tmp_path / "ending.py").write_text(text)
    started = StartedCommand(fork_server(), "ending", [], tmp_path, environment())
    while "begun" not in started.printed():
        assert started.poll() is None
    assert cnnsweep("--version", cwd=tmp_path).returncode == 0  # others run meanwhile
    assert started.poll() is None
    started.send_signal(number)
    text, _ = started.communicate(timeout=20)
    assert started.returncode == -number
    assert text.splitlines()[0] == "begun"
    assert ("KeyboardInterrupt" in text) == (number is signal.SIGINT)
    started.close()


@pytest.mark.parametrize("name", ["MPLBACKEND", "OMP_NUM_THREADS", "HOME"])
def test_what_counts_before_a_child_is_forked_is_not_for_it(name: str, tmp_path: Path) -> None:
    assert not fork_server().can_run(environment(**{name: "7"}))
    assert not fork_server().can_run(environment(PYTHONPATH=str(tmp_path)))
