"""One picture file -> the pixels that a network sees: the one way, for all who open pictures.

The file's first frame, turned upright as its EXIF data say, brought to 8 bits, laid onto white
where it is transparent, made grey or coloured, cut to the wanted proportions at the middle, and
scaled with Pillow's bicubic filter.
"""

import os
import struct
import sys
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from cnnsweep.errors import UserError, on_one_line

MODES = {1: "L", 3: "RGB"}
STEPS = (
    "take the first frame",
    "turn it as its EXIF data say",
    "16-bit values: divide by 257 and round",
    "transparent: lay it onto white",
    "make it grey (ITU-R 601-2 luma) or red, green, blue",
    "cut it evenly at both ends of the longer side, to the proportions of the input",
    "scale it with Pillow's bicubic filter",
)
_PLAIN = ("1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBX", "RGBa", "CMYK", "YCbCr")
_LARGEST = {"I;12": 0xFFF, "L;2": 3, "L;4": 15}  # of a sample, by how it lies in the file
_DEEP = 0xFFFF
# Formats whose 16-bit samples Pillow hands out as whole numbers of 32 bits, scaled to 0..65535.
_DEEP_AS_INTEGERS = ("PPM", "PNG")
_BITS_TAG, _PHOTOMETRIC_TAG, _WHITE_IS_ZERO = 258, 262, 0  # TIFF 6.0
# What Pillow's readers raise for damaged files, each in its own way.
_DAMAGE = (
    ArithmeticError, AssertionError, AttributeError, EOFError, LookupError, MemoryError, OSError,
    RuntimeError, SyntaxError, TypeError, ValueError, struct.error, zlib.error,
)  # fmt: skip
_CONVERSION = (
    "Image.fromarray(((numpy.asarray(Image.open(OLD)) - LOW) * (255 / (HIGH - LOW))).clip(0, 255)"
    '.astype("uint8")).save(NEW)'
)
_REFUSED = {
    "I": f"its whole numbers (mode I) have no fixed range; {_CONVERSION} converts it, LOW and HIGH "
    "being the lowest and highest value of all pictures",
    "F": f"its fractions (floats) have no fixed range; {_CONVERSION} converts it, LOW and HIGH "
    "being the lowest and highest value of all pictures",
    "LAB": "it is in the colours of CIELAB; ImageCms.profileToProfile(image, "
    'ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), outputMode="RGB") converts it',
}


class Unusable(UserError):
    """A file that gives no picture; the message is the reason, the file is the caller's to name."""


class Prepared(NamedTuple):
    """A picture as a network sees it.

    Args:
        pixels: uint8, C × H × W.
        largest: of a picture of more than 8 bits the largest value and the end of its range, else
            None.
        has_more_frames: the file holds more pictures, which are left out.
    """

    pixels: NDArray[np.uint8]
    largest: tuple[int, int] | None
    has_more_frames: bool


@contextmanager
def quietly() -> Iterator[None]:
    """Without Pillow's warnings, and what libtiff and libjpeg print of damaged files themselves.

    For the whole process: what other threads send to standard error meanwhile is lost as well.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with Path(os.devnull).open("wb") as nowhere, warnings.catch_warnings():
            os.dup2(nowhere.fileno(), 2)
            warnings.simplefilter("ignore")
            yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def prepare(file: Path, *, channels: int, size: tuple[int, int]) -> Prepared:
    """The picture in ``file`` for a network of ``channels`` (1 or 3) and ``size`` (height, width).

    Raises:
        Unusable: the file is missing, damaged, too large, or its values have no fixed range.
    """
    try:
        # Of a file given by name Pillow maps the pixels, and of turned TIFF files wrongly.
        with file.open("rb") as stream, Image.open(stream) as opened:
            has_more_frames = opened.format != "MPO" and getattr(opened, "is_animated", False)
            upright, largest = _upright(opened)
            fitted = ImageOps.fit(
                _on_white(upright).convert(MODES[channels]),
                (size[1], size[0]),
                Image.Resampling.BICUBIC,
            )
    except FileNotFoundError as error:
        raise Unusable("there is no such image") from error
    except UnidentifiedImageError as error:
        raise Unusable("it is no image that can be read") from error
    except Image.DecompressionBombError as error:
        raise Unusable(f"it is too large: {_most_pixels():,} pixels are the most") from error
    except Unusable:
        raise
    except _DAMAGE as error:
        reason = on_one_line(error)[:100] or type(error).__name__
        raise Unusable(f"it is no image that can be read: {reason}") from error
    pixels = np.asarray(fitted).reshape(*size, channels)  # H × W × C
    return Prepared(pixels.transpose(2, 0, 1).copy(), largest, has_more_frames)


def _most_pixels() -> int:
    """Twice the number at which Pillow warns is where it refuses."""
    return 2 * (Image.MAX_IMAGE_PIXELS or 0)


def _upright(opened: Image.Image) -> tuple[Image.Image, tuple[int, int] | None]:
    """8 bits a sample, turned as the EXIF data say, and the largest value of a deeper picture."""
    layout, is_inverted = _layout(opened), _is_inverted(opened)  # unknown once it is loaded
    image = ImageOps.exif_transpose(opened)
    transparent = image.info.get("transparency")
    if image.mode.startswith("I;16") or (image.mode == "I" and opened.format in _DEEP_AS_INTEGERS):
        values = np.asarray(image).astype(np.int64)
        full = _LARGEST.get(layout, _DEEP)
        grey = (values * 255 + full // 2) // full  # of 65535: divided by 257, rounded
        if is_inverted:
            grey = 255 - grey
        if isinstance(transparent, int):
            grey[values == transparent] = 255
        return Image.fromarray(grey.clip(0, 255).astype(np.uint8)), (int(values.max()), full)
    if image.mode not in _PLAIN:
        known = f"Pillow's mode {image.mode} is not read; image.convert('RGB') converts it"
        raise Unusable(_REFUSED.get(image.mode, known))
    if isinstance(transparent, int) and layout in ("L;2", "L;4"):
        # Pillow spreads the pixels of 2 and 4 bits over 0..255, but not the transparent one.
        image.info["transparency"] = transparent * 255 // _LARGEST[layout]
    if isinstance(transparent, tuple) and layout == "RGB;16B":
        image.info["transparency"] = tuple(value >> 8 for value in transparent)  # as the pixels
    return image, None


def _layout(opened: Image.Image) -> str:
    """How the samples lie in the file, in Pillow's words; "" where nothing says it."""
    tile = next(iter(getattr(opened, "tile", ())), None)
    if opened.format == "TIFF":
        bits = getattr(opened, "tag_v2", {}).get(_BITS_TAG, (8,))
        return "I;12" if bits[0] == 12 else ""
    arguments = tile[3] if tile is not None and len(tile) > 3 else ""
    return str(arguments[0] if isinstance(arguments, tuple) and arguments else arguments)


def _is_inverted(opened: Image.Image) -> bool:
    """Whether 0 is white in a TIFF file of 16 bits, which Pillow heeds for fewer bits only."""
    tags = getattr(opened, "tag_v2", {}) if opened.format == "TIFF" else {}
    return tags.get(_PHOTOMETRIC_TAG) == _WHITE_IS_ZERO


def _on_white(image: Image.Image) -> Image.Image:
    """A picture without transparency: what shines through is white."""
    if not image.has_transparency_data:
        return image
    if image.mode in ("La", "RGBa"):
        image = image.convert(image.mode.upper())
    samples = np.asarray(image.convert("RGBA")).astype(np.uint16)  # H × W × 4
    colour, opacity = samples[..., :3], samples[..., 3:]
    mixed = (colour * opacity + 255 * (255 - opacity) + 127) // 255
    return Image.fromarray(mixed.astype(np.uint8))
