import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from cnnsweep.data.cifar10 import cifar10
from cnnsweep.data.dataset import Dataset, Images
from cnnsweep.data.mnist import emnist, fashion_mnist, kmnist, mnist
from cnnsweep.data.source_files import KEPT, decoded_once
from cnnsweep.data.svhn import svhn
from cnnsweep.errors import UserError
from tests.data.made_files import labelled


class Decoder:
    """Counts how often it is asked."""

    def __init__(self) -> None:
        self.calls = 0
        self.tests = 0

    def __call__(self) -> Dataset:
        self.calls += 1
        return Dataset("made", ("a",), labelled([3]), self.read_test)

    def read_test(self) -> Images:
        self.tests += 1
        return labelled([2])


def test_the_same_arguments_and_files_are_decoded_once(tmp_path: Path) -> None:
    file, decode = tmp_path / "x", Decoder()
    file.write_bytes(b"1")
    assert decoded_once("a", [file], decode) is decoded_once("a", [file], decode)
    assert decode.calls == 1
    decoded_once("b", [file], decode)
    assert decode.calls == 2


def test_a_changed_file_is_decoded_again(tmp_path: Path) -> None:
    file, decode = tmp_path / "x", Decoder()
    file.write_bytes(b"1")
    decoded_once("a", [file], decode)
    os.utime(file, ns=(1, 1))
    decoded_once("a", [file], decode)
    file.write_bytes(b"22")
    decoded_once("a", [file], decode)
    assert decode.calls == 3


def test_test_images_are_read_when_asked_for_and_once(tmp_path: Path) -> None:
    decode = Decoder()
    data = decoded_once(tmp_path, [], decode)
    assert decode.tests == 0
    assert data.test() is data.test()
    assert decode.tests == 1


def test_old_data_sets_make_room_for_new_ones(tmp_path: Path) -> None:
    decode = Decoder()
    for number in range(KEPT + 1):
        decoded_once((tmp_path, number), [], decode)
    decoded_once((tmp_path, KEPT), [], decode)
    assert decode.calls == KEPT + 1
    decoded_once((tmp_path, 0), [], decode)
    assert decode.calls == KEPT + 2


LOADERS = {
    "mnist": mnist,
    "fashion_mnist": fashion_mnist,
    "kmnist": kmnist,
    "emnist": partial(emnist, split="balanced"),
    "cifar10": cifar10,
    "svhn": svhn,
}


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sends every request to a port that nobody listens on."""
    # urllib keeps the proxies of a process's first request: without this, tests that come later in
    # this process would ask that port too.
    monkeypatch.setattr("urllib.request._opener", None)
    for variable in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")
    for variable in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(variable, raising=False)


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize(("name", "load"), LOADERS.items(), ids=LOADERS.keys())
def test_without_a_network_a_download_says_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, load: Callable[..., Dataset]
) -> None:
    with pytest.raises(UserError) as caught:
        load(root=tmp_path, download=True)
    line = str(caught.value)
    assert line.startswith(f"data={name}: downloading to data.root={tmp_path} failed (")
    assert "data=digits" in line
    assert "\n" not in line
    assert capsys.readouterr().out == ""


def test_a_root_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UserError, match=r"failed \(.*Not a directory"):
        mnist(root=tmp_path / "file" / "data", download=True)
