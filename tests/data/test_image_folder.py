import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from cnnsweep.data.dataset import Dataset
from cnnsweep.data.image_folder import image_folder
from cnnsweep.data.split import train_and_val
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
        ("PNG", palette(), {}),
        ("gif", palette(), {}),
        ("jpeg", Image.new("CMYK", (8, 8), (127, 127, 127, 0)), {}),
        ("webp", Image.new("RGBA", (8, 8), (0, 0, 0, 127)), {"lossless": True, "exact": True}),
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
    assert str(caught.value).startswith("2 of 10 images cannot be read: ")
    assert str(truncated) in str(caught.value)
    assert str(text) in str(caught.value)


def test_unreadable_images_of_all_splits_are_named_at_once(tmp_path: Path) -> None:
    broken = []
    for split in ("train", "val", "test"):
        write_png_folders(tmp_path / split, {"cat": 3, "dog": 3})
        broken.append(tmp_path / split / "cat" / "001.png")
        broken[-1].write_text("no image at all")
    with pytest.raises(UserError) as caught:
        load(tmp_path)
    assert str(caught.value).startswith("3 of 18 images cannot be read: ")
    assert all(str(file) in str(caught.value) for file in broken)


def test_many_unreadable_images_make_a_short_line(tmp_path: Path) -> None:
    write_png_folders(tmp_path, {"cat": 10, "dog": 10})
    for file in (tmp_path / "cat").iterdir():
        file.write_bytes(b"")
    with pytest.raises(UserError, match=r"10 of 20 images cannot be read.* …"):
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


def notes(root: Path) -> list[str]:
    return list(load(root).notes)


def test_classes_and_counts_are_said_in_one_line(tmp_path: Path) -> None:
    write_png_folders(tmp_path, {"cat": 30, "dog": 30})
    assert notes(tmp_path)[0] == (
        "2 classes (cat, dog): 48 to train, 12 to test; of each class 24 to train, 6 to test"
    )
    (tmp_path / "cat" / "000.png").unlink()
    for number in range(10, 30):
        (tmp_path / "dog" / f"{number:03}.png").unlink()
    assert (
        notes(tmp_path)[0] == "2 classes (cat, dog): 31 to train, 8 to test; cat 23 + 6, dog 8 + 2"
    )
    write_png_folders(tmp_path / "many", {f"c{n:02}": 2 + n for n in range(20)})
    assert notes(tmp_path / "many")[0] == (
        "20 classes (c00, c01, c02, …, c19): 183 to train, 47 to test; "
        "of each class 1 to 17 to train, 1 to 4 to test"
    )


def test_a_val_folder_is_the_validation_split(tmp_path: Path) -> None:
    for split, count in (("train", 4), ("Valid", 3), ("testing", 2)):
        write_png_folders(tmp_path / split, {"cat": count, "dog": count}, size=(9, 3 + count))
    data = load(tmp_path)
    assert data.val is not None
    assert data.val.labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert data.val_files[3] == "Valid/dog/000.png"
    assert data.train_files[0] == "train/cat/000.png"
    assert data.test_files == tuple(
        f"testing/{c}/00{n}.png" for c in ("cat", "dog") for n in (0, 1)
    )
    assert data.notes[0].startswith("2 classes (cat, dog): 8 to train, 6 to validate, 4 to test; ")
    for fraction in (0.1, 0.5):
        train, val = train_and_val(data, None, fraction, seed=3)
        assert (len(train), val) == (8, data.val)
    train, val = train_and_val(data, 4, 0.1, seed=3)
    assert (len(train), val) == (4, data.val)
    train, val = train_and_val(data, None, 0, seed=3)
    assert (len(train), val) == (8, None)


def test_without_a_test_folder_a_fifth_of_train_is_for_testing(tmp_path: Path) -> None:
    for split in ("train", "val"):
        write_png_folders(tmp_path / split, {"cat": 10, "dog": 10})
    data = load(tmp_path)
    assert data.val is not None
    assert (len(data.train), len(data.val), len(data.test())) == (16, 20, 4)
    assert not set(data.test_files) & set(data.train_files)


@pytest.mark.parametrize("part", ["test", "val"])
def test_a_damaged_test_file_is_named_before_training_and_nothing_of_the_test_is_kept(
    part: str, tmp_path: Path
) -> None:
    for split in ("train", "val", "test"):
        write_png_folders(tmp_path / split, {"cat": 3, "dog": 3})
    file = tmp_path / part / "dog" / "001.png"
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(UserError, match=f"1 of 18 images cannot be read: {file}"):
        load(tmp_path)


def test_images_of_no_class_hidden_ones_and_other_kinds_are_counted(tmp_path: Path) -> None:
    write_png_folders(tmp_path, {"cat": 5, "dog": 5, "dog/.ipynb_checkpoints": 5, ".git": 0})
    for name in ("loose.png", "notes.TXT", ".DS_Store"):
        (tmp_path / name).touch()
    for number in range(3):
        (tmp_path / "cat" / f"{number}.HEIC").touch()
    data = load(tmp_path)
    assert len(data.train) + len(data.test()) == 10
    assert data.notes[1] == (
        "left out: hidden, of the system or thumbnails: 3 (.DS_Store …); "
        "files that are not read as pictures: 3 .heic, 1 .txt (cat/0.HEIC …); "
        "pictures in no class folder: 1 (loose.png)"
    )


def varied(root: Path, places: list[str]) -> None:
    """Ten different pictures in each place."""
    for place in places:
        (root / place).mkdir(parents=True)
        for number in range(10):
            drawn = np.random.default_rng([number, *place.encode()]).integers(0, 256, (8, 8, 3))
            Image.fromarray(drawn.astype(np.uint8)).save(root / place / f"{number}.png")


def test_equal_files_in_train_and_test_deserve_a_line(tmp_path: Path) -> None:
    varied(tmp_path, [f"{split}/{name}" for split in ("train", "val", "test") for name in "ab"])
    assert len(notes(tmp_path)) == 1
    for number in (2, 5):
        copied = (tmp_path / "train" / "a" / f"{number}.png").read_bytes()
        (tmp_path / "test" / "b" / f"{number}.png").write_bytes(copied)
    assert notes(tmp_path)[1:] == [
        "2 of 20 test pictures are also among those to train on, byte for byte: "
        "test/b/2.png = train/a/2.png …"
    ]


def test_flat_pictures_and_small_ranges_deserve_a_line(tmp_path: Path) -> None:
    varied(tmp_path, ["a", "b"])
    for file in (*(tmp_path / "a").iterdir(), *(tmp_path / "b").iterdir()):
        seed = [int(file.stem), *file.parent.name.encode()]
        drawn = np.random.default_rng(seed).integers(0, 4096, (8, 8)).astype(np.uint16)
        drawn[0, 1] = 4095
        Image.fromarray(drawn).save(file)
    said = notes(tmp_path)[1:]
    assert said[0].startswith("16 of 16 train pictures are nearly one shade, as the network sees")
    assert "a/" in said[0]
    assert "the largest value is 4,095 of 65,535 (a/" in said[1]
    assert "multiplied by 16 they would fill it: " in said[1]
    assert [line.partition(" test ")[0] for line in said[2:]] == ["4 of 4", "4"]
    code = said[1].partition("fill it: ")[2]
    for file in (*(tmp_path / "a").iterdir(), *(tmp_path / "b").iterdir()):
        eval(code, {"Image": Image, "numpy": np, "OLD": file, "NEW": file})
    assert notes(tmp_path)[1:] == []


def test_several_frames_deserve_a_line(tmp_path: Path) -> None:
    varied(tmp_path, ["a", "b"])
    frames = [Image.new("L", (8, 8), shade) for shade in (1, 200)]
    frames[0].save(tmp_path / "a" / "moving.gif", save_all=True, append_images=frames[1:])
    assert any(
        line.endswith("several frames or pages, of which the first is taken: a/moving.gif")
        for line in notes(tmp_path)
    )


def test_a_class_that_is_not_tested_is_said(tmp_path: Path) -> None:
    varied(tmp_path, ["train/a", "train/b", "test/a"])
    data = load(tmp_path)
    assert data.classes == ("a", "b")
    assert data.notes[1] == "test holds no pictures of b"


def test_classes_that_differ_in_case_only_are_said_or_hinted_at(tmp_path: Path) -> None:
    varied(tmp_path / "one", ["Cat", "cat"])
    assert "Cat and cat differ in upper and lower case only" in notes(tmp_path / "one")[1]
    varied(tmp_path / "two", ["train/Cat", "train/dog", "test/cat", "test/dog"])
    with pytest.raises(UserError, match=r"lacks: cat \(Cat there\)"):
        load(tmp_path / "two")


def test_a_class_of_other_kinds_of_files_says_which(tmp_path: Path) -> None:
    varied(tmp_path, ["a", "b"])
    for file in (tmp_path / "b").iterdir():
        file.rename(file.with_suffix(".HEIC"))
    with pytest.raises(UserError, match=r"b holds no images, but 10 \.heic\. Allowed"):
        load(tmp_path)


def test_reasons_of_files_that_cannot_be_used_are_given(tmp_path: Path) -> None:
    varied(tmp_path, ["a", "b"])
    Image.new("LAB", (8, 8)).save(tmp_path / "a" / "lab.tif")
    Image.new("I", (8, 8)).save(tmp_path / "b" / "integers.tif")
    with pytest.raises(UserError, match=r"lab\.tif \(it is in the colours of CIELAB"):
        load(tmp_path)


def test_any_names_are_read(tmp_path: Path) -> None:
    odd = ["a,b", 'c"d', "e\nf", "猫", os.fsdecode(b"caf\xe9")]
    for name in odd:
        (tmp_path / name).mkdir()
        for number in range(5):
            Image.new("L", (8, 8), number).save(tmp_path / name / f"{number}.png")
    assert sorted(load(tmp_path).classes) == sorted(odd)
