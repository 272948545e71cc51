"""A sweep as an object: what its folder holds, read when it is asked for."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from cnnsweep.api.runs import Run, there, whole
from cnnsweep.errors import UserError
from cnnsweep.folders.sweep_folder import SWEEP_MARKS, SweepFolder, searches_in

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Sweep:
    """A grid or a search in its folder; made by `sweep` and :meth:`load`."""

    folder: Path

    @classmethod
    def load(cls, folder: Path | str) -> "Sweep":
        """The sweep in a folder, whoever made it, over or not.

        Raises:
            UserError: the folder holds no sweep.
        """
        path = there(folder)
        if not any((path / mark).exists() for mark in SWEEP_MARKS):
            raise UserError(f"{path} holds no sweep: allowed is the folder of a grid or a search")
        return cls(whole(path))

    @property
    def kind(self) -> Literal["grid", "search"]:
        """A search draws its trials with Optuna; a grid has a job for each combination."""
        from cnnsweep.config.composing.grid_jobs import is_grid
        from cnnsweep.task.added_work import sweep_config

        config = sweep_config(self.folder)  # None of one of a comparison's searches
        return "grid" if config is not None and is_grid(config) else "search"

    @cached_property
    def table(self) -> "pd.DataFrame":
        """A row a run, as :func:`cnnsweep.report.load` has it, read once.

        A column for every config key that differs, every metric, ``status`` and ``folder``.

        Raises:
            UserError: there is no run yet.
        """
        from cnnsweep.report import load

        return load(self.folder)

    @property
    def runs(self) -> list[Run]:
        """All its runs, in the order of the table."""
        return [Run(whole(Path(folder))) for folder in self.table["folder"]]

    @property
    def failed(self) -> "pd.DataFrame":
        """The rows of the table that failed; the same call with this folder tries them again."""
        return self.table[self.table["status"] == "failed"]

    @property
    def best(self) -> Run:
        """The winner of a search; of a grid the run with the best objective, means over seeds.

        Raises:
            UserError: several objectives or metrics have no single best, or nothing is completed.
        """
        return Run.load(self.folder)

    @property
    def settings(self) -> dict[str, Any]:
        """What a search found: best_params, best_value and more; {} of a grid, or before the end.

        Of a comparison, the same for each choice by its name.
        """
        results = SweepFolder(self.folder).read_results() or {}
        return searches_in(results) or results

    @property
    def report(self) -> Path:
        """The page to open in a browser, written now where the sweep has none."""
        from cnnsweep.report import write
        from cnnsweep.report.output.page import PAGE

        page = SweepFolder(self.folder).report / PAGE
        return page if page.exists() else write(self.folder)

    @cached_property
    def answer(self) -> dict[str, Any]:
        """What ``python -m cnnsweep.report FOLDER --format json`` prints, read once."""
        from cnnsweep.report.answer.analysis import answer
        from cnnsweep.report.output.json_answer import as_json
        from cnnsweep.report.read.load_runs import gather, roots
        from cnnsweep.report.stats.options import Question

        return as_json(answer(gather(roots([self.folder])), Question()))

    def __repr__(self) -> str:
        """The folder and its runs by status, on one line."""
        counts = self.table["status"].value_counts()
        shown = ", ".join(f"{number} {status}" for status, number in counts.items())
        return f"Sweep({str(self.folder)!r}: {self.kind}, {shown})"
