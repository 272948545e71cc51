"""The recipes' configs on a slice of the real images; the full results stand in docs/recipes.md."""

from pathlib import Path

import pytest

from cnnsweep.config import CONF_DIR
from tests.command import REAL_DATA, cnnsweep, needs_real_data, succeeded
from tests.run_files import metrics, result

PARAMETERS = {
    "fashion_fast": 45_666,
    "fashion_lenet": 61_706,
    "mnist_adam": 3_241_354,
    "mnist_fast": 33_914,
    "mnist_inception": 97_298,
    "mnist_resnet": 41_514,
    "mnist_simple": 421_642,
    "mnist_simple_5x5": 8_490,
}


@needs_real_data
@pytest.mark.parametrize("experiment", ["mnist_resnet", "fashion_lenet", "mnist_fast"])
def test_a_recipe_trains_on_real_images_from_one_command(experiment: str, tmp_path: Path) -> None:
    command = [f"experiment={experiment}", f"data.root={REAL_DATA}", "hydra.run.dir=run"]
    succeeded(cnnsweep(*command, "data.train_limit=3000", "epochs=2", cwd=tmp_path))
    found = result(tmp_path / "run")
    assert found["parameters"] == PARAMETERS[experiment]
    assert found["best_epoch"] == 2
    rows = metrics(tmp_path / "run")
    assert float(rows[1]["train_loss"]) < float(rows[0]["train_loss"])


def test_every_recipe_has_a_config() -> None:
    names = {path.stem for path in (CONF_DIR / "experiment").glob("*.yaml")}
    assert names == {*PARAMETERS, "mnist_densenet"}
