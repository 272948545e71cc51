"""A finished run's folder while the run is made longer, and the change from one to the other.

The longer run is trained in a folder inside, `.longer/`, which begins as a copy of what the run
goes on from. Once it is finished that folder gets another name, `.lengthened/`: from then on its
files count (:func:`cnnsweep.folders.run_folder.present`), and one after the other takes the place
of the former one. A process that is killed amid that leaves it to the next.
"""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cnnsweep.folders.lock import LOCK_NAME
from cnnsweep.folders.run_folder import (
    BEST,
    DATA_FILES,
    GONE,
    HYDRA,
    LAST,
    LENGTHENED,
    LOG,
    LONGER,
    METRICS,
    PATCH,
    PICTURES,
    RESULT,
    TEST_PREDICTIONS,
    TRACKERS,
    RunFolder,
)

_DRAFT = f"{LONGER}.new"
_SUFFIXES = ("loss", "accuracy", "balanced_accuracy")
_KEPT = ("epochs", "best_epoch", "objective", "started", "ended", "commit")
NOTED = (*_KEPT, *(f"{split}_{name}" for split in ("val", "test") for name in _SUFFIXES))
"""What the longer run's `lengthened` tells of the former end."""


def begun(run: Path) -> Path | None:
    """The folder in which a finished run is being trained for more epochs; None where it isn't."""
    place = run / LONGER
    return place if RunFolder(place).config.exists() else None


def begin(run: RunFolder, config: dict[str, Any], record: Callable[[Path], None]) -> Path:
    """The folder in which a finished run goes on with ``config``, as it was left there.

    ``record`` writes what a run's folder holds before its first epoch.
    """
    place = run.path / LONGER
    longer = RunFolder(place)
    if len(longer.read_metrics()) > config["epochs"]:
        shutil.rmtree(place)
    if not place.exists():
        draft = run.path / _DRAFT
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir()
        _copy(run.path, draft)
        record(draft)
        draft.rename(place)
    if (longer.read_config() or {}).get("epochs") != config["epochs"]:
        longer.result.unlink(missing_ok=True)
        longer.write_config(config)
    return place


def former_ends(run: Path) -> list[dict[str, Any]]:
    """The ends that a run in `.longer/` had before it, the last one last; [] for any other."""
    if run.name != LONGER:
        return []
    former = RunFolder(run.parent).read_result() or {}
    return [*former.get("lengthened", []), {name: former.get(name) for name in NOTED}]


def take_place(run: Path) -> list[str]:
    """Put a longer run that is finished into the place of the former; a line on each export.

    Nothing is done where there is none. The caller has the folder's lock.
    """
    place, lengthened = run / LONGER, run / LENGTHENED
    result = None if lengthened.exists() else RunFolder(place).read_result()
    if result is not None and result["status"] == "completed":
        for name in _missing(run, place):
            (place / (name + GONE)).touch()
        place.rename(lengthened)
    return _move(run, lengthened) if lengthened.exists() else []


def _copy(run: Path, draft: Path) -> None:
    """What the run goes on from; whatever is written in place is a copy of its own.

    Without last.pt it is trained from its first epoch on.
    """
    trained = (run / METRICS, run / BEST, run / LAST) if (run / LAST).exists() else ()
    for path in (run / LOG, *trained, run / DATA_FILES, *_patches(run)):
        if path.name == LOG and path.exists():
            shutil.copy2(path, draft)
        elif path.exists():
            try:
                os.link(path, draft / path.name)
            except OSError:  # a file system without links
                shutil.copy2(path, draft)
    if (run / TRACKERS).is_dir():  # theirs may be any folder
        ignored = shutil.ignore_patterns(f"*{LOCK_NAME}", RESULT)
        for path in run.iterdir():
            if path.is_dir() and path.name not in (HYDRA, LONGER, _DRAFT):
                shutil.copytree(path, draft / path.name, ignore=ignored)


def _patches(run: Path) -> list[Path]:
    return [path for path in run.glob(PATCH.replace(".", "*.")) if path.is_file()]


def _missing(run: Path, place: Path) -> list[str]:
    """The names of files that the former run has and the longer one lacks."""
    fixed = (METRICS, BEST, LAST, DATA_FILES, TEST_PREDICTIONS, *PICTURES)
    names = [*fixed, *(path.name for path in _patches(run))]
    return [name for name in names if (run / name).exists() and not (place / name).exists()]


def _move(run: Path, lengthened: Path) -> list[str]:
    said = _set_exports_apart(run)
    for mark in lengthened.glob(f"*{GONE}"):
        (run / mark.name.removesuffix(GONE)).unlink(missing_ok=True)
        mark.unlink()
    paths = (path for path in lengthened.rglob("*") if path.is_file())
    for path in sorted(paths, key=lambda path: path.name == RESULT):
        if path.name != LOCK_NAME:
            target = run / path.relative_to(lengthened)
            target.parent.mkdir(parents=True, exist_ok=True)
            path.replace(target)
    shutil.rmtree(lengthened)
    return said


def _set_exports_apart(run: Path) -> list[str]:
    """Exports of the former weights stay, under names that say so."""
    folder = RunFolder(run)
    ends = (folder.read_result() or {}).get("lengthened") or [{}]
    said = []
    for path in (folder.onnx, folder.program):
        if path.exists():
            former = path.with_name(f"{path.stem}.{ends[-1].get('epochs')}_epochs{path.suffix}")
            path.replace(former)
            said.append(f"{path.name} is of the former weights: it is {former.name} now")
    return said
