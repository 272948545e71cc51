"""Reading back what trackers wrote, each with its own client."""

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import metadata, plugin_data_pb2

from cnnsweep.loggers.base import alone

_BLOCK, _FILE_HEADER, _RECORD_HEADER = 32768, 7, 7
_FULL, _LAST = 1, 4


def settled(root: Path) -> Path:
    """The same folder, once no tracker below it writes any more: on a busy machine, they outlive
    their run for a while."""
    for lock in root.rglob(".trackers/*.lock"):
        with alone(lock.parent.parent, lock.stem):
            pass
    return root


def scalars(run: Path) -> dict[str, list[tuple[int, float]]]:
    """Each figure's steps and values, as TensorBoard shows them."""
    read = accumulated(run)
    return {
        name: [(scalar.step, scalar.value) for scalar in read.Scalars(name)]
        for name in read.Tags()["scalars"]
    }


def accumulated(run: Path) -> EventAccumulator:
    """A run's event files, read by TensorBoard."""
    read = EventAccumulator(str(run / "tensorboard"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        read.Reload()
    return read


def hparams(run: Path) -> tuple[dict[str, Any], int]:
    """A run's parameters and status, as the HPARAMS tab reads them."""
    tags = accumulated(run).SummaryMetadata
    start = _hparams(tags(metadata.SESSION_START_INFO_TAG)).session_start_info
    end = _hparams(tags(metadata.SESSION_END_INFO_TAG)).session_end_info
    values = {k: getattr(v, str(v.WhichOneof("kind"))) for k, v in start.hparams.items()}
    return values, end.status


def _hparams(summary: Any) -> Any:
    return plugin_data_pb2.HParamsPluginData.FromString(summary.plugin_data.content)


def wandb_records(run: Path) -> list[Any]:
    """All records of the one offline run in a run folder, parsed with wandb's own messages."""
    from wandb.proto import wandb_internal_pb2

    messages: Any = wandb_internal_pb2
    (file,) = (run / "wandb").glob("offline-run-*/run-*.wandb")
    return [messages.Record.FromString(record) for record in _framed(file.read_bytes())]


def wandb_history(records: list[Any]) -> list[dict[str, str]]:
    """Lines of the history; values are JSON."""
    return [
        {item.key or ".".join(item.nested_key): item.value_json for item in record.history.item}
        for record in records
        if record.WhichOneof("record_type") == "history"
    ]


def _framed(content: bytes) -> Iterator[bytes]:
    """The records of wandb's file: LevelDB's log format behind a header of its own."""
    assert content[:4] == b":W&B"
    place, record = _FILE_HEADER, b""
    while place + _RECORD_HEADER <= len(content):
        left = _BLOCK - place % _BLOCK
        if left < _RECORD_HEADER:
            place += left
            continue
        length = int.from_bytes(content[place + 4 : place + 6], "little")
        kind = content[place + 6]
        place += _RECORD_HEADER
        record += content[place : place + length]
        place += length
        if kind in (_FULL, _LAST):
            yield record
            record = b""
