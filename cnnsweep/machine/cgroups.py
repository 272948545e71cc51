"""The CPU quota and the memory that Linux's control groups leave to this process.

A container or a batch system limits a group, and every group above it: the smallest limit counts.
``/proc/self/cgroup`` names the group, ``/proc/self/mountinfo`` says where its files are.
"""

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

_UNIFIED = ""  # how version 2 is written in /proc/self/cgroup: its one hierarchy has no name
_OCTAL = re.compile(r"\\([0-7]{3})")
_UNLIMITED = 2**60  # version 1 writes "no limit" as a number of bytes that no machine has


class Limits(NamedTuple):
    """``quota`` in cores, ``memory`` in bytes that are still free; None where there is no limit."""

    quota: float | None
    memory: int | None


def read_limits(root: Path = Path("/")) -> Limits:
    """The limits of this process's groups; ``root`` is where ``proc`` and ``sys`` are."""
    unified = list(_groups(root, _UNIFIED))
    quotas = [*map(_quota, unified), *map(_quota_of_version_1, _groups(root, "cpu"))]
    memories = [*map(_memory, unified), *map(_memory_of_version_1, _groups(root, "memory"))]
    return Limits(
        min((quota for quota in quotas if quota is not None), default=None),
        min((memory for memory in memories if memory is not None), default=None),
    )


def _groups(root: Path, controller: str) -> Iterator[Path]:
    """The folder of the process's group for a controller, then those above it that are visible."""
    mount = _mount(root, controller)
    path = _path_of_group(root, controller)
    if mount is None or path is None:
        return
    top, place = mount
    # A container sees its own group as the mount's root, under whatever name it has outside.
    inside = PurePosixPath(*path.relative_to(top).parts) if path.is_relative_to(top) else None
    folder = place if inside is None or ".." in inside.parts else place / inside
    while folder.is_relative_to(place):
        yield folder
        folder = folder.parent


def _path_of_group(root: Path, controller: str) -> PurePosixPath | None:
    for line in _lines(root / "proc/self/cgroup"):
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controller in controllers.split(","):
            return PurePosixPath(path)
    return None


def _mount(root: Path, controller: str) -> tuple[PurePosixPath, Path] | None:
    """Which group is the root of the mounted hierarchy, and where that is mounted."""
    for line in _lines(root / "proc/self/mountinfo"):
        fields, _, kind = line.partition(" - ")
        words, types = fields.split(), kind.split()
        if len(words) < 5 or len(types) < 3:
            continue
        named = types[0] == "cgroup" and controller in types[2].split(",")
        if (types[0] == "cgroup2" and controller == _UNIFIED) or (named and controller):
            top, place = (_OCTAL.sub(_character, word) for word in words[3:5])
            return PurePosixPath(top), root / place.lstrip("/")
    return None


def _character(octal: re.Match[str]) -> str:
    return chr(int(octal[1], 8))


def _quota(folder: Path) -> float | None:
    words = _text(folder / "cpu.max").split()
    return _cores(words[0], words[1]) if len(words) == 2 else None


def _quota_of_version_1(folder: Path) -> float | None:
    return _cores(_text(folder / "cpu.cfs_quota_us"), _text(folder / "cpu.cfs_period_us"))


def _cores(quota: str, period: str) -> float | None:
    if not (quota.isdecimal() and period.isdecimal()) or int(quota) == 0 or int(period) == 0:
        return None  # "max", "-1", or no such file
    return int(quota) / int(period)


def _memory(folder: Path) -> int | None:
    return _free(folder, "memory.max", "memory.current", "inactive_file")


def _memory_of_version_1(folder: Path) -> int | None:
    files = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
    return _free(folder, *files)


def _free(folder: Path, limit: str, usage: str, reclaimable: str) -> int | None:
    """What is left below a limit; files that were read long ago make room when it is needed."""
    most, used = _text(folder / limit), _text(folder / usage)
    if not (most.isdecimal() and used.isdecimal()) or int(most) >= _UNLIMITED:
        return None
    pairs = (line.split() for line in _lines(folder / "memory.stat"))
    gone = next((int(pair[1]) for pair in pairs if pair[0] == reclaimable), 0)
    return max(0, int(most) - max(0, int(used) - gone))


def _lines(path: Path) -> list[str]:
    return _text(path).splitlines()


def _text(path: Path) -> str:
    """A file's content; empty where it can't be read, as on systems without such groups."""
    try:
        return path.read_text(encoding="utf-8", errors="surrogateescape").strip()
    except OSError:
        return ""
