"""One row a run: the config keys that differ, the figures, the folder."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from cnnsweep.report.read.load_runs import Gathered
from cnnsweep.report.read.run_record import Run
from cnnsweep.report.read.safe_io import Scalar

if TYPE_CHECKING:
    import pandas as pd

_NOWHERE = "–"  # the value of a key that a run doesn't have
_ALWAYS = ("model", "data", "seed")
_FIRST, _LAST = ("status", "role"), ("sweep", "trial", "error", "folder")


def columns(runs: Iterable[Run]) -> list[str]:
    """The table's columns, in order; ``config.epochs`` is the config's beside a figure's."""
    runs = list(runs)
    told: dict[str, Scalar] = {}
    for run in runs:
        told.update(run.result)
    figures = list(told)
    keys = [key for key in differing(runs) if not _repeats(runs, key)]
    named = [f"config.{key}" if key in figures or key in _LAST + _FIRST else key for key in keys]
    return [*_FIRST, *named, *figures, *_LAST]


def differing(runs: Iterable[Run], wanted: Callable[[str], bool] = bool) -> list[str]:
    """The ``wanted`` config keys that differ between the runs; model, data, seed in any case.

    Keys that merely repeat a group's choice (``model._target_`` beside ``model``) are left out.
    """
    runs = list(runs)
    keys: dict[str, Scalar] = {}
    for run in runs:
        keys.update(run.config)
    return [
        key
        for key in keys
        if wanted(key)
        and not (key.endswith("._target_") and key.removesuffix("._target_") in keys)
        and (key in _ALWAYS or len({run.config.get(key, _NOWHERE) for run in runs}) > 1)
    ]


def _repeats(runs: list[Run], key: str) -> bool:
    """Whether a figure of the same name says the same in every run that has one (``seed``)."""
    told = [run for run in runs if key in run.result]
    return bool(told) and all(run.result[key] == run.config.get(key) for run in told)


def rows(runs: Iterable[Run], names: list[str]) -> Iterable[list[Scalar]]:
    """The cells of each run, in the order of the columns."""
    return ([run.value(name) for name in names] for run in runs)


def as_frame(gathered: Gathered) -> pd.DataFrame:
    """The table for a notebook."""
    import pandas as pd

    names = columns(gathered.runs)
    frame = pd.DataFrame(list(rows(gathered.runs, names)), columns=names)
    frame.attrs["problems"] = gathered.problems
    return frame
