"""One scene in every format, mode, depth, orientation and proportion that can be written.

The scene has four quarters of one shade or colour each, which stay around the middle however a
picture is cut and scaled; what a network must see of them is known without opening a file.
"""

import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Array = NDArray[Any]
Quarters = tuple[tuple[int, ...], ...]  # of top left, top right, bottom left, bottom right
GREYS: Quarters = ((20, 20, 20), (90, 90, 90), (160, 160, 160), (230, 230, 230))
COLOURS: Quarters = ((200, 30, 40), (30, 180, 60), (40, 50, 220), (240, 200, 20))
WHITE = (255, 255, 255)
SHAPES = ((32, 32), (24, 48), (48, 24))  # height, width
THIN = ((1, 1), (1, 20), (20, 1))
# An upright picture as it lies in a file whose EXIF data say to turn it (EXIF 2.32, tag 0x0112).
STORED: dict[int, Callable[[Array], Array]] = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, 1),
    7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
    8: lambda a: np.rot90(a, -1),
}


class Made(NamedTuple):
    """A file, what its four quarters are to look like, and how far a pixel may be from it."""

    file: Path
    quarters: Quarters
    tolerance: float


def scene(shape: tuple[int, int], values: Any, dtype: Any = np.uint8) -> Array:
    """H × W or H × W × C: four quarters with a value each; of thin pictures only the first."""
    height, width = shape
    row = (np.arange(height) * 2 >= height).astype(int)
    column = (np.arange(width) * 2 >= width).astype(int)
    quarter = row[:, None] * 2 + column if min(shape) > 1 else np.zeros(shape, int)
    drawn: Array = np.asarray(values, dtype)[quarter]
    return drawn


def opaque(mode: str) -> tuple[Callable[[Array], Image.Image], Any, Quarters]:
    """How an array becomes an image of ``mode``, its values, and what is to be seen."""
    grey = [g[0] for g in GREYS]
    kinds: dict[str, tuple[Callable[[Array], Image.Image], Any, Quarters]] = {
        "1": (lambda a: Image.fromarray(a).convert("1"), [0, 255, 255, 0],
              ((0,) * 3, WHITE, WHITE, (0,) * 3)),
        "L": (Image.fromarray, grey, GREYS),
        "I;16": (Image.fromarray, [g * 257 for g in grey], GREYS),
        "I;16B": (lambda a: Image.frombytes("I;16B", a.shape[::-1], a.astype(">u2").tobytes()),
                  [g * 257 for g in grey], GREYS),
        "P": (lambda a: Image.fromarray(a).quantize(8), COLOURS, COLOURS),
        "RGB": (Image.fromarray, COLOURS, COLOURS),
        "CMYK": (lambda a: Image.fromarray(a).convert("CMYK"), COLOURS, COLOURS),
        "YCbCr": (lambda a: Image.fromarray(a).convert("YCbCr"), COLOURS, COLOURS),
    }  # fmt: skip
    return kinds[mode]


def see_through(mode: str) -> tuple[Callable[[Array], Image.Image], Any, Quarters]:
    """The same with a quarter that is not there (its hidden colour is black), and one half there.

    Modes of one transparent colour have no half.
    """
    half = tuple(
        tuple(round((c * 128 + 255 * 127) / 255) for c in quarter)
        for quarter in (COLOURS[1], GREYS[1])
    )
    rgba = [(0, 0, 0, 0), (*COLOURS[1], 128), (*COLOURS[2], 255), (*COLOURS[3], 255)]
    la = [(0, 0), (GREYS[1][0], 128), (GREYS[2][0], 255), (GREYS[3][0], 255)]
    coloured: Quarters = (WHITE, half[0], COLOURS[2], COLOURS[3])
    grey: Quarters = (WHITE, half[1], GREYS[2], GREYS[3])
    hard = [(0, 0, 0, 0), *((*c, 255) for c in COLOURS[1:])]
    kinds: dict[str, tuple[Callable[[Array], Image.Image], Any, Quarters]] = {
        "RGBA": (lambda a: Image.fromarray(a, "RGBA"), rgba, coloured),
        "LA": (lambda a: Image.fromarray(a, "LA"), la, grey),
        "P bytes": (lambda a: _palette(a, bytes([0, 128, 255, 255])), [0, 1, 2, 3], coloured),
        "P index": (lambda a: _palette(a, 0), [0, 1, 2, 3], (WHITE, *COLOURS[1:])),
        "RGBA hard": (lambda a: Image.fromarray(a, "RGBA"), hard, (WHITE, *COLOURS[1:])),
        "L key": (lambda a: _keyed(a, 0), [0, 90, 160, 230], (WHITE, *GREYS[1:])),
        "RGB key": (lambda a: _keyed(a, (0, 0, 0)), [(0, 0, 0), *COLOURS[1:]],
                    (WHITE, *COLOURS[1:])),
        "I;16 key": (lambda a: _keyed(a, 300), [300, 90 * 257, 160 * 257, 230 * 257],
                     (WHITE, *GREYS[1:])),
    }  # fmt: skip
    return kinds[mode]


def _palette(array: Array, transparency: bytes | int) -> Image.Image:
    image = Image.fromarray(array, "P")
    image.putpalette([0, 0, 0, *(c for colour in COLOURS[1:] for c in colour)])
    image.info["transparency"] = transparency
    return image


def _keyed(array: Array, transparency: Any) -> Image.Image:
    image = Image.fromarray(array)
    image.info["transparency"] = transparency
    return image


# Levels by which a pixel may be off. BMP has no RGBA here: Pillow writes none.
LOSSY = {"jpg": 12, "mpo": 12, "avif": 12}
EXIF = ("png", "jpg", "tif", "webp", "avif", "mpo")  # formats with an orientation
SAVING: dict[str, dict[str, Any]] = {
    "jpg": {"quality": 95, "subsampling": 0}, "webp": {"lossless": True, "exact": True},
    "avif": {"quality": 95, "subsampling": "4:4:4"}, "jp2": {"irreversible": False},
    "mpo": {"quality": 95, "subsampling": 0},
}  # fmt: skip
OPAQUE = {
    "png": ("1", "L", "I;16", "P", "RGB"), "jpg": ("L", "RGB", "CMYK", "YCbCr"),
    "tif": ("1", "L", "I;16", "I;16B", "P", "RGB", "CMYK", "YCbCr"), "webp": ("RGB",),
    "avif": ("RGB",), "mpo": ("RGB",), "bmp": ("1", "L", "P", "RGB"), "dib": ("L", "P", "RGB"),
    "gif": ("L", "P", "RGB"), "ppm": ("1", "L", "RGB", "I;16"), "tga": ("1", "L", "P", "RGB"),
    "jp2": ("L", "RGB", "I;16"), "pcx": ("1", "L", "P", "RGB"), "sgi": ("L", "RGB"),
    "qoi": ("RGB",), "apng": ("L", "RGB"),
}  # fmt: skip
SEE_THROUGH = {
    "png": ("RGBA", "LA", "P bytes", "P index", "L key", "RGB key", "I;16 key"),
    "tif": ("RGBA", "LA"), "webp": ("RGBA",), "avif": ("RGBA",),
    "gif": ("P index", "RGBA hard"), "tga": ("RGBA", "LA"), "jp2": ("RGBA", "LA"),
    "sgi": ("RGBA",), "qoi": ("RGBA",), "apng": ("RGBA",),
}  # fmt: skip


def write_all(folder: Path) -> Iterator[Made]:
    """Write every kind into ``folder``; yields each as it is written."""
    kinds = [(form, mode, opaque(mode)) for form, modes in OPAQUE.items() for mode in modes]
    kinds += [
        (form, mode, see_through(mode)) for form, modes in SEE_THROUGH.items() for mode in modes
    ]
    written = Image.registered_extensions()  # older releases of Pillow write fewer
    for form, mode, (to_image, values, quarters) in kinds:
        if written.get(f".{form}") not in Image.SAVE:
            continue
        dtype = np.uint16 if mode.startswith("I;16") else np.uint8
        for shape in (*SHAPES, *THIN):
            upright = scene(shape, values, dtype)
            seen = quarters if min(shape) > 1 else (quarters[0],) * 4
            for orientation in STORED if form in EXIF and min(shape) > 1 else (1,):
                name = f"{form}_{mode}_{shape[0]}x{shape[1]}_{orientation}".replace(" ", "-")
                file = folder / f"{name.replace(';', '')}.{form}"
                stored = np.ascontiguousarray(STORED[orientation](upright))
                _save(to_image(stored), file, form, orientation)
                if not _is_whole(file):
                    file.unlink()
                    continue
                yield Made(file, seen, LOSSY.get(form, 3 if mode == "YCbCr" else 1))
    yield from _by_hand(folder)


def _save(image: Image.Image, file: Path, form: str, orientation: int) -> None:
    options = dict(SAVING.get(form, {}))
    if form in EXIF and orientation != 1:
        exif = Image.Exif()
        exif[0x0112] = orientation
        options["exif"] = exif
    if form == "ppm" and image.mode == "I;16":
        image = image.convert("I")  # Pillow writes it with a maxval of 65535
    name = {"apng": "PNG", "dib": "DIB", "mpo": "MPO", "sgi": "SGI"}.get(form)
    image.save(file, format=name, **options)


def _is_whole(file: Path) -> bool:
    """Whether Pillow reads what it wrote: Pillow 11 writes a few pictures that it cannot read."""
    try:
        with file.open("rb") as stream, Image.open(stream) as image:
            image.load()
    except OSError:
        return False
    return True


def _by_hand(folder: Path) -> Iterator[Made]:
    """Depths that Pillow reads but does not write."""
    for shape in SHAPES:
        size = f"{shape[0]}x{shape[1]}"
        for bits in (1, 2, 4, 8, 16):
            end = 2**bits - 1
            values = [0, end, end // 3, end - end // 3]
            seen = tuple((round(v * 255 / end),) * 3 for v in values)
            for key in (None, values[3]):
                keyed = tuple(WHITE if v == key else s for v, s in zip(values, seen, strict=True))
                file = folder / f"hand_grey{bits}_{size}_{key}.png"
                _png(file, scene(shape, values, np.uint16), bits, 0, key)
                yield Made(file, keyed, 1)
        whole = [(v, v) for v in (0, 0, 0xFFFF, 0xFFFF)]
        _png(folder / f"hand_grey_alpha16_{size}.png", scene(shape, whole, np.uint16), 16, 4, None)
        yield Made(folder / f"hand_grey_alpha16_{size}.png", (WHITE,) * 4, 1)
        for kind, samples in ((2, COLOURS), (6, tuple((*c, 255) for c in COLOURS))):
            file = folder / f"hand_colour16_{kind}_{size}.png"
            deep = scene(shape, [[v * 257 for v in c] for c in samples], np.uint16)
            _png(file, deep, 16, kind, None)
            yield Made(file, COLOURS, 1)
        for end in (15, 255, 1023, 4095, 65535):
            values = [0, end, end // 3, end - end // 3]
            seen = tuple((round(v * 255 / end),) * 3 for v in values)
            plain = " ".join(map(str, scene(shape, values, np.int64).ravel()))
            header = f"{shape[1]} {shape[0]}\n{end}\n"
            text = folder / f"hand_ascii{end}_{size}.pgm"
            text.write_text(f"P2\n{header}{plain}\n")
            yield Made(text, seen, 1)
            raw = folder / f"hand_raw{end}_{size}.pgm"
            dtype = ">u2" if end > 255 else "u1"
            raw.write_bytes(f"P5\n{header}".encode() + scene(shape, values, dtype).tobytes())
            yield Made(raw, seen, 1)
        for bits, photometric, order in ((16, 0, "<"), (12, 1, "<"), (16, 1, "<"), (16, 1, ">")):
            end = 2**bits - 1
            values = [0, end, end // 3, end - end // 3]
            seen = tuple((round(v * 255 / end),) * 3 for v in values)
            if photometric == 0:  # white is zero
                seen = tuple((255 - s[0],) * 3 for s in seen)
            file = (
                folder
                / f"hand_tiff{bits}_{photometric}_{'le' if order == '<' else 'be'}_{size}.tif"
            )
            _tiff(file, scene(shape, values, np.uint16), bits, photometric, order)
            yield Made(file, seen, 1)


def _png(file: Path, array: Array, bits: int, kind: int, key: int | None) -> None:
    """A PNG of ``bits`` a sample; ``kind``: 0 grey, 2 colour, 4 and 6 the same with alpha."""

    def chunk(name: bytes, data: bytes) -> bytes:
        whole = name + data
        return struct.pack(">I", len(data)) + whole + struct.pack(">I", zlib.crc32(whole))

    rows = array.reshape(len(array), -1)
    if bits == 16:
        lines = [row.astype(">u2").tobytes() for row in rows]
    else:
        digits = ["".join(f"{v:0{bits}b}" for v in row) for row in rows]
        padded = [line + "0" * (-len(line) % 8) for line in digits]
        lines = [int(line, 2).to_bytes(len(line) // 8, "big") for line in padded]
    header = struct.pack(">IIBBBBB", array.shape[1], array.shape[0], bits, kind, 0, 0, 0)
    parts = [chunk(b"IHDR", header)]
    if key is not None:
        parts.append(chunk(b"tRNS", struct.pack(">H", key)))
    parts.append(chunk(b"IDAT", zlib.compress(b"".join(b"\0" + line for line in lines))))
    file.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts) + chunk(b"IEND", b""))


def _tiff(file: Path, array: Array, bits: int, photometric: int, order: str) -> None:
    """A grey TIFF of one strip."""
    height, width = array.shape
    if bits == 12:
        text = ["".join(f"{v:012b}" for v in row) for row in array]
        data = b"".join(
            int(t + "0" * (-len(t) % 8), 2).to_bytes(-(-len(t) // 8), "big") for t in text
        )
    else:
        data = array.astype(f"{order}u2").tobytes()
    tags = [
        (256, width), (257, height), (258, bits), (259, 1), (262, photometric), (273, 8),
        (277, 1), (278, height), (279, len(data)),
    ]  # fmt: skip
    ifd = struct.pack(f"{order}H", len(tags))
    for tag, value in tags:
        ifd += struct.pack(f"{order}HHII", tag, 4, 1, value)
    mark = b"II*\0" if order == "<" else b"MM\0*"
    start = struct.pack(f"{order}I", 8 + len(data))
    file.write_bytes(mark + start + data + ifd + struct.pack(f"{order}I", 0))


def write_folders(root: Path, every: int = 1) -> int:
    """The same files in two class folders by turns, of each ``every`` one; returns their number."""
    count = 0
    for name in ("one", "other"):
        (root / name).mkdir(parents=True)
    for number, made in enumerate(list(write_all(root))):
        if number % every:
            made.file.unlink()
        else:
            made.file.rename(root / ("one", "other")[count % 2] / made.file.name)
            count += 1
    return count
