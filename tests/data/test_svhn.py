from pathlib import Path

import pytest

from cnnsweep.data.svhn import svhn
from cnnsweep.errors import UserError
from tests.data.made_files import TEST, TRAIN, write_svhn


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with small files, whose MD5s torchvision takes for the published ones."""
    write_svhn(tmp_path / "SVHN", monkeypatch)
    return tmp_path


def test_svhn_is_decoded_with_zero_as_class_zero(root: Path) -> None:
    data = svhn(root=root, download=False)
    assert data.train.pixels.shape == (TRAIN, 3, 32, 32)
    assert data.train.pixels.is_contiguous()
    assert data.train.labels.tolist() == [n % 10 for n in range(TRAIN)]
    assert data.train.pixels[:, 0, 5, 5].tolist() == data.train.labels.tolist()
    assert data.test().pixels.shape == (TEST, 3, 32, 32)


def test_svhn_is_found_from_its_inner_folder_without_a_network(root: Path) -> None:
    assert svhn(root=root / "SVHN", download=True) is svhn(root=root, download=True)


def test_a_missing_file_is_told_with_what_to_do(root: Path) -> None:
    (root / "SVHN" / "test_32x32.mat").unlink()
    with pytest.raises(UserError, match=r"test_32x32\.mat not found.*data\.root.*data=digits"):
        svhn(root=root, download=False)


@pytest.mark.parametrize("part", ["train", "test"])
def test_a_truncated_file_is_named(root: Path, part: str) -> None:
    file = root / "SVHN" / f"{part}_32x32.mat"
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(UserError, match=f"{file} is truncated or damaged"):
        svhn(root=root, download=False)
