"""A file is compared with its network before it is written."""

import shutil
from pathlib import Path

import pytest
import torch
import yaml

from cnnsweep.errors import UserError
from cnnsweep.export.verify import agreement, sample
from cnnsweep.task.load_model import load_model


def test_another_network_is_refused(tiny_run: Path) -> None:
    trained = load_model(tiny_run)
    images, words = sample(trained)
    assert words == "test images"
    assert "same class for 359 of 359" in agreement(trained, trained.network, images)
    with pytest.raises(UserError, match=r"is another one .*: nothing was written"):
        agreement(trained, lambda part: trained.network(255 - part), images)
    with pytest.raises(UserError, match="largest difference nan"):
        agreement(trained, lambda part: trained.network(part) * torch.nan, images)


def test_without_the_data_it_is_random_images_and_nothing_is_downloaded(
    tiny_run: Path, tmp_path: Path
) -> None:
    run = Path(shutil.copytree(tiny_run, tmp_path / "run"))
    config = yaml.safe_load((run / "config.yaml").read_text())
    elsewhere = {"_target_": "cnnsweep.data.mnist.mnist", "root": str(tmp_path / "data")}
    config["data"] |= elsewhere | {"download": True}
    (run / "config.yaml").write_text(yaml.safe_dump(config))
    images, words = sample(load_model(run))
    assert images.shape == (100, 1, 28, 28)
    assert words.startswith("random images, since data=mnist: ")
    assert not (tmp_path / "data").exists()
