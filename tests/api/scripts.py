"""Scripts of a user, run by a Python of their own."""

import subprocess
import sys
import time
from pathlib import Path

from tests.command import REPOSITORY, environment

SECONDS = 240


def begin(text: str, cwd: Path, *, is_file: bool = True) -> "subprocess.Popen[str]":
    """Start a script in a folder, with its output in pipes; else as ``python -c``."""
    script = cwd / "script.py"
    script.write_text(text)
    return subprocess.Popen(
        [sys.executable, *([str(script)] if is_file else ["-c", text])],
        cwd=cwd,
        env=environment(PYTHONPATH=str(REPOSITORY)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def output_of(script: "subprocess.Popen[str]") -> tuple[int, str, str]:
    """Its exit code, standard output and errors, at its end."""
    out, err = script.communicate(timeout=SECONDS)
    return script.returncode, out, err


def wait_for(path: Path, least_lines: int = 1) -> None:
    """Wait until a file is there and has lines."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        if path.exists() and len(path.read_text().splitlines()) >= least_lines:
            return
        time.sleep(0.02)
    raise AssertionError(f"{path} is not there")


def wait_until_free(folder: Path) -> None:
    """Wait until no process works in a folder."""
    from cnnsweep.folders import lock

    end = time.monotonic() + SECONDS
    while lock.is_held_elsewhere(folder):
        assert time.monotonic() < end, f"{folder} is still being worked on"
        time.sleep(0.05)
