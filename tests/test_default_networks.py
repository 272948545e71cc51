"""Every network learns with the defaults; the historical one is stated in full by its recipe."""

from pathlib import Path

import pytest
import yaml
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from cnnsweep.config import CONF_DIR
from tests.command import cnnsweep, succeeded
from tests.run_files import result

# Every key but the last two: the network is these, whatever conf/model/lenet.yaml says by then.
HISTORICAL = {
    "channels": [6, 16],
    "kernel_size": 5,
    "hidden": [120, 84],
    "activation": "sigmoid",
    "pooling": "avg",
    "norm": "none",
    "dropout": 0.0,
    "init": "xavier",
}


@pytest.mark.parametrize(
    "model",
    [
        "lenet",
        *(
            pytest.param(other, marks=pytest.mark.slow)
            for other in ("simple", "inception", "resnet", "densenet")
        ),
    ],
)
def test_the_defaults_reach_95_percent_on_the_digits(model: str, tmp_path: Path) -> None:
    words = (f"model={model}", "threads=1", "pictures=false", "hydra.run.dir=run")
    succeeded(cnnsweep(*words, cwd=tmp_path))
    found = result(tmp_path / "run")
    assert found["test_accuracy"] >= 0.95
    assert found["learned"] is True


def test_the_recipe_states_the_historical_network_in_full() -> None:
    own = yaml.safe_load((CONF_DIR / "experiment" / "fashion_lenet.yaml").read_text())
    assert own["model"] == HISTORICAL
    with initialize_config_dir(str(CONF_DIR)):
        config = compose("config", ["experiment=fashion_lenet"])
    model = OmegaConf.to_container(config.model)
    assert isinstance(model, dict)
    assert model.keys() - HISTORICAL.keys() == {"_target_", "layout"}
    assert (config.optim.lr, config.optim.momentum) == (0.9, 0)
