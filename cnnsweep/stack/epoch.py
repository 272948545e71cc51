"""What is computed in an epoch of several runs: the passes over both splits."""

from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from functools import partial

import torch
from torch import Tensor

from cnnsweep.data.batches import Batches
from cnnsweep.models.views import AveragedViews
from cnnsweep.stack.images import FoldedImages
from cnnsweep.stack.losses import per_run
from cnnsweep.stack.network import StackedNetwork
from cnnsweep.stack.update import Plan, Update
from cnnsweep.training.epoch import EpochMetrics
from cnnsweep.training.graph.epoch import warm_ups_of
from cnnsweep.training.graph.steps import CapturedSteps, Graph
from cnnsweep.training.trainer import Trainer

_MOST_IMAGES = 16_384  # of all runs that are evaluated at once

MakeGraph = Callable[[torch.device, Sequence[torch.Generator]], Graph]
"""Makes a graph for a device, whose step draws from these generators."""


class Stack:
    """K runs' network, optimizer and sums, made like those of the run ``one``.

    A step reads and writes tensors that stay where they are, waits for no result, and draws from
    the generators of `StackedNetwork`.
    """

    def __init__(
        self,
        one: Trainer,
        train: Sequence[Batches],
        size: int,
        make_graph: MakeGraph | None = None,
    ) -> None:
        """For up to ``size`` runs; with ``make_graph`` steps are captured, see `CapturedSteps`."""
        first, self._size = train[0], size
        self.network = StackedNetwork(one.model, self._size, first.is_channels_last)
        self.update = Update(self.network, len(first))
        self._losses = per_run(one.loss, self._size)  # type: ignore[arg-type]
        self._cast = one.cast
        self._images = FoldedImages(train, self._size)
        self._sums = Sums(self._size, self.network.device)
        self._captured: dict[int, CapturedSteps] = {}
        if make_graph is not None:
            make = partial(make_graph, self.network.device, self.network.generators)
            self._captured = {
                count: CapturedSteps(
                    partial(self._step, count),
                    self.network.device,
                    warm_ups=warm_ups,
                    make_graph=make,
                    fixed=self.update.switches,
                )
                for count, warm_ups in warm_ups_of(first.images, first.batch_size).items()
            }

    def gathers_from(self, split: Batches) -> bool:
        """Whether the images of ``split`` are in the memory that the stack gathers from."""
        return self._images.first.shares_pixels(split)

    def release(self) -> None:
        """Give back the memory of captured steps."""
        for steps in self._captured.values():
            steps.release()

    def train(
        self, trainers: Sequence[Trainer], train: Sequence[Batches], plan: Plan
    ) -> list[EpochMetrics]:
        """Train each run for an epoch, drawing what it would draw alone."""
        orders = []
        for trainer, generator, split in zip(
            trainers, self.network.generators, train, strict=False
        ):
            generator.manual_seed(trainer.epoch_seed)
            orders.append(split.draw_order(generator))
        self._images.begin(train, orders)
        self.update.begin(plan)
        self._sums.begin()
        self.network.module.train()
        for steps in self._captured.values():
            steps.settle()
        for count in counts(train[0].images, train[0].batch_size):
            if self._captured:
                self._captured[count].run()
            else:
                self._step(count)
        return self._sums.read(len(trainers), train[0].images)

    def _step(self, count: int) -> None:
        """Train each run with its next ``count`` images."""
        images, labels = self._images.next(count, self.network.generators)
        with self._cast:
            logits = self.network.module(images.to(self.network.weights.dtype))
            losses = self._losses(logits, labels)  # (K)
        self.update(self.network.gradients(losses))
        self._sums.add(losses.detach(), logits.detach(), labels)

    @torch.no_grad()
    def validate(self, one: Trainer, val: Sequence[Batches]) -> list[EpochMetrics]:
        """Evaluate each run on its validation split."""
        answers = self.network.module
        if isinstance(one.answers, AveragedViews):
            answers = _with_views(one.answers, answers)
        answers.eval()
        images = FoldedImages(val, self._size)
        images.begin(val, None)
        sums: Sums | None = None
        most = min(val[0].batch_size, max(1, _MOST_IMAGES // self._size))
        for count in counts(val[0].images, most):
            x, labels = images.next(count, None)
            with self._cast:
                logits = answers(x.to(self.network.weights.dtype))
                losses = self._losses(logits, labels)
            sums = sums or Sums(self._size, self.network.device, logits.shape[1])
            sums.add(losses, logits, labels)
        assert sums is not None
        return sums.read(len(val), val[0].images)


def _with_views(views: AveragedViews, network: torch.nn.Module) -> AveragedViews:
    """The same views of another network's images."""
    return deepcopy(views, {id(views.network): network})


def counts(images: int, batch_size: int) -> Iterator[int]:
    """The number of images of each batch; the last may have fewer."""
    for start in range(0, images, batch_size):
        yield min(batch_size, images - start)


class Sums:
    """Sums over an epoch's images, for each of K runs; read once, at its end.

    With ``classes``, right answers and images of each class are counted too.
    """

    def __init__(self, size: int, device: torch.device, classes: int = 0) -> None:
        self._size, self._classes = size, classes
        self._loss = torch.zeros(size, device=device)
        self._right = torch.zeros(size, dtype=torch.int64, device=device)
        shape = (2, size * classes)
        self._by_class = torch.zeros(shape, dtype=torch.int64, device=device)
        self._first_class = torch.arange(size, device=device) * classes

    def begin(self) -> None:
        for sums in (self._loss, self._right, self._by_class):
            sums.zero_()

    def add(self, losses: Tensor, logits: Tensor, labels: Tensor) -> None:
        """Mean losses (K), logits (N·K, classes) and labels (N, K) of a batch."""
        hits = logits.argmax(dim=1).view(labels.shape) == labels  # (N, K)
        self._loss.add_(losses, alpha=len(labels))
        self._right.add_(hits.sum(dim=0))
        if self._classes > 0:
            places = (labels + self._first_class).flatten()
            both = torch.stack([hits, torch.ones_like(hits)]).flatten(1).long()
            self._by_class.index_add_(1, places, both)

    def read(self, runs: int, images: int) -> list[EpochMetrics]:
        """The metrics of the first ``runs`` of them, which waits for the device; 0 seconds."""
        losses, right = self._loss.tolist(), self._right.tolist()
        by_class = self._by_class.view(2, self._size, self._classes).transpose(0, 1).tolist()
        return [
            EpochMetrics(losses[k] / images, right[k] / images, images, 0.0, *by_class[k])
            for k in range(runs)
        ]
