"""`python -m cnnsweep.predict RUN_FOLDER IMAGE ...`: classes and probabilities of image files."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cnnsweep.config.error_messages import error_line
from cnnsweep.data.pictures.prepare import MODES, Prepared, Unusable, prepare, quietly
from cnnsweep.errors import UserError, printable
from cnnsweep.folders.run_folder import BEST
from cnnsweep.process import postpone_collection
from cnnsweep.rules import path_with_home

if TYPE_CHECKING:
    from cnnsweep.task.load_model import LoadedModel

_SHOWN_CLASSES = 3
_AT_ONCE = 100
_DARK, _LIGHT = 0.4, 0.6  # means of pixels in 0..1


class Prediction(NamedTuple):
    """An image file and its classes with their probabilities (0..1), the likeliest first.

    ``note`` is what a person should know of the picture, or None.
    """

    image: Path
    classes: list[tuple[str, float]]
    note: str | None


def main() -> None:
    """The command line; exits with 0, or with 1 and one line on what to change."""
    parser = argparse.ArgumentParser(prog="python -m cnnsweep.predict", description=__doc__)
    parser.add_argument("run_folder", type=path_with_home, help=f"a run folder with a {BEST}")
    parser.add_argument("images", type=path_with_home, nargs="+", help="image files of any size")
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
        print(printable(f"{prediction.image}: {', '.join(shown)}"))
    for note in dict.fromkeys(prediction.note for prediction in predictions):
        if note is not None:
            about = [str(p.image) for p in predictions if p.note == note]
            print(printable(f"{about[0]}{' …' if len(about) > 1 else ''}: {note}"), file=sys.stderr)


def predict(run_folder: Path, images: list[Path], *, invert: bool) -> list[Prediction]:
    """Classes of image files by a run's best weights, prepared as a folder of images is.

    Args:
        run_folder: holds config.yaml and best.pt.
        images: files of any format Pillow reads; see `cnnsweep.data.pictures.prepare` for what is
            done to them.
        invert: swap dark and light first.

    Raises:
        UserError: the folder has no weights, or an image cannot be read; names which.
    """
    for path in images:
        if not path.is_file():
            raise UserError(f"{path}: {'a folder' if path.is_dir() else 'there is no such image'}")
    import torch

    from cnnsweep.task.load_model import load_model

    trained = load_model(run_folder)
    if trained.in_channels not in MODES:
        raise UserError(
            f"{run_folder}: its network takes images of {trained.in_channels} channels; image "
            "files have 1 (grey) or 3 (colour)"
        )
    with quietly():
        prepared = [_prepared(path, trained) for path in images]
    pixels = torch.stack([torch.from_numpy(picture.pixels) for picture in prepared])
    pixels = 255 - pixels if invert else pixels
    with torch.inference_mode():
        parts = [trained.network(part) for part in torch.split(pixels, _AT_ONCE)]
    probabilities = torch.cat(parts)
    means = (pixels.double().mean(dim=(1, 2, 3)) / 255).tolist()
    return [
        Prediction(
            path,
            sorted(zip(trained.classes, row, strict=True), key=lambda c: -c[1]),
            _note(trained, picture, mean, invert),
        )
        for path, row, picture, mean in zip(
            images, probabilities.tolist(), prepared, means, strict=True
        )
    ]


def _prepared(path: Path, trained: "LoadedModel") -> Prepared:
    try:
        return prepare(path, channels=trained.in_channels, size=trained.image_size)
    except Unusable as error:
        raise UserError(f"{path}: {error}") from error


def _note(trained: "LoadedModel", picture: Prepared, mean: float, invert: bool) -> str | None:
    if picture.has_more_frames:
        return "it has several frames or pages, of which the first is taken"
    if not invert and mean > _LIGHT and _lightness(trained) < _DARK:
        return "mostly light, while the network was trained on mostly dark images: try --invert"
    return None


def _lightness(trained: "LoadedModel") -> float:
    """The training images' mean in 0..1; of an older run, the one that normalises them."""
    if trained.lightness is not None:
        return trained.lightness
    mean = trained.config.data.mean
    return float(mean) if isinstance(mean, int | float) else sum(mean) / len(mean)


if __name__ == "__main__":
    postpone_collection()
    main()
