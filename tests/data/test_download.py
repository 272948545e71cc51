from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from cnnsweep.data.cifar10 import cifar10
from cnnsweep.data.dataset import Dataset
from cnnsweep.data.mnist import emnist, fashion_mnist, kmnist, mnist
from cnnsweep.data.svhn import svhn
from cnnsweep.errors import UserError

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
