"""Whether the exported file gives the same probabilities as the network."""

import torch
from hydra.utils import execution_whitelist
from torch import Tensor

from cnnsweep.config.allowed_targets import allowed_targets
from cnnsweep.errors import UserError
from cnnsweep.export.formats import Predict
from cnnsweep.session.build import make_dataset
from cnnsweep.task.load_model import LoadedModel

_MOST_IMAGES = 1000
_AT_ONCE = 100
# Other kernels add in another order, which usually differs by 1e-6. Above this it is an error.
_TOLERANCE = 1e-3


def sample(trained: LoadedModel) -> tuple[Tensor, str]:
    """uint8 images (N, C, H, W) and what they are, in words.

    They are spread evenly over the test split, or random where it is not on this machine.
    """
    try:
        pixels = _test_images(trained)
    except UserError as error:
        drawn = torch.Generator().manual_seed(0)
        size = (_AT_ONCE, trained.in_channels, *trained.image_size)
        noise = torch.randint(0, 256, size, dtype=torch.uint8, generator=drawn)
        return noise, f"random images, since {str(error).split('. ')[0]}"
    if len(pixels) <= _MOST_IMAGES:
        return pixels, "test images"
    spread = torch.linspace(0, len(pixels) - 1, _MOST_IMAGES).long()
    return pixels[spread], f"of {len(pixels):,} test images"


def agreement(trained: LoadedModel, predict: Predict, images: Tensor) -> str:
    """The largest difference between probabilities, and how many classes are the same, in words.

    Raises:
        UserError: the largest difference is above the tolerance, or NaN.
    """
    with torch.inference_mode():
        parts = torch.split(images, _AT_ONCE)
        ours = torch.cat([trained.network(part) for part in parts])
        theirs = torch.cat([predict(part) for part in parts])
    difference = float((ours - theirs).abs().max())
    same = int((ours.argmax(dim=1) == theirs.argmax(dim=1)).sum())
    words = f"largest difference {difference:.1e}, same class for {same:,} of {len(images):,}"
    if not difference <= _TOLERANCE:  # NaN included
        raise UserError(f"the exported network is another one ({words}): nothing was written")
    return words


def _test_images(trained: LoadedModel) -> Tensor:
    here = trained.config.copy()
    if "download" in here.data:
        here.data.download = False
    with execution_whitelist(allowed_targets()):
        return make_dataset(here).test().pixels
