from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from cnnsweep.data.dataset import Dataset
from cnnsweep.data.image_folder import image_folder
from cnnsweep.errors import UserError
from tests.data.made_files import write_png_folders


def load(root: Path, image_size: int = 6, channels: int = 3) -> Dataset:
    return image_folder(root=root, image_size=image_size, channels=channels)


def reds(pixels: torch.Tensor) -> list[int]:
    return pixels[:, 0, 0, 0].tolist()


def test_train_and_test_folders_are_the_splits(tmp_path: Path) -> None:
    write_png_folders(tmp_path / "train", {"cat": 4, "dog": 3})
    write_png_folders(tmp_path / "test", {"cat": 2, "dog": 1})
    data = load(tmp_path)
    assert data.classes == ("cat", "dog")
    assert data.train.pixels.shape == (7, 3, 6, 6)
    assert data.train.labels.tolist() == [0, 0, 0, 0, 1, 1, 1]
    assert reds(data.train.pixels) == [0, 1, 2, 3, 0, 1, 2]
    assert data.train.pixels[5, :, 2, 3].tolist() == [1, 100, 50]
    assert data.test().labels.tolist() == [0, 0, 1]


def test_without_them_a_fixed_stratified_fifth_is_for_testing(tmp_path: Path) -> None:
    write_png_folders(tmp_path, {"cat": 20, "dog": 10})
    torch.manual_seed(1)
    data = load(tmp_path)
    assert data.train.labels.bincount().tolist() == [16, 8]
    assert data.test().labels.bincount().tolist() == [4, 2]
    for label, count in ((0, 20), (1, 10)):
        parts = (data.train, data.test())
        seen = [red for part in parts for red in reds(part.pixels[part.labels == label])]
        assert sorted(seen) == list(range(count))
    torch.manual_seed(2)
    again = load(tmp_path, image_size=5)
    assert reds(again.test().pixels) == reds(data.test().pixels)


def test_images_are_decoded_once_until_one_changes(tmp_path: Path) -> None:
    write_png_folders(tmp_path, {"cat": 5, "dog": 5})
    data = load(tmp_path)
    assert load(tmp_path) is data
    for folder in ("cat", "dog"):
        for file in (tmp_path / folder).iterdir():
            Image.new("RGB", (9, 9), (200, 0, 0)).save(file)
    assert set(reds(load(tmp_path).train.pixels)) == {200}


def test_images_can_be_grey(tmp_path: Path) -> None:
    write_png_folders(tmp_path, {"cat": 5, "dog": 5})
    assert load(tmp_path, channels=1).train.pixels.shape == (8, 1, 6, 6)


def test_a_long_side_is_cut_evenly_and_proportions_are_kept(tmp_path: Path) -> None:
    write_png_folders(tmp_path, {"a": 2, "b": 2})
    stripes = np.zeros((6, 18, 3), np.uint8)
    stripes[:, 6:12] = 255  # the middle third is white
    for file in (tmp_path / "a").iterdir():
        Image.fromarray(stripes).save(file)
    assert load(tmp_path).train.pixels[0].min() == 255


def palette() -> Image.Image:
    image = Image.new("P", (8, 8), 0)
    image.putpalette([128, 128, 128] * 256)
    return image


@pytest.mark.parametrize(
    ("ending", "image", "saving"),
    [
        ("png", Image.fromarray(np.full((8, 8), 0x80FF, np.uint16)), {}),
        ("png", Image.new("1", (8, 8), 1), {}),
        ("PNG", palette(), {"transparency": bytes(range(256))}),
        ("gif", palette(), {}),
        ("jpeg", Image.new("CMYK", (8, 8), (127, 127, 127, 0)), {}),
        ("webp", Image.new("RGBA", (8, 8), (128, 128, 128, 9)), {"lossless": True, "exact": True}),
        ("tif", Image.new("L", (8, 8), 128), {}),
    ],
    ids=lambda value: getattr(value, "mode", None) or str(value),
)
@pytest.mark.parametrize("channels", [1, 3])
def test_images_of_every_kind_are_read(
    tmp_path: Path, ending: str, image: Image.Image, saving: dict[str, Any], channels: int
) -> None:
    write_png_folders(tmp_path, {"a": 0, "b": 2})
    for number in range(2):
        image.save(tmp_path / "a" / f"{number}.{ending}", **saving)
    pixels = load(tmp_path, channels=channels).train.pixels[0].float()
    assert (pixels - (255 if image.mode == "1" else 128)).abs().max() <= 2


def test_a_photograph_is_turned_upright(tmp_path: Path) -> None:
    write_png_folders(tmp_path, {"a": 2, "b": 2})
    left_white = np.zeros((8, 8, 3), np.uint8)
    left_white[:, :4] = 255
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise by a quarter
    for file in (tmp_path / "a").iterdir():
        Image.fromarray(left_white).save(file, exif=exif)
    image = load(tmp_path, image_size=8).train.pixels[0]
    assert image[:, :4].min() == 255
    assert image[:, 4:].max() == 0


def test_other_files_hidden_ones_and_deeper_folders_are_no_hindrance(tmp_path: Path) -> None:
    write_png_folders(tmp_path, {"cat": 5, "dog/spaniel": 5})
    (tmp_path / "cat" / "notes.txt").write_text("not an image")
    (tmp_path / "cat" / "._000.png").write_text("left by a Mac")
    (tmp_path / ".cache").mkdir()
    data = load(tmp_path)
    assert data.classes == ("cat", "dog")
    assert len(data.train) + len(data.test()) == 10


def test_unreadable_images_are_named(tmp_path: Path) -> None:
    write_png_folders(tmp_path / "train", {"cat": 6, "dog": 2})
    write_png_folders(tmp_path / "test", {"cat": 1, "dog": 1})
    truncated = tmp_path / "train" / "cat" / "001.png"
    truncated.write_bytes(truncated.read_bytes()[:50])
    text = tmp_path / "train" / "dog" / "000.png"
    text.write_text("no image at all")
    with pytest.raises(UserError) as caught:
        load(tmp_path)
    assert str(caught.value).startswith("2 of 8 images cannot be read: ")
    assert str(truncated) in str(caught.value)
    assert str(text) in str(caught.value)


def test_many_unreadable_images_make_a_short_line(tmp_path: Path) -> None:
    write_png_folders(tmp_path, {"cat": 10, "dog": 10})
    for file in (tmp_path / "cat").iterdir():
        file.write_bytes(b"")
    with pytest.raises(UserError, match=r"8 of 16 images cannot be read.* …"):
        load(tmp_path)


@pytest.mark.parametrize("classes", [{}, {"cat": 3}])
def test_fewer_than_two_classes_are_refused(tmp_path: Path, classes: dict[str, int]) -> None:
    write_png_folders(tmp_path, classes)
    found = r"one \(cat\)" if classes else "none"
    with pytest.raises(UserError, match=f"{tmp_path} must hold two folders.*has {found}"):
        load(tmp_path)


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"nowhere must hold two folders.*data\.root"):
        load(tmp_path / "nowhere")


def test_a_class_without_images_is_named(tmp_path: Path) -> None:
    write_png_folders(tmp_path, {"cat": 3, "dog": 0})
    with pytest.raises(UserError, match=f"{tmp_path / 'dog'} holds no images"):
        load(tmp_path)


def test_a_class_of_one_image_cannot_be_divided(tmp_path: Path) -> None:
    write_png_folders(tmp_path, {"cat": 3, "dog": 1})
    with pytest.raises(UserError, match=f"{tmp_path / 'dog'} holds 1 image"):
        load(tmp_path)


def test_a_class_that_is_only_tested_is_named(tmp_path: Path) -> None:
    write_png_folders(tmp_path / "train", {"cat": 2, "dog": 2})
    write_png_folders(tmp_path / "test", {"cat": 2, "dgo": 2})
    with pytest.raises(UserError, match=r"has folders that .* lacks: dgo"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("image_size", "channels", "named"), [(0, 3, "image_size=0"), (6, 2, "channels=2")]
)
def test_sizes_out_of_range_are_refused(
    tmp_path: Path, image_size: int, channels: int, named: str
) -> None:
    with pytest.raises(UserError, match=rf"data\.{named}: allowed"):
        load(tmp_path, image_size, channels)
