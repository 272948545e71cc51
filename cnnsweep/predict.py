"""`python -m cnnsweep.predict RUN_FOLDER IMAGE ...`: classes and probabilities of image files."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from cnnsweep.config.error_messages import error_line
from cnnsweep.errors import UserError
from cnnsweep.folders.run_folder import BEST
from cnnsweep.process import postpone_collection

if TYPE_CHECKING:
    from torch import Tensor

_SHOWN_CLASSES = 3
_AT_ONCE = 100


class Prediction(NamedTuple):
    """An image file and its classes with their probabilities (0..1), the likeliest first."""

    image: Path
    classes: list[tuple[str, float]]


def main() -> None:
    """The command line; exits with 0, or with 1 and one line on what to change."""
    parser = argparse.ArgumentParser(prog="python -m cnnsweep.predict", description=__doc__)
    parser.add_argument("run_folder", type=Path, help=f"a run folder with a {BEST}")
    parser.add_argument("images", type=Path, nargs="+", help="image files of any size")
    parser.add_argument(
        "--invert",
        action="store_true",
        help="swap dark and light first: MNIST-like data are light strokes on a dark ground",
    )
    arguments = parser.parse_args()
    try:
        predictions = predict(arguments.run_folder, arguments.images, invert=arguments.invert)
    except (UserError, OSError) as error:
        sys.exit(error_line(error))
    for prediction in predictions:
        shown = [f"{name} {share:.4f}" for name, share in prediction.classes[:_SHOWN_CLASSES]]
        print(f"{prediction.image}: {', '.join(shown)}")


def predict(run_folder: Path, images: list[Path], *, invert: bool) -> list[Prediction]:
    """Classes of image files by a run's best weights, prepared as its data set was.

    Args:
        run_folder: holds config.yaml and best.pt.
        images: files of any format Pillow reads; they are made grey or coloured and resized as
            the network needs.
        invert: swap dark and light first.

    Raises:
        UserError: the folder has no weights, or an image cannot be read; names which.
    """
    pixels_of = [_opened(path, invert) for path in images]
    import torch

    from cnnsweep.task.load_model import load_model

    trained = load_model(run_folder)
    height, width = trained.image_size
    pixels = torch.stack([_pixels(p, trained.in_channels, (width, height)) for p in pixels_of])
    with torch.inference_mode():
        parts = [trained.network(part) for part in torch.split(pixels, _AT_ONCE)]
    probabilities = torch.cat(parts)
    return [
        Prediction(path, sorted(zip(trained.classes, row, strict=True), key=lambda c: -c[1]))
        for path, row in zip(images, probabilities.tolist(), strict=True)
    ]


def _opened(path: Path, invert: bool) -> Any:
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        image = Image.open(path).convert("RGB")
    except FileNotFoundError as error:
        raise UserError(f"{path}: there is no such image") from error
    except (UnidentifiedImageError, OSError) as error:
        raise UserError(f"{path} is no image that can be read") from error
    return ImageOps.invert(image) if invert else image


def _pixels(image: Any, channels: int, size: tuple[int, int]) -> "Tensor":
    """A Pillow image -> uint8, C × H × W; ``size`` is width and height."""
    import numpy as np
    import torch
    from PIL import Image

    fitted = image.convert("L" if channels == 1 else "RGB").resize(size, Image.Resampling.BILINEAR)
    array = np.array(fitted, dtype=np.uint8).reshape(size[1], size[0], channels)
    return torch.from_numpy(array.transpose(2, 0, 1).copy())


if __name__ == "__main__":
    postpone_collection()
    main()
