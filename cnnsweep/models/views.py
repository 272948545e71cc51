"""Test-time augmentation: a network that answers for several views of each image."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class AveragedViews(nn.Module):
    """The mean of a network's logits over views of each image, the image itself among them.

    With ``shift`` in ``views``, the views are the image and the four that are moved by one pixel
    (up, down, left, right), the edge being repeated; with ``flip`` each of them and its mirror
    image, left to right. The mean of logits is, for a softmax, the geometric mean of the
    probabilities. It costs as many evaluations of the network as there are views: 5, 2 or 10.
    Weights, state and training are the network's own.
    """

    def __init__(self, network: nn.Module, views: Sequence[str]) -> None:
        super().__init__()
        self.network = network
        self.shifts = "shift" in views
        self.flips = "flip" in views

    def forward(self, images: Tensor) -> Tensor:
        """Images (N, C, H, W) -> mean logits (N, classes)."""
        views = [images]
        if self.shifts:
            views += [moved(images, dim, forward) for dim in (2, 3) for forward in (True, False)]
        if self.flips:
            views += [view.flip(3) for view in views]
        logits: Tensor = self.network(views[0]).float()  # (N, classes); bfloat16 adds too roughly
        for view in views[1:]:
            logits = logits + self.network(view)
        return logits / len(views)


def without_views(model: nn.Module) -> nn.Module:
    """The network itself, of one that answers for several views too."""
    return model.network if isinstance(model, AveragedViews) else model


def moved(images: Tensor, dim: int, forward: bool) -> Tensor:
    """Images of the same shape, one pixel further along ``dim`` or back; the edge is repeated."""
    last = images.shape[dim] - 1
    if forward:
        return torch.cat([images.narrow(dim, 0, 1), images.narrow(dim, 0, last)], dim)
    return torch.cat([images.narrow(dim, 1, last), images.narrow(dim, last, 1)], dim)
