"""Which code made a run: versions and commit."""

import platform
import subprocess
from functools import cache
from importlib.metadata import version

from cnnsweep import __version__


@cache
def versions() -> dict[str, str]:
    """Of what a run's metrics depend on, by name."""
    return {
        "python": platform.python_version(),
        "torch": version("torch"),
        "cnnsweep": __version__,
    }


@cache
def commit() -> str | None:
    """The current folder's commit, `-dirty` where tracked files differ; None outside git."""
    head = _git("rev-parse", "HEAD")
    if head is None:
        return None
    return f"{head}-dirty" if _git("status", "--porcelain", "--untracked-files=no") else head


def _git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None
