"""Pictures of every kind look to a network as they look to a person."""

import struct
import subprocess
import sys
import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cnnsweep.data.pictures.prepare import Unusable, prepare
from tests.data.pictures.made_pictures import Made, write_all

SIDE = 16


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> list[Made]:
    return list(write_all(tmp_path_factory.mktemp("made")))


def luma(colour: tuple[int, ...]) -> float:
    return 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]


@pytest.mark.parametrize("channels", [1, 3])
def test_every_format_mode_depth_orientation_and_proportion_shows_its_four_quarters(
    made: list[Made], channels: int
) -> None:
    assert len(made) >= 300
    wrong = []
    half = SIDE // 2
    for file, quarters, tolerance in made:
        pixels = prepare(file, channels=channels, size=(SIDE, SIDE)).pixels
        assert pixels.shape == (channels, SIDE, SIDE)
        assert pixels.dtype == np.uint8
        for number, colour in enumerate(quarters):
            top, left = number // 2 * half, number % 2 * half
            inner = pixels[:, top + 2 : top + half - 2, left + 2 : left + half - 2].astype(float)
            seen = np.array([luma(colour)] if channels == 1 else colour)
            off = np.abs(inner - seen[:, None, None]).max()
            if off > tolerance + 0.5:
                wrong.append(f"{file.name}: quarter {number} is off by {off}")
    assert wrong == []


def test_what_cannot_be_read_is_refused_with_the_reason(tmp_path: Path) -> None:
    numbers = np.arange(64).reshape(8, 8)
    images = {
        "integers.tif": (Image.fromarray(numbers.astype(np.int32)), r"fixed range; Image\.from"),
        "floats.tif": (Image.fromarray(numbers.astype(np.float32)), r"fixed range; Image\.from"),
        "lab.tif": (Image.new("LAB", (8, 8)), "CIELAB"),
    }
    for name, (image, reason) in images.items():
        image.save(tmp_path / name)
        with pytest.raises(Unusable, match=reason):
            prepare(tmp_path / name, channels=1, size=(8, 8))
    huge = png_header(20_000, 20_000)
    for name, content, reason in (
        ("huge.png", huge, "too large: 178,956,970 pixels"),
        ("head.pgm", b"P5 4x 4 255\n", "no image that can be read"),
        ("text.png", b"no image", "no image that can be read"),
        ("empty.png", b"", "no image that can be read"),
        ("pointer.png", b"version https://git-lfs.github.com/spec/v1\n", "no image that can"),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(Unusable, match=reason):
            prepare(tmp_path / name, channels=3, size=(8, 8))
    with pytest.raises(Unusable, match="no such image"):
        prepare(tmp_path / "nowhere.png", channels=3, size=(8, 8))
    with pytest.raises(Unusable):
        prepare(tmp_path, channels=3, size=(8, 8))


def test_the_conversion_that_a_refusal_names_converts(tmp_path: Path) -> None:
    values = (np.arange(64).reshape(8, 8) * 1000 - 5000).astype(np.int32)
    Image.fromarray(values).save(tmp_path / "old.tif")
    with pytest.raises(Unusable) as refused:
        prepare(tmp_path / "old.tif", channels=1, size=(8, 8))
    line = str(refused.value).partition("; ")[2].partition(" converts it")[0]
    names = {"Image": Image, "numpy": np, "OLD": tmp_path / "old.tif", "LOW": -5000}
    exec(line, names | {"HIGH": 58_000, "NEW": tmp_path / "new.png"})
    pixels = prepare(tmp_path / "new.png", channels=1, size=(8, 8)).pixels
    expected = (values.astype(float) + 5000) * 255 / 63_000
    assert np.abs(pixels[0] - expected).max() <= 1


def png_header(width: int, height: int) -> bytes:
    data = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    header = b"\x89PNG\r\n\x1a\n\0\0\0\r" + data + struct.pack(">I", zlib.crc32(data))
    return header + struct.pack(">I", 10) + b"IDAT" + bytes(14)


def test_damaged_files_give_a_picture_or_a_reason(made: list[Made], tmp_path: Path) -> None:
    drawn = np.random.default_rng(0)
    kinds = {file.suffix + file.name.split("_")[1]: file for file, _, _ in made}
    assert len(kinds) > 40
    refused = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for number in range(600):
            file = list(kinds.values())[number % len(kinds)]
            content = bytearray(file.read_bytes())
            for place in drawn.integers(0, len(content), drawn.integers(1, 9)):
                content[place] = drawn.integers(256)
            if number % 3 == 0:
                del content[drawn.integers(1, len(content)) :]
            damaged = tmp_path / f"damaged{file.suffix}"
            damaged.write_bytes(content)
            try:
                assert prepare(damaged, channels=3, size=(8, 8)).pixels.shape == (3, 8, 8)
            except Unusable:
                refused += 1
    assert refused > 100


@pytest.mark.parametrize("form", ["gif", "tif", "png", "webp"])
def test_of_several_frames_the_first_is_taken_and_the_others_are_known(
    form: str, tmp_path: Path
) -> None:
    frames = [Image.new("L", (8, 8), shade) for shade in (200, 20, 90)]
    frames[0].save(tmp_path / f"many.{form}", save_all=True, append_images=frames[1:])
    frames[0].save(tmp_path / f"one.{form}")
    many = prepare(tmp_path / f"many.{form}", channels=1, size=(4, 4))
    assert abs(int(many.pixels.max()) - 200) <= 2
    assert many.has_more_frames
    assert not prepare(tmp_path / f"one.{form}", channels=1, size=(4, 4)).has_more_frames


def test_the_largest_value_of_deep_pictures_is_known(tmp_path: Path) -> None:
    Image.fromarray(np.full((8, 8), 4000, np.uint16)).save(tmp_path / "deep.png")
    Image.new("L", (8, 8), 200).save(tmp_path / "flat.png")
    assert prepare(tmp_path / "deep.png", channels=1, size=(4, 4)).largest == (4000, 65_535)
    assert prepare(tmp_path / "flat.png", channels=1, size=(4, 4)).largest is None


def test_pictures_are_opened_without_torch() -> None:
    code = "import sys, cnnsweep.data.pictures.prepare; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("shape", "size"),
    [((1, 300), (28, 28)), ((300, 1), (28, 20)), ((7, 7), (64, 48)), ((90, 60), (1, 1))],
)
def test_any_proportions_fit_any_size(
    shape: tuple[int, int], size: tuple[int, int], tmp_path: Path
) -> None:
    picture: Any = np.full(shape, 77, np.uint8)
    Image.fromarray(picture).save(tmp_path / "a.png")
    pixels = prepare(tmp_path / "a.png", channels=3, size=size).pixels
    assert pixels.shape == (3, *size)
    assert (pixels == 77).all()
