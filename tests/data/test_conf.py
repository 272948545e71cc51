from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from omegaconf import OmegaConf
from torch import nn

from cnnsweep.config import CONF_DIR
from cnnsweep.config.allowed_targets import allowed_targets
from cnnsweep.data.batches import Batches
from cnnsweep.data.dataset import Dataset
from tests.data.made_files import write_cifar10, write_idx, write_png_folders, write_svhn

# What run.py takes out of the group before it calls the target.
PIPELINE = ("batch_size", "eval_batch_size", "val_fraction", "train_limit", "mean", "std")
DATA = sorted(path.stem for path in (CONF_DIR / "data").rglob("*.yaml"))
AUGMENT = sorted(path.stem for path in (CONF_DIR / "augment").rglob("*.yaml"))


def composed(group: str, name: str) -> dict[str, Any]:
    with initialize_config_dir(str(CONF_DIR)):
        config = OmegaConf.to_container(compose(f"{group}/{name}"), resolve=True)
    assert isinstance(config, dict)
    return dict(config[group])


def made(config: dict[str, Any]) -> Any:
    return instantiate(config, _execution_whitelist_=list(allowed_targets()))


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One folder that holds every data set that needs files, each in its own place."""
    for folder in ("MNIST", "FashionMNIST", "KMNIST"):
        write_idx(tmp_path / folder / "raw")
    write_idx(tmp_path / "EMNIST" / "raw", parts=("emnist-balanced-train", "emnist-balanced-test"))
    write_cifar10(tmp_path, monkeypatch)
    write_svhn(tmp_path / "SVHN", monkeypatch)
    for part in ("train", "test"):
        write_png_folders(tmp_path / part, {"cat": 2, "dog": 2})
    return tmp_path


def test_every_data_set_of_the_contract_has_its_config() -> None:
    assert DATA == [
        "cifar10", "digits", "emnist", "fashion_mnist", "image_folder", "kmnist", "mnist", "svhn",
    ]  # fmt: skip
    assert AUGMENT == ["light", "none"]


@pytest.mark.parametrize("name", DATA)
def test_every_data_config_makes_its_data_set(name: str, root: Path) -> None:
    config = composed("data", name)
    pipeline = {key: config.pop(key) for key in PIPELINE}
    if "root" in config:
        config["root"] = str(root)
    data = made(config)
    assert isinstance(data, Dataset)
    assert data.name == (name if name != "image_folder" else root.name)
    assert len(data.test()) > 0
    batches = Batches(
        data.train,
        batch_size=2,
        mean=pipeline["mean"],
        std=pipeline["std"],
        shuffle=True,
        layout="contiguous",
        augment=None,
    )
    x, _ = next(iter(batches))
    assert x.shape == (2, data.in_channels, *data.image_size)


@pytest.mark.parametrize(("group", "name"), [("data", n) for n in DATA])
def test_every_data_config_holds_the_keys_of_the_pipeline(group: str, name: str) -> None:
    config = composed(group, name)
    assert set(PIPELINE) <= set(config)
    assert (config["val_fraction"], config["train_limit"]) == (0.1, None)


@pytest.mark.parametrize(
    ("group", "name"), [("data", n) for n in DATA] + [("augment", n) for n in AUGMENT]
)
def test_every_config_starts_with_when_to_choose_it(group: str, name: str) -> None:
    assert (CONF_DIR / group / f"{name}.yaml").read_text().startswith("# ")


def test_light_augmentation_makes_a_module_and_none_has_no_target() -> None:
    assert isinstance(made(composed("augment", "light")), nn.Module)
    assert composed("augment", "none") == {"_target_": None}
