"""TensorBoard event files in the run folder, without torch or TensorFlow."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto
from tensorboard.compat.proto.types_pb2 import DT_STRING
from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2
from tensorboard.summary.writer.event_file_writer import EventFileWriter

from cnnsweep.folders.run_folder import PAUSED, RunFolder
from cnnsweep.loggers.base import Row, RunInfo, SweepInfo, epoch_metrics, final_metrics, flat

FOLDER = "tensorboard"
_STATUS = {"completed": api_pb2.STATUS_SUCCESS, "failed": api_pb2.STATUS_FAILURE}


class TensorBoard:
    """Metrics as scalars by epoch, pictures as images, config and outcome as texts.

    A sweep's runs also have their parameters for the HPARAMS tab.
    """

    def __init__(self, *, run: RunInfo) -> None:
        self._run = run
        self._folder = run.folder / FOLDER

    def started(self, history: Sequence[Row]) -> None:
        is_resumed = self._folder.is_dir()
        self._writer = EventFileWriter(str(self._folder))
        if is_resumed:  # its last event may be torn: readers drop all that came before
            self._add(Event(step=0, file_version="brain.Event:2"))
            self._add(Event(step=0, session_log=SessionLog(status=SessionLog.START)))
        self._add_text("config", _as_table(flat(self._run.config)))
        if self._run.sweep is not None:
            self._start_session(self._run.sweep)
        for row in history:
            self.epoch_ended(row)
        self._writer.flush()

    def epoch_ended(self, row: Row) -> None:
        step, metrics = epoch_metrics(row)
        for name, value in metrics.items():
            self._add_scalar(name, value, step)
        self._writer.flush()

    def ended(self, result: Mapping[str, Any], folder: RunFolder) -> None:
        if result["status"] == PAUSED:  # nothing of it is final, and it may go on
            self._writer.close()
            return
        step = int(result["epochs"])
        for name, value in final_metrics(result).items():
            self._add_scalar(name, value, step)
        for picture in folder.pictures():
            self._add_picture(picture, step)
        self._add_text("result", _as_table(flat(result)))
        if self._run.sweep is not None and result["status"] != "interrupted":
            self._end_session(result["status"])
        self._writer.close()

    def _add(self, event: Event) -> None:
        event.wall_time = time.time()
        self._writer.add_event(event)

    def _add_value(self, value: Summary.Value, step: int = 0) -> None:
        self._add(Event(step=step, summary=Summary(value=[value])))

    def _add_scalar(self, name: str, value: float, step: int) -> None:
        self._add_value(Summary.Value(tag=name, simple_value=float(value)), step)

    def _add_picture(self, path: Path, step: int) -> None:
        from PIL import Image

        with Image.open(path) as picture:
            width, height = picture.size
        image = Summary.Image(
            height=height, width=width, colorspace=4, encoded_image_string=path.read_bytes()
        )
        self._add_value(Summary.Value(tag=path.stem, image=image), step)

    def _add_text(self, name: str, markdown: str) -> None:
        plugin = SummaryMetadata.PluginData(plugin_name="text")
        tensor = TensorProto(
            dtype=DT_STRING,
            string_val=[markdown.encode()],
            tensor_shape=TensorShapeProto(dim=[TensorShapeProto.Dim(size=1)]),
        )
        self._add_value(
            Summary.Value(tag=name, metadata=SummaryMetadata(plugin_data=plugin), tensor=tensor)
        )

    def _start_session(self, sweep: SweepInfo) -> None:
        start = plugin_data_pb2.SessionStartInfo(
            group_name=f"{sweep.place} {sweep.name}",  # equal names would be averaged
            start_time_secs=time.time(),
        )
        for name, value in sweep.parameters.items():
            if isinstance(value, bool):
                start.hparams[name].bool_value = value
            elif isinstance(value, int | float):
                start.hparams[name].number_value = value
            else:
                start.hparams[name].string_value = str(value)
        data = plugin_data_pb2.HParamsPluginData(session_start_info=start)
        self._add_hparams(metadata.SESSION_START_INFO_TAG, data)

    def _end_session(self, status: str) -> None:
        end = plugin_data_pb2.SessionEndInfo(
            status=_STATUS.get(status, api_pb2.STATUS_UNKNOWN), end_time_secs=time.time()
        )
        data = plugin_data_pb2.HParamsPluginData(session_end_info=end)
        self._add_hparams(metadata.SESSION_END_INFO_TAG, data)

    def _add_hparams(self, tag: str, data: plugin_data_pb2.HParamsPluginData) -> None:
        self._add_value(Summary.Value(tag=tag, metadata=metadata.create_summary_metadata(data)))


def _as_table(values: Mapping[str, Any]) -> str:
    lines = (f"| {key} | {str(value).replace('|', ' ')} |" for key, value in values.items())
    return "\n".join(("| key | value |", "|---|---|", *lines))
