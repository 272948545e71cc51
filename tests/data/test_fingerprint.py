"""A data set is known by what it holds: not by where it lies, and not by what was decoded."""

import gzip
import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch
from PIL import Image

from cnnsweep.data.dataset import Dataset, Images
from cnnsweep.data.digits import digits
from cnnsweep.data.fingerprint import fingerprint, with_test
from cnnsweep.data.image_folder import image_folder
from cnnsweep.data.mnist import mnist
from tests.data.made_files import labelled, write_idx, write_png_folders


def of_folder(root: Path) -> dict[str, object]:
    return fingerprint(image_folder(root=root, image_size=8, channels=3))


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    write_png_folders(tmp_path / "one", {"cat": 10, "dog": 10})
    return tmp_path / "one"


def test_it_says_what_there_is(pictures: Path) -> None:
    found = of_folder(pictures)
    said = {key: found[key] for key in ("classes", "train", "val", "test", "shape")}
    assert said == {
        "classes": ["cat", "dog"],
        "train": 16,
        "val": None,
        "test": 4,
        "shape": [3, 8, 8],
    }


def test_a_copy_elsewhere_is_the_same_data(pictures: Path, tmp_path: Path) -> None:
    shutil.copytree(pictures, tmp_path / "other")
    for file in (tmp_path / "other").rglob("*.png"):
        file.touch()
    assert of_folder(tmp_path / "other") == of_folder(pictures)


def repaint(root: Path, number: int) -> None:
    Image.new("RGB", (12, 8), (255, 255, 255)).save(root / "cat" / f"{number:03}.png")


def swap(root: Path) -> None:
    (root / "cat").rename(root / "x")
    (root / "dog").rename(root / "cat")
    (root / "x").rename(root / "dog")


CHANGES: dict[str, Callable[[Path], object]] = {
    **{f"repainted {n}": partial(repaint, number=n) for n in range(10)},
    "removed": lambda root: (root / "dog" / "004.png").unlink(),
    "added": partial(repaint, number=99),
    "renamed": lambda root: (root / "dog" / "004.png").rename(root / "dog" / "zzz.png"),
    "moved to another class": lambda root: (root / "dog" / "004.png").rename(root / "cat/x.png"),
    "labels swapped": swap,
    "class renamed": lambda root: (root / "dog").rename(root / "wolf"),
    "class added": lambda root: write_png_folders(root, {"emu": 4}),
}


@pytest.mark.parametrize("change", CHANGES)
def test_each_change_makes_other_data_whatever_part_it_falls_into(
    pictures: Path, change: str
) -> None:
    before = of_folder(pictures)
    CHANGES[change](pictures)
    assert of_folder(pictures)["hash"] != before["hash"]


def test_published_files_are_the_same_gzipped_and_in_any_folder(tmp_path: Path) -> None:
    write_idx(tmp_path / "a" / "MNIST" / "raw")
    write_idx(tmp_path / "b", gzipped=True)
    plain, packed = (fingerprint(mnist(root=tmp_path / name, download=False)) for name in "ab")
    assert plain == packed
    assert (plain["train"], plain["test"]) == (40, 20)


def test_other_test_labels_are_other_data_before_anybody_reads_them(tmp_path: Path) -> None:
    write_idx(tmp_path, gzipped=True)
    before = fingerprint(mnist(root=tmp_path, download=False))
    labels = tmp_path / "t10k-labels-idx1-ubyte.gz"
    content = bytearray(gzip.decompress(labels.read_bytes()))
    content[-1] ^= 1
    labels.write_bytes(gzip.compress(content))
    assert fingerprint(mnist(root=tmp_path, download=False))["hash"] != before["hash"]


def test_files_are_hashed_once_in_a_process(pictures: Path) -> None:
    one, two = (image_folder(root=pictures, image_size=8, channels=3) for _ in range(2))
    assert one.contents is two.contents
    assert digits().contents is digits().contents


def unread() -> Images:
    raise AssertionError("the test split was read")


def test_data_of_a_users_own_are_known_by_their_tensors_and_the_test_split_is_left_alone() -> None:
    train = labelled([6, 4])
    one = Dataset(name="x", classes=("a", "b"), train=train, test=unread)
    other_labels = replace(one, train=Images(train.stored, train.labels.flip(0)))
    other_pixels = replace(one, train=Images(train.stored ^ 1, train.labels))
    found = [fingerprint(data)["hash"] for data in (one, one, other_labels, other_pixels)]
    assert found[0] == found[1]
    assert len(set(found)) == 3
    assert fingerprint(one)["test"] is None


def test_the_test_images_of_a_users_own_data_count_once_they_were_read() -> None:
    data = Dataset(name="x", classes=("a",), train=labelled([3]), test=unread)
    before = fingerprint(data)
    one, other = with_test(before, labelled([2])), with_test(before, labelled([3]))
    assert one["hash"] == before["hash"] == other["hash"]
    assert one["test_hash"] != other["test_hash"]
    assert (one["test"], other["test"]) == (2, 3)


def test_what_is_known_already_is_not_asked_for_again(pictures: Path) -> None:
    found = of_folder(pictures)
    assert with_test(found, Images(torch.zeros(0, 1, 1, 1), torch.zeros(0))) == found
