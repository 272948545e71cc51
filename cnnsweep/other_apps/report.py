"""``cnnsweep.report_epoch``: an app's own training loop tells of its epochs."""

import math
import os
from contextlib import suppress
from pathlib import Path
from typing import Any, get_args

from hydra.core.hydra_config import HydraConfig
from hydra.core.utils import JobReturn, JobStatus
from omegaconf import OmegaConf

from cnnsweep import epoch_reporter
from cnnsweep.config.hydra_internals import at_job_end, outcome_of
from cnnsweep.epoch_reporter import Ended
from cnnsweep.errors import UserError
from cnnsweep.metric_names import Direction, direction_of
from cnnsweep.other_apps.metrics import EPOCH, checked_row
from cnnsweep.other_apps.run_record import RunRecord

_RANKS = ("RANK", "LOCAL_RANK")  # as torchrun and Lightning number the processes of a run
_current: RunRecord | None = None  # of the job that runs
_closed: RunRecord | None = None  # of the one before it, where that kept one


def report_epoch(epoch: object, metrics: object) -> None:
    """As :func:`cnnsweep.report_epoch`, which calls it."""
    row = checked_row(epoch, metrics)
    if not HydraConfig.initialized() or any(os.environ.get(rank, "0") != "0" for rank in _RANKS):
        return
    record = _record_of(HydraConfig.get())
    if record.ended is not None:  # whoever caught it did so by mistake
        raise record.ended
    heard = record.add(row)
    if epoch_reporter.current is None:
        return
    _refuse_what_cannot_go_on(record, row)
    try:
        for one in heard:
            epoch_reporter.current.epoch_ended(int(one[EPOCH] or 0), one)
    except Ended as ended:
        record.ended = ended
        raise


def taken_record() -> RunRecord | None:
    """The record of the job that has ended in this process, once; None where it kept none."""
    global _closed
    record, _closed = _closed, None
    return record


def record_unreported(hydra: Any, job_return: JobReturn) -> None:
    """Record how a job ended that reported no epoch, for reports to read.

    Nothing where its folder has files of such names that are not ours.
    """
    record = _new_record(hydra)
    with suppress(UserError):
        record.open()
        _close_with(record, job_return)


def _record_of(hydra: Any) -> RunRecord:
    global _current
    if _current is None or _current.folder != Path(hydra.runtime.output_dir):
        at_job_end(_close)
        _current = _new_record(hydra)
        _current.open()
    return _current


def _new_record(hydra: Any) -> RunRecord:
    metric, typed, checkpoint = (
        OmegaConf.select(hydra.sweeper, key) for key in ("metric", "direction", "checkpoint")
    )
    way = typed if typed in get_args(Direction) else direction_of(metric or "")
    folder = Path(hydra.runtime.output_dir)
    return RunRecord(folder, str(hydra.job.name), metric, way, checkpoint)


def _refuse_what_cannot_go_on(record: RunRecord, row: dict[str, Any]) -> None:
    if record.metric in row and math.isnan(row[record.metric]):
        raise UserError(f"{record.metric} is NaN after epoch {row[EPOCH]}: the run diverged")
    if record.lacks_checkpoint():
        raise UserError(
            f"hydra.sweeper.checkpoint={record.checkpoint}: after epoch {row[EPOCH]} there is no "
            "such file in the run's folder; a run writes it before it calls report_epoch"
        )


def _close(job_return: JobReturn) -> None:
    """Hydra's job is over, whatever ended it."""
    global _current, _closed
    record = _current
    _current, _closed = None, record
    if record is not None:
        _close_with(record, job_return)


def _close_with(record: RunRecord, job_return: JobReturn) -> None:
    value = outcome_of(job_return)
    if job_return.status is JobStatus.COMPLETED and not isinstance(value, Ended):
        record.close(value, None)
    else:
        record.close(None, value)
