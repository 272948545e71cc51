"""Processes that time steps: what they find, what they refuse, and that they end."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf
from PIL import Image

from cnnsweep.config import CONF_DIR
from cnnsweep.data.image_folder import sketched
from cnnsweep.errors import UserError
from cnnsweep.sweep.estimate.timing.measure import measure
from cnnsweep.sweep.machine.gpus import Gpu

SMALL = ("data.train_limit=200", "threads=1", "pictures=false", "device=cpu")


def config(*words: str) -> dict[str, Any]:
    """A resolved config of a run."""
    with initialize_config_dir(str(CONF_DIR)):
        plain: Any = OmegaConf.to_container(compose("config", list(words)), resolve=True)
    return dict(plain)


def test_runs_are_timed_side_by_side_and_one_that_cannot_begin_is_named() -> None:
    small, large = config(*SMALL), config(*SMALL, "data.batch_size=256")
    found = measure([small], [small, large], [Gpu(), Gpu()], {})
    cost, none = found.costs
    assert cost is not None
    assert cost.begin > 0
    assert cost.epoch > 0
    # A weight and its gradient's mean: the default network has 421,642 weights of four bytes.
    assert 4 * 421_642 < cost.best < 4 * 421_642 + 20_000
    assert 8 * 421_642 < cost.last < 8 * 421_642 + 40_000
    assert found.start > 0
    assert found.processes == 2
    assert 0 < found.share <= 1
    assert found.validated == 20
    assert none is None
    assert found.unfit == ["data.batch_size=256: allowed is 1 to 180, the number of images in the "
                           "training split."]  # fmt: skip


def test_data_that_are_not_there_are_refused_and_never_downloaded(tmp_path: Path) -> None:
    missing = config(*SMALL, "data=mnist", f"data.root={tmp_path}")
    with pytest.raises(UserError, match="not found below data"):
        measure([missing], [], [Gpu()], {})
    missing["data"]["download"] = True
    found = measure([missing], [missing], [Gpu()], {})
    assert found.note == f"data=mnist: a run would download its files to data.root={tmp_path}"
    assert found.costs == []
    assert list(tmp_path.iterdir()) == []


def test_of_a_folder_of_pictures_a_few_are_opened_and_all_counted(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        for number in range(6):
            pixels = draw.integers(0, 256, (9, 9, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / name / f"{number}.png")
    (tmp_path / "cat" / "1.png").write_bytes(b"no picture")
    dataset, share = sketched(root=tmp_path, image_size=8, channels=3, most=3)
    assert dataset.train.pixels.shape == (10, 3, 8, 8)
    assert dataset.train.by_class(2) == [5, 5]
    assert dataset.classes == ("cat", "dog")
    assert dataset.contents is not None
    assert dataset.contents.test == len(dataset.test()) == 2
    assert 0 < share <= 3 / 12
    (tmp_path / "cat").rename(tmp_path / "dog" / "cat")
    with pytest.raises(UserError, match="must hold two folders"):
        sketched(root=tmp_path, image_size=8, channels=3, most=3)
