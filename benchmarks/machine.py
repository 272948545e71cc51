"""Where and how a figure was measured."""

import os
import platform
import shlex
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


def facts(packages: Sequence[str]) -> dict[str, str]:
    """Machine, load, versions, time and command; the same for every row of a file."""
    found = {package: _version(package) for package in packages}
    return {
        "machine": f"{_processor()}, {len(os.sched_getaffinity(0))} cores, {platform.system()}",
        "load_at_start": f"{os.getloadavg()[0]:.1f}",
        "python": platform.python_version(),
        "versions": ", ".join(f"{name} {v}" for name, v in found.items() if v is not None),
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": command(),
    }


def command() -> str:
    """What was typed, as it can be typed again in the repository's folder."""
    main = sys.modules["__main__"].__spec__
    module = "" if main is None else main.name.removesuffix(".__main__")
    return shlex.join(["python", "-m", module, *sys.argv[1:]])


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if not cpuinfo.exists():
        return platform.processor() or platform.machine()
    lines = cpuinfo.read_text().splitlines()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    flags = next((line for line in lines if line.startswith("flags")), "")
    extra = " with AVX-512 BF16" if "avx512_bf16" in flags else ""
    return next(names, platform.machine()) + extra


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
