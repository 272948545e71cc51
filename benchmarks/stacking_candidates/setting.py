"""What all candidates train: the same networks, images, orders and learning rates."""

from contextlib import AbstractContextManager
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from benchmarks.contestants import Case, Sizes, composed, resident
from cnnsweep.session import build
from cnnsweep.training.device import autocast

MOMENTUM = 0.9
LEAST_LR, GREATEST_LR = 0.01, 0.05


class Candidate(Protocol):
    """Networks in training; those of one setting begin with the same weights."""

    def run(self, steps: int) -> int:
        """Train each network about that many steps further; how many it was, the device may lag."""

    def losses(self) -> Tensor:
        """Of each network, the sum of its batches' mean losses so far, (K)."""

    def close(self) -> None:
        """End what is not this process's own."""


@dataclass(frozen=True)
class Setting:
    """``stack`` networks of one architecture, each with its seed, order and learning rate."""

    case: Case
    stack: int

    @property
    def device(self) -> torch.device:
        return torch.device(self.case.device)

    def networks(self) -> list[nn.Module]:
        """New ones on the device, in torch's default layout, in training mode."""
        return [deepcopy(network).to(self.device).train() for network in self._networks]

    def learning_rates(self) -> list[float]:
        """Evenly spread, so that a candidate that mixes networks up is found out."""
        return torch.linspace(LEAST_LR, GREATEST_LR, self.stack + 1)[1:].tolist()

    def feed_of(self, number: int) -> "Feed":
        """Batches of one network, (B, C, H, W)."""
        return self._feed(self._orders[number])

    def feed_of_all(self, *, by_image: bool) -> "Feed":
        """Batches of all networks at once: (B·K, C, H, W) ``by_image``, else (K·B, C, H, W)."""
        order = (1, 2, 0) if by_image else (1, 0, 2)
        return self._feed(self._orders.permute(order).flatten(1))

    def cast(self) -> AbstractContextManager[Any]:
        return autocast(self.device, self.case.precision)

    def _feed(self, order: Tensor) -> "Feed":
        return Feed(*self._images, order.contiguous().to(self.device))

    @cached_property
    def _networks(self) -> list[nn.Module]:
        networks = []
        with composed(self.case, epochs=1) as config:
            for number in range(self.stack):
                config.seed = number
                networks.append(build.make_model(config, Sizes(), starts_anew=True))
        return networks

    @cached_property
    def _images(self) -> tuple[Tensor, Tensor]:
        return resident(replace(self.case, layout="contiguous"))

    @cached_property
    def _orders(self) -> Tensor:
        """Of each network, the images of each step of an epoch, (K, steps, B)."""
        batch = self.case.batch_size
        steps = self.case.images // batch
        seeds = (torch.Generator().manual_seed(number) for number in range(self.stack))
        orders = [torch.randperm(self.case.images, generator=seed) for seed in seeds]
        return torch.stack([order[: steps * batch].view(steps, batch) for order in orders])


class Feed:
    """Batches gathered from resident images; where it is stands on the device, as graphs need."""

    def __init__(self, images: Tensor, labels: Tensor, order: Tensor) -> None:
        """``order`` (steps, B) says which images a step gets; after the last comes the first."""
        self._images, self._labels, self._order = images, labels, order
        self._position = torch.zeros(1, dtype=torch.int64, device=order.device)

    def next(self) -> tuple[Tensor, Tensor]:
        index = self._order.index_select(0, self._position).squeeze(0)
        self._position.add_(1).remainder_(len(self._order))
        return self._images.index_select(0, index), self._labels.index_select(0, index)

    def rewind(self) -> None:
        self._position.zero_()
