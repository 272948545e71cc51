"""A run's network with its best weights, read back from the run folder."""

from collections.abc import Iterable, Mapping, Sequence
from inspect import signature
from pathlib import Path
from typing import Any, NamedTuple, cast

from hydra.utils import execution_whitelist, get_object
from omegaconf import DictConfig, OmegaConf
from torch import Tensor, nn, softmax

from cnnsweep import checkpoint_file
from cnnsweep.config.allowed_targets import allowed_targets, check_targets
from cnnsweep.config.instantiate import refusal
from cnnsweep.data.batches import normalisation
from cnnsweep.errors import UserError, on_one_line
from cnnsweep.folders.missing_checkpoints import why_no_weights
from cnnsweep.folders.recorded_defaults import DEFAULTS
from cnnsweep.folders.run_folder import RunFolder
from cnnsweep.session.build import make_model, with_views

_CONFIG_KEYS = ("seed", "model", "data", "init_from", "freeze")
_CHECKPOINT_KEYS = ("model", "epoch", "in_channels", "image_size", "classes")


class InferenceModel(nn.Module):
    """What surrounds a network in training and evaluation, as part of it.

    ``mean`` and ``std`` are the data set's, for pixels in 0..1: one number or one a channel. The
    network is taken as it is: put it into evaluation mode.
    """

    scale: Tensor
    shift: Tensor

    def __init__(
        self,
        network: nn.Module,
        *,
        mean: float | Sequence[float],
        std: float | Sequence[float],
        in_channels: int,
    ) -> None:
        super().__init__()
        self.network = network
        scale, shift = normalisation(mean, std, in_channels)
        self.register_buffer("scale", scale.view(-1, 1, 1))
        self.register_buffer("shift", shift.view(-1, 1, 1))

    def forward(self, images: Tensor) -> Tensor:
        """uint8 images (N, C, H, W) with pixels 0..255 -> probabilities (N, classes)."""
        logits = self.network(images.float() * self.scale + self.shift)  # (N, classes)
        return softmax(logits, dim=1)


class LoadedModel(NamedTuple):
    """A network on the CPU in evaluation mode, and what is known of it.

    ``image_size`` is height and width; ``epoch`` the one whose weights these are; ``config`` the
    run's resolved config; ``lightness`` the mean of the training images' pixels in 0..1, None where
    an older run did not record it.
    """

    folder: RunFolder
    config: DictConfig
    network: InferenceModel
    in_channels: int
    image_size: tuple[int, int]
    classes: tuple[str, ...]
    epoch: int
    lightness: float | None


class _Sizes(NamedTuple):
    in_channels: int
    image_size: tuple[int, int]
    num_classes: int


def load_model(path: Path) -> LoadedModel:
    """The network of the run folder ``path`` with the weights of its best epoch.

    Raises:
        UserError: the folder holds no run or no weights, its files are damaged or do not fit each
            other, or its config names a target that is not allowed.
    """
    folder = RunFolder(path)
    config = _config(folder)
    if not folder.best.exists():
        raise UserError(why_no_weights(folder))
    best = checkpoint_file.read(folder.best, "cpu")
    _require(folder.best, best, _CHECKPOINT_KEYS)
    height, width = best["image_size"]
    sizes = _Sizes(best["in_channels"], (height, width), len(best["classes"]))
    return LoadedModel(
        folder=folder,
        config=config,
        network=_network(folder, config, sizes, best["model"]),
        in_channels=sizes.in_channels,
        image_size=sizes.image_size,
        classes=tuple(best["classes"]),
        epoch=best["epoch"],
        lightness=best.get("lightness"),
    )


def _config(folder: RunFolder) -> DictConfig:
    plain = folder.read_config()
    if plain is None:
        raise UserError(f"{folder} is no run folder: it has no {folder.config.name}")
    _require(folder.config, plain, _CONFIG_KEYS)
    check_targets(plain)
    config = OmegaConf.create(plain)
    is_own = str(config.model._target_).startswith("cnnsweep.")
    takes = signature(get_object(config.model._target_)).parameters if is_own else {}
    for key, line in DEFAULTS.items():  # what older code did where its record lacks a key
        group, _, name = key.partition(".")
        if not name and key not in config:
            config[key] = line.value
        elif group == "model" and name in takes and name not in config.model:
            config.model[name] = line.value
    if is_own and "weights" in config.model:
        config.model.weights = None  # maybe another machine's file; best.pt has what became of it
    return config


def _network(
    folder: RunFolder, config: DictConfig, sizes: _Sizes, weights: dict[str, Tensor]
) -> InferenceModel:
    try:
        with execution_whitelist(allowed_targets()):
            model = make_model(config, sizes, starts_anew=False)
    except (TypeError, ValueError) as error:  # of a config that was changed, or of other code
        raise refusal("model", config.model._target_, error) from error
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        reason = on_one_line(error)[:200]
        raise UserError(f"{folder.best} does not fit {folder.config.name}: {reason}") from error
    data = cast(dict[str, Any], OmegaConf.to_container(config.data))
    network = InferenceModel(
        with_views(config, model), mean=data["mean"], std=data["std"], in_channels=sizes.in_channels
    )
    return network.eval()


def _require(path: Path, content: Mapping[str, Any], keys: Iterable[str]) -> None:
    missing = [key for key in keys if key not in content]
    if missing:
        raise UserError(f"{path} is not as a run leaves it: it lacks {', '.join(missing)}")
