"""Any classification model of torchvision, for our images and classes."""

import logging
import re
from pathlib import Path

from torch import Tensor, nn

from cnnsweep import checkpoint_file
from cnnsweep.errors import UserError, and_more, unknown
from cnnsweep.models.inspect import last_layer_name
from cnnsweep.rules import whole
from cnnsweep.torchvision_import import torchvision

log = logging.getLogger(__name__)

# By default these two return a tuple with auxiliary logits while training, and warn that the
# initialisation of weights will change.
AUXILIARY = {
    name: {"aux_logits": False, "init_weights": True} for name in ("googlenet", "inception_v3")
}
AUXILIARY_WEIGHTS = ("aux1.", "aux2.", "AuxLogits.")


class TorchvisionModel(nn.Module):
    """A torchvision model by ``name``, its last layer made for ``num_classes``.

    ``weights`` is null or a file with a state dict, such as one that torchvision publishes; a last
    layer for another number of classes is left out of it. ``resize`` is null or the length to
    which the images' shorter side is brought: many of these models refuse small images.
    """

    def __init__(
        self,
        *,
        in_channels: int,
        image_size: tuple[int, int],
        num_classes: int,
        name: str,
        weights: str | None,
        resize: int | None,
    ) -> None:
        super().__init__()
        if in_channels not in (1, 3):
            raise UserError(
                f"images of {in_channels} channels: torchvision's models allow 1 or 3 channels"
            )
        models = torchvision().models
        names = models.list_models(module=models)
        if name not in names:
            raise unknown("model.name", str(name), names)
        self.resize = nn.Identity() if resize is None else enlargement(image_size, resize)
        self.network: nn.Module = models.get_model(
            name, weights=None, num_classes=num_classes, **AUXILIARY.get(name, {})
        )
        if weights is not None:
            load_published(self.network, name, weights)

    def forward(self, images: Tensor) -> Tensor:
        """Images (N, 1 or 3, H, W) -> logits (N, num_classes)."""
        colour = images.expand(-1, 3, -1, -1)  # (N, 3, H, W)
        logits: Tensor = self.network(self.resize(colour))  # (N, num_classes)
        return logits


def enlargement(image_size: tuple[int, int], resize: int) -> nn.Module:
    """(N, C, H, W) -> (N, C, H', W') whose shorter side is ``resize``, sides in proportion."""
    scale = whole("model.resize", 1).check(resize) / min(image_size)
    height, width = (round(side * scale) for side in image_size)
    return nn.Upsample(size=(height, width), mode="bilinear")


def load_published(network: nn.Module, name: str, weights: str) -> None:
    """Load a file of weights, except auxiliary heads and a last layer for other classes.

    Raises:
        UserError: the file is missing, holds pickled code or something else than tensors, lacks
            weights, or has some of another shape or name.
    """
    content = checkpoint_file.read(Path(weights).expanduser(), "cpu", "model.weights")
    if not all(isinstance(tensor, Tensor) for tensor in content.values()):
        raise UserError(
            f"model.weights={weights} holds no state dict: allowed are names with their tensors"
        )
    state = {
        # Densenet's published files date from before torchvision renamed these layers.
        re.sub(r"(denselayer\d+\.(?:norm|conv))\.(\d\.)", r"\1\2", key): tensor
        for key, tensor in content.items()
        if not key.startswith(AUXILIARY_WEIGHTS)
    }
    own = network.state_dict()
    last = last_layer_name(network) + "."
    other = [key for key in state if key in own and state[key].shape != own[key].shape]
    if any(key.startswith(last) for key in other):
        log.info("model.weights: the last layer is for other classes and starts afresh")
        state = {key: tensor for key, tensor in state.items() if not key.startswith(last)}
    misfits = [
        f"{key} is {tuple(state[key].shape)}, needed is {tuple(own[key].shape)}"
        for key in other
        if not key.startswith(last)
    ]
    misfits += [f"{key} is not part of the model" for key in state if key not in own]
    misfits += [
        f"{key} is missing"
        for key in own
        # Files from before batch norm counted its batches lack the count, and only that.
        if key not in state and not key.startswith(last) and not key.endswith("batches_tracked")
    ]
    if misfits:
        raise UserError(
            f"model.weights={weights} does not fit model.name={name}: "
            f"{and_more(misfits, 3, between='; ')}"
        )
    network.load_state_dict(state, strict=False)
