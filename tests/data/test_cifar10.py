import pickle
from pathlib import Path

import pytest

from cnnsweep.data.cifar10 import cifar10
from cnnsweep.errors import UserError
from tests.data.made_files import write_cifar10


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with small files, whose MD5s torchvision takes for the published ones."""
    write_cifar10(tmp_path / "data", monkeypatch)
    return tmp_path / "data"


def test_cifar10_is_decoded_in_the_order_of_its_files(root: Path) -> None:
    data = cifar10(root=root, download=False)
    assert data.train.pixels.shape == (50, 3, 32, 32)
    assert data.train.pixels.is_contiguous()
    assert data.train.pixels[23, :, 0, 0].tolist() == [3, 2, 2]  # image 3 of the third file
    assert data.train.labels.tolist() == list(range(10)) * 5
    assert data.classes == tuple(f"kind {n}" for n in range(10))
    assert data.test().pixels.shape == (10, 3, 32, 32)
    assert data.test().pixels[7, :, 0, 0].tolist() == [7, 5, 5]


def test_cifar10_is_found_from_its_inner_folder_and_decoded_once(root: Path) -> None:
    data = cifar10(root=root, download=False)
    assert cifar10(root=root / "cifar-10-batches-py", download=False) is data
    root.rename(root.parent / "CIFAR10")
    assert len(cifar10(root=root.parent, download=False).train) == 50


def test_files_that_are_there_need_no_network(root: Path) -> None:
    assert len(cifar10(root=root, download=True).train) == 50


def test_a_missing_file_is_told_with_what_to_do(root: Path) -> None:
    (root / "cifar-10-batches-py" / "data_batch_4").unlink()
    with pytest.raises(
        UserError, match=r"data_batch_4 not found.*data\.download=true.*data=digits"
    ):
        cifar10(root=root, download=False)


@pytest.mark.parametrize("name", ["data_batch_2", "test_batch", "batches.meta"])
def test_a_truncated_file_is_named_and_never_unpickled(root: Path, name: str) -> None:
    file = root / "cifar-10-batches-py" / name
    whole = file.read_bytes()
    for content in (whole[:-1], pickle.dumps(Code(root / "was-run"))):
        file.write_bytes(content)
        with pytest.raises(UserError, match=f"{file} is truncated or damaged"):
            cifar10(root=root, download=False)
    assert not (root / "was-run").exists()


class Code:
    """What runs as it is unpickled."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (self.trace,)
