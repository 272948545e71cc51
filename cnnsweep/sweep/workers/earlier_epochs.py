"""Epochs that a trial needs not train: a trial of the sweep that its points came from had them."""

import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from cnnsweep.errors import UserError
from cnnsweep.folders.run_folder import LAST, RunFolder, differing_keys
from cnnsweep.rules import path_with_home
from cnnsweep.sweep.earlier.points_file import POINTS_KEY
from cnnsweep.sweep.spec.compose import SweepContext
from cnnsweep.sweep.spec.run_keys import EPOCHS
from cnnsweep.task.changed_data import DataCheck

_OF_THE_END = ("test", "pictures")  # what is done after the last epoch


def take_earlier_epochs(context: SweepContext, config: DictConfig, folder: Path) -> str | None:
    """Let a run that has not begun go on from where another was; a line on it, None: it cannot.

    The other is of the sweep that ``hydra.sweeper.points`` names, on the same data, with fewer
    epochs and the same config but for them. So its schedule does not depend on them, and the run
    has the bytes of one that trains all its epochs (of a stack: but for rounding).
    """
    points = OmegaConf.select(config, POINTS_KEY)
    run = RunFolder(folder)
    if not context.is_our_task or points is None or run.last.exists() or run.config.exists():
        return None
    source = path_with_home(str(points)).resolve()
    if not source.is_dir() or source == context.folder:
        return None
    resolved = context.resolved(config)
    for path, recorded in _begun(source):
        if _is_shorter(recorded, resolved) and _is_copied(RunFolder(path), run, resolved):
            first = len(run.read_metrics())
            return f"{run}: its first {first} epochs are those of {RunFolder(path)}"
    return None


@lru_cache(maxsize=4)
def _begun(source: Path) -> list[tuple[Path, dict[str, Any]]]:
    """The runs below a sweep's folder that can go on, and their configs."""
    found = []
    for last in sorted(source.rglob(LAST)):
        with suppress(UserError):  # damaged
            recorded = RunFolder(last.parent).read_config()
            if recorded is not None:
                found.append((last.parent, recorded))
    return found


def _is_shorter(recorded: Mapping[str, Any], resolved: Mapping[str, Any]) -> bool:
    differing = set(differing_keys(recorded, resolved)).difference(_OF_THE_END)
    return differing == {EPOCHS} and recorded[EPOCHS] < resolved[EPOCHS]


def _is_copied(earlier: RunFolder, run: RunFolder, resolved: Mapping[str, Any]) -> bool:
    """Whether what a run goes on from could be copied, last.pt last: with it the copy is whole."""
    try:
        DataCheck().refuse_other_data(earlier, resolved)
        run.path.mkdir(parents=True, exist_ok=True)
        shutil.copy2(earlier.metrics, run.metrics)
        for path, place in ((earlier.best, run.best), (earlier.last, run.last)):
            place.unlink(missing_ok=True)
            try:
                os.link(path, place)
            except OSError:  # a file system without links
                shutil.copy2(path, place)
    except (UserError, OSError):  # other data, or another process has removed it
        run.last.unlink(missing_ok=True)
        return False
    return True
