"""Weights & Biases: a run, in the group of its sweep where it has one. Offline unless asked."""

import os
import shutil
from collections.abc import Mapping, Sequence
from typing import Any

from cnnsweep.folders.run_folder import PAUSED, RunFolder
from cnnsweep.folders.sweep_folder import CONFIRM
from cnnsweep.loggers.base import Row, RunInfo, epoch_metrics

_EXIT_CODES = {"failed": 1, "interrupted": 130}  # else 0
_TAGGED = ("pruned", PAUSED)


class WandB:
    """Metrics by epoch (the step is the epoch), the outcome as the summary, pictures as images."""

    def __init__(
        self,
        *,
        run: RunInfo,
        mode: str,
        project: str,
        entity: str | None,
        group: str | None,
        tags: Sequence[str],
    ) -> None:
        os.environ.setdefault("WANDB_ERROR_REPORTING", "false")  # it would call home
        import wandb

        self._wandb = wandb
        self._run = run
        self._mode: Any = mode
        self._where: dict[str, Any] = {"project": project, "entity": entity, "group": group}
        self._tags = list(tags)

    def started(self, history: Sequence[Row]) -> None:
        if self._mode == "offline":
            self._remove_earlier()
        sweep = self._run.sweep
        if sweep is not None:
            self._where["group"] = self._where["group"] or sweep.name
        self._wandb_run = self._wandb.init(
            **self._where,
            mode=self._mode,
            id=self._run.id,
            resume=None if self._mode == "offline" else "allow",
            dir=str(self._run.folder),
            name=self._run.name,
            job_type=_job_type(self._run),
            tags=[*self._tags, *_sweep_tags(self._run)],
            config={k: v for k, v in self._run.config.items() if k != "logger"},
            settings=self._wandb.Settings(
                silent=True,
                console="off",
                disable_code=True,
                disable_git=True,
                x_save_requirements=False,
                x_stats_pid=self._run.pid,
            ),
        )
        if PAUSED in (tags := self._wandb_run.tags or ()):  # it goes on
            self._wandb_run.tags = tuple(tag for tag in tags if tag != PAUSED)
        for row in history:
            self.epoch_ended(row)

    def epoch_ended(self, row: Row) -> None:
        step, metrics = epoch_metrics(row)
        if step >= self._wandb_run.step:  # online, the server knows what it has
            self._wandb_run.log(metrics, step=step)

    def ended(self, result: Mapping[str, Any], folder: RunFolder) -> None:
        run, status = self._wandb_run, str(result["status"])
        pictures = {path.stem: self._wandb.Image(str(path)) for path in folder.pictures()}
        if pictures:
            run.log(pictures, step=max(int(result["epochs"]), run.step))
        run.summary.update({k: v for k, v in result.items() if v is not None})
        if status in _TAGGED:
            run.tags = (*(run.tags or ()), status)
        run.finish(exit_code=_EXIT_CODES.get(status, 0))

    def _remove_earlier(self) -> None:
        """A killed run's file may end in a torn record: all epochs go into a new file."""
        for earlier in (self._run.folder / "wandb").glob(f"offline-run-*-{self._run.id}"):
            shutil.rmtree(earlier)


def _job_type(run: RunInfo) -> str:
    if run.sweep is None:
        return "run"
    return CONFIRM if run.sweep.trial is None else "trial"


def _sweep_tags(run: RunInfo) -> list[str]:
    """Of a comparison's part its name: `simple` of the place `simple/3`."""
    if run.sweep is None:
        return []
    first = run.sweep.place.partition("/")[0]
    return [] if first.isdigit() else [first]
