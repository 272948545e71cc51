"""`python -m cnnsweep.predict RUN_FOLDER IMAGE ...`: what a trained network says of image files."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from cnnsweep.bad_input import BadInput
from cnnsweep.complaint import complaint
from cnnsweep.run_folder import RunFolder

if TYPE_CHECKING:
    from torch import Tensor

_SHOWN_CLASSES = 3


class Prediction(NamedTuple):
    """An image file and its classes with their probabilities (0..1), the likeliest first."""

    image: Path
    classes: list[tuple[str, float]]


def main() -> None:
    """The command line; exits with 0, or with 1 and one line on what to change."""
    parser = argparse.ArgumentParser(prog="python -m cnnsweep.predict", description=__doc__)
    parser.add_argument("run_folder", type=Path, help="a run folder with a best.pt")
    parser.add_argument("images", type=Path, nargs="+", help="image files of any size")
    parser.add_argument(
        "--invert",
        action="store_true",
        help="swap dark and light first: MNIST-like data are light strokes on a dark ground",
    )
    arguments = parser.parse_args()
    try:
        predictions = predict(arguments.run_folder, arguments.images, invert=arguments.invert)
    except (BadInput, OSError) as error:
        sys.exit(complaint(error))
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
        BadInput: the folder has no weights, or an image cannot be read; names which.
    """
    pixels_of = [_opened(path, invert) for path in images]
    import torch
    from hydra.utils import execution_whitelist
    from omegaconf import DictConfig, OmegaConf

    from cnnsweep import checkpoint
    from cnnsweep.data.dataset import Images
    from cnnsweep.run import make_batches, make_model
    from cnnsweep.whitelist import allowed_targets, check_targets

    folder = RunFolder(run_folder)
    plain = folder.read_config()
    if plain is None:
        raise BadInput(f"{run_folder} is no run folder: it has no {folder.config.name}")
    check_targets({key: value for key, value in plain.items() if isinstance(value, dict)})
    config = OmegaConf.create(plain)
    assert isinstance(config, DictConfig)
    best = checkpoint.read(folder.best, "cpu")
    height, width = best["image_size"]
    pixels = torch.stack([_pixels(p, best["in_channels"], (width, height)) for p in pixels_of])
    with execution_whitelist(allowed_targets()):
        sizes = Sizes(best["in_channels"], (height, width), len(best["classes"]))
        model = make_model(config, sizes, starts_anew=False)
        model.load_state_dict(best["model"])
        unlabelled = Images(pixels, torch.zeros(len(images), dtype=torch.int64))
        batches = make_batches(config, unlabelled, torch.device("cpu"), is_training=False)
    model.eval()
    with torch.inference_mode():
        probabilities = torch.cat([torch.softmax(model(x), dim=1) for x, _ in batches])
    return [
        Prediction(path, sorted(zip(best["classes"], row, strict=True), key=lambda c: -c[1]))
        for path, row in zip(images, probabilities.tolist(), strict=True)
    ]


class Sizes(NamedTuple):
    """The sizes that a network is made for."""

    in_channels: int
    image_size: tuple[int, int]
    num_classes: int


def _opened(path: Path, invert: bool) -> Any:
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        image = Image.open(path).convert("RGB")
    except FileNotFoundError as error:
        raise BadInput(f"{path}: there is no such image") from error
    except (UnidentifiedImageError, OSError) as error:
        raise BadInput(f"{path} is no image that can be read") from error
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
    main()
