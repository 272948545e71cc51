"""What a run's figures depend on besides its config and data: code, versions, hardware."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from functools import cache
from hashlib import blake2b
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple

from cnnsweep import __version__
from cnnsweep.folders.repository import is_tracked, state_of

_PACKAGE = Path(__file__).resolve().parent.parent
# Those of these that are installed.
_LIBRARIES = (
    "torch", "torchvision", "numpy", "hydra-core", "omegaconf", "optuna", "pillow",
    "scikit-learn",
)  # fmt: skip
_CPU_INFO = Path("/proc/cpuinfo")


@cache
def versions() -> dict[str, str]:
    """Versions of what a run's metrics depend on, by name."""
    known = {"python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            known[name] = version(name)
        except PackageNotFoundError:
            continue
    return known | {"cnnsweep": __version__}


class Code(NamedTuple):
    """The code that runs.

    ``commit`` is that of cnnsweep, None where it is installed (its version tells) or outside git;
    ``commit_of_folder`` that of the current folder where this is another repository. Either ends
    in ``-dirty`` where files differ. ``patch`` and ``patch_of_folder`` are these differences, as
    git applies them; empty where there are none.
    """

    commit: str | None
    commit_of_folder: str | None
    patch: bytes
    patch_of_folder: bytes

    @property
    def changes(self) -> str | None:
        """A hash of all that was not committed; None where everything was."""
        both = self.patch + self.patch_of_folder
        return blake2b(both, digest_size=8).hexdigest() if both else None

    def as_plain(self) -> dict[str, str | None]:
        """What of it goes into records, by the names of their fields."""
        return {name: getattr(self, name) for name in ("commit", "commit_of_folder", "changes")}


def code() -> Code:
    """The code of this process, looked up once for each current folder."""
    return _code(Path.cwd())


@cache
def _code(folder: Path) -> Code:
    own = state_of(_PACKAGE) if is_tracked(_PACKAGE / "__init__.py") else None
    there = state_of(folder)
    if there is not None and own is not None and there.top == own.top:
        there = None
    return Code(
        own.commit if own else None,
        there.commit if there else None,
        own.patch if own else b"",
        there.patch if there else b"",
    )


@cache
def hardware() -> dict[str, Any]:
    """``cpu``: its name; ``cores``: those this process may use; ``gpu``: None until one is used."""
    return {"cpu": _cpu(), "cores": _cores(), "gpu": None}


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):  # Linux
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _cpu() -> str:
    try:
        if platform.system() == "Darwin":
            command = ["sysctl", "-n", "machdep.cpu.brand_string"]
            return subprocess.run(
                command, capture_output=True, text=True, check=True
            ).stdout.strip()
        lines = _CPU_INFO.read_text(encoding="utf-8", errors="replace").splitlines()
        named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
        return next(named, "") or platform.machine()
    except (OSError, subprocess.CalledProcessError):
        return platform.machine()


def now() -> str:
    """The time as ``2026-01-31T23:59:59Z``."""
    return as_text(datetime.now(UTC).timestamp())


def as_text(seconds: float) -> str:
    """A time in seconds since 1970 as :func:`now` gives it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
