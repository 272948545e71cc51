"""Networks as the YAMLs of conf/model describe them, and what is known of each."""

from typing import Any, NamedTuple, cast

import torch
from hydra import compose, initialize_config_dir
from hydra.utils import get_class
from omegaconf import OmegaConf
from torch import Tensor, nn

from cnnsweep.config import CONF_DIR

OURS = ("simple", "lenet", "inception", "resnet", "densenet")


class Network(NamedTuple):
    """A YAML of conf/model with changes to it."""

    model: str
    changes: dict[str, Any]


NETWORKS = [Network(model, {}) for model in OURS] + [
    Network("simple", {"channels": [10, 20], "kernel_size": 5, "padding": "valid", "hidden": []}),
    Network("simple", {"norm": "batch", "dropout": 0.5, "activation": "elu", "kernel_size": 5}),
    Network("simple", {"channels": [4, 6, 8], "norm": "local_response", "pooling": "avg"}),
    Network("simple", {"kernel_size": [5, 3], "stride": [3, 2], "pooling": "none", "hidden": []}),
    Network("simple", {"stride": 2, "kernel_size": 2, "padding": "valid", "pooling": "avg"}),
    Network("simple", {"stride": [1, 2], "pooling": ["max", "none"], "norm": "batch"}),
    Network("resnet", {"pooling": "none", "channels": [4, 6]}),
    Network("inception", {"pooling": "none", "channels": [4]}),
    Network("lenet", {"norm": "none", "activation": "tanh", "pooling": "max", "hidden": None}),
    Network("lenet", {"norm": "none", "activation": "sigmoid", "pooling": "avg", "init": "xavier"}),
    Network("inception", {"norm": "batch", "dropout": 0.25, "branch_5x5": [4, 6, 8]}),
    Network("resnet", {"norm": "batch", "blocks": 2, "activation": "leaky_relu", "dropout": 0.1}),
    Network("densenet", {"norm": "none", "dropout": 0.2, "pooling": "max", "stem_pool": False}),
    Network("torchvision", {"name": "resnet18"}),
    Network("torchvision", {"name": "mobilenet_v3_small"}),
]
SHAPES = [(1, 28, 28), (3, 32, 32), (1, 32, 24)]
SMALLEST_SIDES = {"simple": 4, "lenet": 12, "inception": 16, "resnet": 16, "densenet": 8}


def describe(value: object) -> str:
    """A network or a shape as part of a test's name."""
    if isinstance(value, Network):
        return "-".join([value.model, *(f"{key}={v}" for key, v in value.changes.items())])
    return "x".join(map(str, cast(tuple[int, ...], value)))


def options(model: str) -> dict[str, Any]:
    """The YAML of a model as Hydra composes it."""
    with initialize_config_dir(str(CONF_DIR)):
        composed = compose("config", overrides=[f"model={model}"]).model
    return cast(dict[str, Any], OmegaConf.to_container(composed, resolve=True))


COMPOSED = {file.stem: options(file.stem) for file in sorted((CONF_DIR / "model").glob("*.yaml"))}


def build(
    network: Network, shape: tuple[int, int, int] = (1, 28, 28), classes: int = 10, seed: int = 0
) -> nn.Module:
    """The network for images of ``shape`` (channels, height, width)."""
    given = {**COMPOSED[network.model], **network.changes}
    target, _ = given.pop("_target_"), given.pop("layout")
    torch.manual_seed(seed)
    return cast(
        nn.Module,
        get_class(target)(in_channels=shape[0], image_size=shape[1:], num_classes=classes, **given),
    )


def pictures(shape: tuple[int, int, int], images: int = 4) -> Tensor:
    """Random images (images, channels, height, width), the same on every call."""
    return torch.randn(images, *shape, generator=torch.Generator().manual_seed(1))
