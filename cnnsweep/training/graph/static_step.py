"""One step of training by tensors that stay where they are, so that it can be captured."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from cnnsweep.training.graph.optimizer import GraphedOptimizer
from cnnsweep.training.optimizer_step import OptimizerStep


class DrawnSplit(Protocol):
    """Images on the device, drawn by index, as :class:`cnnsweep.data.batches.Batches` is."""

    images: int
    batch_size: int

    def draw_order(self) -> Tensor:
        """An order of all images (int64), drawn as an iteration draws it."""

    def at(self, index: Tensor) -> tuple[Tensor, Tensor]:
        """The batch of the images with these numbers (int64), augmented anew."""


class StaticStep:
    """Gathers a batch, trains on it, sums its figures: once more at each call of :meth:`of_size`'s.

    ``loss_sum`` and ``right`` are the sums of the epoch so far, tensors on the device.
    """

    def __init__(
        self,
        *,
        model: nn.Module,
        split: DrawnSplit,
        loss: Callable[[Tensor, Tensor], Tensor],
        cast: AbstractContextManager[Any],
        step: OptimizerStep,
        device: torch.device,
    ) -> None:
        self.split = split
        self.step = step
        self.device = device
        self.optimizer = GraphedOptimizer(step.optimizer, device)
        self._model = model
        self._loss = loss
        self._cast = cast
        self._order = torch.zeros(split.images, dtype=torch.int64, device=device)
        self._position = torch.zeros((), dtype=torch.int64, device=device)
        self.loss_sum = torch.zeros((), device=device)
        self.right = torch.zeros((), dtype=torch.int64, device=device)

    def begin(self) -> None:
        """Draw the order of an epoch, and go to its beginning."""
        self._order.copy_(self.split.draw_order())
        for tensor in (self._position, self.loss_sum, self.right):
            tensor.zero_()
        self.optimizer.bring_counters()

    def of_size(self, size: int) -> Callable[[], None]:
        """A function that trains on the next ``size`` images of the epoch."""
        return partial(self._train, torch.arange(size, device=self.device))

    def fixed(self) -> list[Any]:
        """What a captured step has fixed: numbers, modes, and where tensors are in memory."""
        modes = [module.training for module in self._model.modules()]
        buffers = [buffer.data_ptr() for buffer in self._model.buffers()]
        return [self.optimizer.numbers(), self.optimizer.places(), modes, buffers]

    def _train(self, places: Tensor) -> None:
        # There are none, but after a capture that failed.
        self.step.optimizer.zero_grad(set_to_none=True)
        images, labels = self.split.at(self._order.index_select(0, self._position + places))
        with self._cast:
            logits = self._model(images)  # (size, classes)
            loss = self._loss(logits, labels)
        with self.optimizer.on_device():
            self.step.move(loss)
        hits = logits.detach().argmax(dim=1) == labels
        self.loss_sum.add_(loss.detach(), alpha=len(labels))
        self.right.add_(torch.count_nonzero(hits))
        self._position.add_(len(places))
