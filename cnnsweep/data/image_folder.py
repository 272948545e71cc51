"""A user's own images: each class is a folder."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from os import cpu_count
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps

from cnnsweep.data.dataset import Dataset, Images
from cnnsweep.data.source_files import as_folder, decoded_once
from cnnsweep.data.split import split_off_test
from cnnsweep.errors import UserError

ENDINGS = frozenset(
    {".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"}
)
MODES = {1: "L", 3: "RGB"}

Labelled = tuple[tuple[Path, int], ...]


def image_folder(*, root: str | Path, image_size: int, channels: int) -> Dataset:
    """The images below ``root``, whose folders are the classes, cut and scaled to a square.

    With ``root/train`` and ``root/test`` those are the two splits, else a fixed fifth of each class
    is kept for testing. ``image_size``: pixels a side; longer sides are cut evenly at both ends.
    ``channels``: 1 for grey, 3 for colour. Raises UserError naming what cannot be used: fewer than
    two classes, a class without images (or with one, where it must be divided), unreadable files.
    """
    if channels not in MODES:
        raise UserError(f"data.channels={channels}: allowed are 1 (grey) and 3 (colour).")
    if not isinstance(image_size, int) or image_size < 1:
        raise UserError(f"data.image_size={image_size}: allowed is 1 or more pixels.")
    root = as_folder(root)
    classes, train, test = _splits(root)
    return decoded_once(
        ("image_folder", root, image_size, channels, classes, train, test),
        (file for file, _ in train + test),
        lambda: Dataset(
            name=root.name,
            classes=classes,
            train=_decode(train, image_size, channels),
            test=lambda: _decode(test, image_size, channels),
            train_files=_names(train, root),
            test_files=_names(test, root),
        ),
    )


def _splits(root: Path) -> tuple[tuple[str, ...], Labelled, Labelled]:
    """Names of the classes, files to train on and files to test with."""
    if (root / "train").is_dir() and (root / "test").is_dir():
        classes = _classes(root / "train")
        strange = set(_folder_names(root / "test")) - set(classes)
        if strange:
            raise UserError(
                f"{root / 'test'} has folders that {root / 'train'} lacks: "
                f"{', '.join(sorted(strange))}. Each is a class, and must be trained too."
            )
        return classes, _labelled(root / "train", classes), _labelled(root / "test", classes)
    classes = _classes(root)
    files = _labelled(root, classes)
    labels = torch.tensor([label for _, label in files])
    for label in (labels.bincount() == 1).nonzero().flatten().tolist():
        raise UserError(
            f"{root / classes[label]} holds 1 image: a class needs 2 or more, "
            "one to train on and one to test with."
        )
    train, test = split_off_test(labels)
    return classes, _at(files, train), _at(files, test)


def _names(files: Labelled, root: Path) -> tuple[str, ...]:
    return tuple(file.relative_to(root).as_posix() for file, _ in files)


def _at(files: Labelled, index: torch.Tensor) -> Labelled:
    return tuple(files[i] for i in index.tolist())


def _folder_names(parent: Path) -> list[str]:
    return sorted(p.name for p in parent.iterdir() if p.is_dir() and not p.name.startswith("."))


def _classes(parent: Path) -> tuple[str, ...]:
    names = _folder_names(parent) if parent.is_dir() else []
    if len(names) < 2:
        found = f"one ({names[0]})" if names else "none"
        raise UserError(
            f"data=image_folder: {parent} must hold two folders of images or more, one for each "
            f"class, but has {found}. Set data.root to the folder above the classes, "
            "or data=digits, which needs no files."
        )
    return tuple(names)


def _labelled(parent: Path, classes: Sequence[str]) -> Labelled:
    """Every image file below the folders of the classes, with its class's number, by name."""
    found: list[tuple[Path, int]] = []
    for label, name in enumerate(classes):
        files = sorted(p for p in (parent / name).rglob("*") if _is_image(p))
        if not files:
            raise UserError(
                f"{parent / name} holds no images. Allowed are files that end in "
                f"{', '.join(sorted(ENDINGS))}."
            )
        found += [(file, label) for file in files]
    return tuple(found)


def _is_image(path: Path) -> bool:
    return path.suffix.lower() in ENDINGS and not path.name.startswith(".")


def _decode(files: Labelled, image_size: int, channels: int) -> Images:
    pixels = np.empty((len(files), image_size, image_size, channels), np.uint8)

    def readable(number: int) -> bool:
        try:
            with Image.open(files[number][0]) as opened:
                pixels[number] = _fitted(opened, image_size, channels)
        except (OSError, EOFError, SyntaxError, ValueError, Image.DecompressionBombError):
            return False
        return True

    # PIL releases the interpreter's lock while it decodes, so threads decode in parallel.
    with ThreadPoolExecutor(cpu_count()) as threads:
        results = zip(files, threads.map(readable, range(len(files))), strict=True)
        unreadable = [str(file) for (file, _), is_readable in results if not is_readable]
    if unreadable:
        raise UserError(
            f"{len(unreadable)} of {len(files)} images cannot be read: "
            f"{', '.join(unreadable[:3])}{' …' if len(unreadable) > 3 else ''}. "
            "Repair or remove them."
        )
    labels = torch.tensor([label for _, label in files])
    return Images(torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous(), labels)


def _fitted(opened: Image.Image, image_size: int, channels: int) -> np.ndarray:
    """uint8, H × W × C: turned as the EXIF data say, scaled, and cut at the longer side."""
    upright = _eight_bits(ImageOps.exif_transpose(opened)).convert(MODES[channels])
    image = ImageOps.fit(upright, (image_size, image_size))
    return np.asarray(image).reshape(image_size, image_size, channels)


def _eight_bits(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16"):
        # Pillow's own conversion cuts all values above 255 to white.
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if "transparency" in image.info:
        return image.convert("RGBA")  # Pillow warns of palettes whose transparency it drops
    return image
