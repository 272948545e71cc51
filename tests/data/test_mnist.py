import gzip
import os
from pathlib import Path

import pytest
import torch

from cnnsweep.data.mnist import EMNIST_SPLITS, emnist, fashion_mnist, kmnist, mnist
from cnnsweep.errors import UserError
from tests.command import REAL_DATA, needs_real_data
from tests.data.made_files import TEST, TRAIN, idx_bytes, write_idx


@needs_real_data
@pytest.mark.parametrize(
    ("load", "mean", "std"), [(mnist, 0.1307, 0.3081), (fashion_mnist, 0.2860, 0.3530)]
)
def test_the_real_files_hold_what_was_published(load: type, mean: float, std: float) -> None:
    data = load(root=REAL_DATA, download=False)
    pixels = data.train.pixels
    assert pixels.shape == (60_000, 1, 28, 28)
    assert data.test().pixels.shape == (10_000, 1, 28, 28)
    assert data.test().labels.bincount().sum() == 10_000
    assert len(data.classes) == len(set(data.train.labels.tolist())) == 10
    floats = pixels.float() / 255
    assert abs(floats.mean().item() - mean) < 0.0001
    assert abs(floats.std().item() - std) < 0.0001


@needs_real_data
def test_real_files_are_found_from_their_inner_folder_and_decoded_once() -> None:
    data = mnist(root=REAL_DATA, download=False)
    assert mnist(root=REAL_DATA / "MNIST" / "raw", download=False) is data
    assert data.train.labels[:8].tolist() == [5, 0, 4, 1, 9, 2, 1, 3]


@pytest.mark.parametrize("folder", ["MNIST/raw", "MNIST", "raw", "."])
@pytest.mark.parametrize("gzipped", [False, True])
def test_files_are_found_at_any_sensible_depth(tmp_path: Path, folder: str, gzipped: bool) -> None:
    write_idx(tmp_path / folder, gzipped=gzipped)
    data = mnist(root=str(tmp_path), download=False)
    assert data.train.pixels.shape == (TRAIN, 1, 5, 4)
    assert data.train.pixels[3, 0, 2, 1] == 3 + 20 + 1
    assert data.train.labels.tolist() == [n % 10 for n in range(TRAIN)]
    assert len(data.test()) == TEST


def test_files_with_a_dot_before_idx_are_found(tmp_path: Path) -> None:
    write_idx(tmp_path)
    for file in list(tmp_path.iterdir()):
        file.rename(file.with_name(file.name.replace("-idx", ".idx")))
    assert len(mnist(root=tmp_path, download=False).train) == TRAIN


def test_files_of_another_family_are_not_taken_for_ones_own(tmp_path: Path) -> None:
    write_idx(tmp_path / "MNIST" / "raw")
    for root in (tmp_path, tmp_path / "MNIST", tmp_path / "MNIST" / "raw"):
        assert len(mnist(root=root, download=False).train) == TRAIN
        with pytest.raises(UserError, match="data=kmnist: train-images-idx3-ubyte not found"):
            kmnist(root=root, download=False)


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    write_idx(tmp_path)
    before = mnist(root=tmp_path, download=False)
    labels = tmp_path / "train-labels-idx1-ubyte"
    labels.write_bytes(idx_bytes(torch.ones(TRAIN)))
    os.utime(labels, ns=(1, 1))
    after = mnist(root=tmp_path, download=False)
    assert len(set(before.train.labels.tolist())) == 10
    assert set(after.train.labels.tolist()) == {1}


@pytest.mark.parametrize("split", EMNIST_SPLITS)
def test_emnist_is_upright_and_counts_its_classes_from_zero(tmp_path: Path, split: str) -> None:
    parts = (f"emnist-{split}-train", f"emnist-{split}-test")
    first = 1 if split == "letters" else 0
    count = len(EMNIST_SPLITS[split])
    write_idx(tmp_path / "EMNIST" / "raw", parts=parts, classes=count, first_label=first)
    data = emnist(root=tmp_path, download=False, split=split)
    assert data.train.pixels.shape == (TRAIN, 1, 4, 5)
    assert data.train.pixels[3, 0, 1, 2] == 3 + 20 + 1  # the file's row 2, column 1
    assert data.train.labels.tolist() == [n % count for n in range(TRAIN)]
    assert data.num_classes == count


def test_emnist_has_the_published_numbers_of_classes() -> None:
    sizes = {split: len(classes) for split, classes in EMNIST_SPLITS.items()}
    assert sizes == {
        "balanced": 47, "bymerge": 47, "byclass": 62, "letters": 26, "digits": 10, "mnist": 10,
    }  # fmt: skip


def test_an_unknown_emnist_split_is_refused_with_the_nearest_name(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"data\.split 'balance'.*Did you mean 'balanced'"):
        emnist(root=tmp_path, download=False, split="balance")


@pytest.mark.parametrize("load", [mnist, fashion_mnist, kmnist])
def test_an_empty_folder_is_told_with_what_to_do(tmp_path: Path, load: type) -> None:
    with pytest.raises(UserError) as caught:
        load(root=tmp_path / "nowhere", download=False)
    line = str(caught.value)
    assert "\n" not in line
    for part in (str(tmp_path / "nowhere"), "data.root", "data.download=true", "data=digits"):
        assert part in line


def test_a_missing_test_file_is_told_before_any_training(tmp_path: Path) -> None:
    write_idx(tmp_path)
    (tmp_path / "t10k-labels-idx1-ubyte").unlink()
    with pytest.raises(UserError, match="t10k-labels-idx1-ubyte not found"):
        mnist(root=tmp_path, download=False)


@pytest.mark.parametrize("part", ["train", "t10k"])
@pytest.mark.parametrize("name", ["images-idx3-ubyte", "labels-idx1-ubyte"])
@pytest.mark.parametrize("kept", [0, 3, 10, -1])
def test_a_truncated_file_is_named_before_any_training(
    tmp_path: Path, part: str, name: str, kept: int
) -> None:
    write_idx(tmp_path)
    file = tmp_path / f"{part}-{name}"
    file.write_bytes(file.read_bytes()[:kept])
    with pytest.raises(UserError, match=str(file)):
        mnist(root=tmp_path, download=False)


def test_a_truncated_gzipped_file_is_named(tmp_path: Path) -> None:
    write_idx(tmp_path, gzipped=True)
    for name, cut in (("train-images-idx3-ubyte.gz", 40), ("train-labels-idx1-ubyte.gz", 5)):
        file = tmp_path / name
        whole = file.read_bytes()
        file.write_bytes(whole[:cut])
        with pytest.raises(UserError, match=f"{file} is damaged"):
            mnist(root=tmp_path, download=False)
        file.write_bytes(whole)


def test_a_gzipped_file_with_flipped_bytes_is_named(tmp_path: Path) -> None:
    write_idx(tmp_path, gzipped=True)
    file = tmp_path / "train-images-idx3-ubyte.gz"
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 0xFF
    file.write_bytes(data)
    with pytest.raises(UserError, match=f"{file}"):
        mnist(root=tmp_path, download=False)


def test_a_file_of_something_else_is_named(tmp_path: Path) -> None:
    write_idx(tmp_path)
    file = tmp_path / "train-images-idx3-ubyte"
    file.write_bytes(b"<!DOCTYPE html> not found")
    with pytest.raises(UserError, match=f"{file} does not start.*3c 21 44 4f"):
        mnist(root=tmp_path, download=False)


def test_labels_that_do_not_fit_the_images_are_named(tmp_path: Path) -> None:
    write_idx(tmp_path)
    file = tmp_path / "train-labels-idx1-ubyte"
    file.write_bytes(idx_bytes(torch.zeros(TRAIN - 1)))
    with pytest.raises(UserError, match=f"{file} holds 39 labels.*40 images"):
        mnist(root=tmp_path, download=False)
    file.write_bytes(idx_bytes(torch.full((TRAIN,), 10)))
    with pytest.raises(UserError, match=f"{file} holds labels 10 to 10; allowed is 0 to 9"):
        mnist(root=tmp_path, download=False)


def test_files_without_a_single_image_are_refused(tmp_path: Path) -> None:
    write_idx(tmp_path)
    (tmp_path / "train-images-idx3-ubyte").write_bytes(idx_bytes(torch.zeros(0, 5, 4)))
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(idx_bytes(torch.zeros(0)))
    with pytest.raises(UserError, match="holds no images"):
        mnist(root=tmp_path, download=False)


@pytest.mark.parametrize("gzipped", [False, True])
@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("labels-idx1-ubyte", idx_bytes(torch.full((TEST,), 77)), "holds labels 77 to 77"),
        ("labels-idx1-ubyte", idx_bytes(torch.zeros(TEST - 1)), f"holds {TEST - 1} labels"),
        ("images-idx3-ubyte", idx_bytes(torch.zeros(TEST, 6, 4)), "holds images of 6×4"),
        ("images-idx3-ubyte", b"damaged", "damaged|does not start"),
    ],
)
def test_test_files_that_cannot_be_used_are_named_before_any_training(
    name: str, content: bytes, said: str, gzipped: bool, tmp_path: Path
) -> None:
    write_idx(tmp_path, gzipped=gzipped)
    file = tmp_path / f"t10k-{name}{'.gz' if gzipped else ''}"
    is_whole = gzipped and content != b"damaged"
    file.write_bytes(gzip.compress(content) if is_whole else content)
    with pytest.raises(UserError, match=rf"{file}.*({said})"):
        mnist(root=tmp_path, download=False)


def test_a_root_that_is_no_path_is_refused() -> None:
    with pytest.raises(UserError, match=r"data\.root=None"):
        mnist(root=None, download=False)  # type: ignore[arg-type]
