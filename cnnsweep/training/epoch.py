"""One pass over a split, for training, validation and test alike."""

from collections.abc import Callable, Iterable, Sized
from contextlib import AbstractContextManager
from time import perf_counter
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor, nn

from cnnsweep.metric_names import balanced_accuracy


class Split(Sized, Iterable[tuple[Tensor, Tensor]], Protocol):
    """Batches of float images (N, C, H, W) and int64 labels (N); ``images`` counts them all."""

    images: int


class EpochMetrics(NamedTuple):
    """What one pass measured: mean loss per image, accuracy in 0..1, images, seconds.

    ``right`` and ``images_by_class`` count, for each class, the images that the network got right,
    and all of them; both are empty after a pass that trains.
    """

    loss: float
    accuracy: float
    images: int
    seconds: float
    right: list[int]
    images_by_class: list[int]

    @property
    def balanced_accuracy(self) -> float:
        """The mean over classes of the share that is right; not of a pass that trains."""
        return balanced_accuracy(self.right, self.images_by_class)


OnBatch = Callable[[int, Tensor, Tensor], None]


def run_epoch(
    model: nn.Module,
    split: Split,
    loss: Callable[[Tensor, Tensor], Tensor],
    cast: AbstractContextManager[Any],
    step: Callable[[Tensor], None] | None = None,
    on_batch: OnBatch | None = None,
    keep_logits: list[Tensor] | None = None,
) -> EpochMetrics:
    """Go over a split once; ``step``, if given, gets each batch's loss and moves the weights.

    The metrics are summed on the device and read once, at the end. ``on_batch`` gets the images
    done and the two running sums as tensors (reading them makes a GPU wait). ``keep_logits``
    collects each batch's logits (N, classes), in float32.
    """
    started = perf_counter()
    done = 0
    loss_sum = right = torch.zeros(())
    by_class = torch.zeros((2, 0), dtype=torch.int64)
    with torch.set_grad_enabled(step is not None):
        for images, labels in split:
            with cast:
                logits = model(images)  # (N, classes)
                batch_loss = loss(logits, labels)
            if step is not None:
                step(batch_loss)
            if done == 0:
                # Made on the device: copying them to a GPU would wait for its queued work.
                loss_sum = torch.zeros((), device=labels.device)
                right = torch.zeros((), dtype=torch.int64, device=labels.device)
                by_class = torch.zeros(
                    (2, 0 if step else logits.shape[1]), dtype=torch.int64, device=labels.device
                )
            done += len(labels)
            hits = logits.detach().argmax(dim=1) == labels
            # In place takes half as long as new tensors, which shows on the smallest networks.
            loss_sum.add_(batch_loss.detach(), alpha=len(labels))
            right.add_(torch.count_nonzero(hits))
            if step is None:
                by_class.index_add_(1, labels, torch.stack([hits, torch.ones_like(hits)]).long())
            if on_batch is not None:
                on_batch(done, loss_sum, right)
            if keep_logits is not None:
                keep_logits.append(logits.detach().float())
    loss_mean, accuracy = loss_sum.item() / done, right.item() / done
    return EpochMetrics(loss_mean, accuracy, done, perf_counter() - started, *by_class.tolist())
