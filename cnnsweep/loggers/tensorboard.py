"""TensorBoard event files in the run folder."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from cnnsweep.bad_input import BadInput
from cnnsweep.loggers.protocol import Row
from cnnsweep.run_folder import RunFolder

FOLDER = "tensorboard"


class TensorBoard:
    """Figures as scalars by epoch, pictures as images, the outcome as a text."""

    def __init__(self, *, folder: Path) -> None:
        """Raises BadInput where the tensorboard package is not installed."""
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ModuleNotFoundError as error:
            raise BadInput(
                "logger=tensorboard needs the tensorboard package: "
                "pip install 'cnnsweep[tensorboard]', or choose logger=none"
            ) from error
        self._make_writer = SummaryWriter
        self._folder = folder / FOLDER

    def started(self, history: Sequence[Row]) -> None:
        # A killed run may have logged an epoch too many, or one too few: readers drop all of it.
        has_events = self._folder.is_dir()
        self._writer = self._make_writer(str(self._folder), purge_step=0 if has_events else None)
        for row in history:
            self.epoch_ended(row)

    def epoch_ended(self, row: Row) -> None:
        for name, value in row.items():
            if name != "epoch" and value is not None:
                self._writer.add_scalar(name, value, int(row["epoch"] or 0))
        self._writer.flush()

    def ended(self, result: Mapping[str, Any], folder: RunFolder) -> None:
        for picture in (folder.curves, folder.predictions, folder.confusion):
            if picture.exists():
                self._writer.add_image(picture.stem, _pixels(picture), dataformats="HWC")
        lines = (f"{key}: {value}" for key, value in result.items())
        self._writer.add_text("result", "  \n".join(lines))
        self._writer.close()


def _pixels(picture: Path) -> torch.Tensor:
    """A PNG as uint8, H × W × 3."""
    from matplotlib.image import imread

    return torch.from_numpy((imread(picture)[..., :3] * 255).astype("uint8"))
