"""Which networks are trained in the forms for CPUs."""

import hydra
import pytest
import torch
from hydra.utils import execution_whitelist

from cnnsweep.config import CONF_DIR
from cnnsweep.config.allowed_targets import allowed_targets
from cnnsweep.models.cpu_forms import Conv2d
from cnnsweep.session import build


@pytest.mark.parametrize(
    ("typed", "precision", "is_fast"),
    [
        ("model.layout=channels_last", "float32", True),
        ("model.layout=contiguous", "float32", False),
        ("model.layout=channels_last", "bfloat16", False),
        ("compile=true", "float32", False),
    ],
)
def test_forms_for_cpus_are_for_channels_last_float32_without_compiler(
    typed: str, precision: str, is_fast: bool
) -> None:
    with (
        hydra.initialize_config_dir(str(CONF_DIR)),
        execution_whitelist(allowed_targets()),
    ):
        config = hydra.compose("config", ["model=lenet", typed])
        dataset = build.make_dataset(config)
        model = build.make_model(config, dataset, starts_anew=True)
        train = build.make_batches(config, dataset.train, torch.device("cpu"), is_training=True)
        loss = build.make_loss(config, dataset.train, dataset.classes)
        build.make_trainer(config, model, loss, train, None, torch.device("cpu"), precision)
    stages = [module for module in model.modules() if isinstance(module, Conv2d)]
    assert [module.bias_apart for module in stages] == [is_fast, is_fast]
