"""Reports: run folders are read, compared and written about, without torch and without Hydra.

``load`` gives a table for a notebook, ``write`` the report folder; ``python -m cnnsweep.report``
does both from the command line. Nothing heavy is imported before it is needed.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


def load(*folders: str | Path) -> pd.DataFrame:
    """Every run below the folders (default: ``outputs`` and ``multirun``), one row a run.

    A column for every config key that differs between the runs, every metric of their results,
    and ``folder``, the path of the run. Lines on what could not be read are in
    ``frame.attrs["problems"]``.

    Raises:
        UserError: a folder does not exist, or holds no run at all.
    """
    from cnnsweep.report.read.load_runs import gather, roots
    from cnnsweep.report.stats.table import as_frame

    return as_frame(gather(roots([Path(folder) for folder in folders])))


def write(folder: Path) -> Path:
    """Write ``<folder>/report/`` about the runs below ``folder``; the path of its index.html.

    A damaged run gets a row that says so and a line on what could not be read.

    Raises:
        UserError: there is no run at all below the folder, or the report cannot be written.
    """
    return write_and_tell(folder)[0]


def write_and_tell(folder: Path) -> tuple[Path, list[str]]:
    """As :func:`write`; also the sentences that stand first in the report.

    Raises:
        UserError: as there.
    """
    from cnnsweep.report.build import write_report

    return write_report(folder)
