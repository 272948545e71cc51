"""Test images by number: the same as the data sets' own readers give."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.io import savemat
from torch.nn.functional import interpolate

from cnnsweep.data import split
from cnnsweep.data.digits import digits
from cnnsweep.data.mnist import emnist, fashion_mnist, kmnist, mnist
from cnnsweep.report.read.image_files import Absent, reader, split_off_test
from tests.command import REAL_DATA, needs_real_data
from tests.data.made_files import write_idx


@pytest.mark.parametrize("seed", range(6))
def test_the_test_split_is_that_of_the_data(seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels = np.concatenate([np.arange(4).repeat(2), rng.integers(0, 4, rng.integers(3, 2000))])
    rng.shuffle(labels)
    _, test = split.split_off_test(torch.from_numpy(labels))
    assert split_off_test(labels).tolist() == test.tolist()


def test_digits_are_the_test_images_before_they_were_enlarged() -> None:
    found = reader("digits", None)
    assert found is not None
    held, seen = found(Path()), digits().test()
    assert held.labels is not None
    assert held.labels.tolist() == seen.labels.tolist()
    small = interpolate(seen.pixels.float(), size=8, mode="bilinear", antialias=True)[:, 0].numpy()
    assert abs(small - held.images).mean() < 25  # of another image: 70 and more


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist", "kmnist", "emnist"])
@pytest.mark.parametrize("packed", [False, True])
def test_idx_files_are_read_as_the_data_sets_read_them(
    name: str, packed: bool, tmp_path: Path
) -> None:
    letters = name == "emnist"
    parts = ("emnist-letters-train", "emnist-letters-test") if letters else ("train", "t10k")
    write_idx(tmp_path, parts=parts, gzipped=packed, first_label=int(letters))
    load = {"mnist": mnist, "fashion_mnist": fashion_mnist, "kmnist": kmnist}
    make = load.get(name)
    data = (
        emnist(root=tmp_path, download=False, split="letters")
        if make is None
        else make(root=tmp_path, download=False)
    )
    read = reader(name, "letters" if letters else None)
    assert read is not None
    held, seen = read(tmp_path), data.test()
    assert held.labels is not None
    assert held.labels.tolist() == seen.labels.tolist()
    assert np.array_equal(held.images, seen.pixels[:, 0].numpy())


def test_cifar10_is_cut_out_of_its_pickle(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (10_000, 3, 32, 32), dtype=np.uint8)
    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()
    content = {b"labels": [0] * 10_000, b"data": images.reshape(10_000, -1)}
    (folder / "test_batch").write_bytes(pickle.dumps(content, protocol=3))
    read = reader("cifar10", None)
    assert read is not None
    held = read(tmp_path)
    assert held.labels is None
    assert np.array_equal(held.images, images.transpose(0, 2, 3, 1))


def test_svhn_is_read_from_matlabs_file(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (32, 32, 3, 7), dtype=np.uint8)
    labels = np.array([[10], [1], [2], [3], [9], [10], [5]])
    savemat(tmp_path / "test_32x32.mat", {"X": images, "y": labels}, do_compression=True)
    read = reader("svhn", None)
    assert read is not None
    held = read(tmp_path)
    assert held.labels is not None
    assert held.labels.tolist() == [0, 1, 2, 3, 9, 0, 5]
    assert np.array_equal(held.images[4], images[..., 4])


@pytest.mark.parametrize(
    ("data", "name"),
    [
        ("mnist", "t10k-images-idx3-ubyte"),
        ("cifar10", "test_batch"),
        ("svhn", "test_32x32.mat"),
    ],
)
@pytest.mark.parametrize("content", [None, b"", b"\0" * 16, b"\0\0\x08\x03" + b"\xff" * 21])
def test_a_missing_or_damaged_file_is_absent(
    data: str, name: str, content: bytes | None, tmp_path: Path
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
        (tmp_path / "t10k-labels-idx1-ubyte").write_bytes(content)
    read = reader(data, None)
    assert read is not None
    with pytest.raises(Absent):
        read(tmp_path)


@needs_real_data
def test_the_real_files_are_read() -> None:
    for name in ("mnist", "fashion_mnist"):
        read = reader(name, None)
        assert read is not None
        assert len(read(REAL_DATA).images) == 10_000
