"""Batches of several runs at once, gathered from images that they share or don't."""

from collections.abc import Sequence

import torch
from torch import Tensor

from cnnsweep.data.augment import Augmentation
from cnnsweep.data.batches import Batches


class FoldedImages:
    """The images of K runs, folded N-major, one batch after the other.

    ``rows`` and ``labels`` (N, K): which stored image comes n-th to run k, and its label; written
    anew for each epoch. Where all runs gather from one tensor it is one gathering.
    """

    def __init__(self, splits: Sequence[Batches], size: int) -> None:
        first = splits[0]
        self.first = first
        self._pixels = [split.pixels for split in splits]
        self._is_shared = share_pixels(splits)
        self._size = size
        device = first.labels.device
        self.rows = torch.zeros((first.images, size), dtype=torch.int64, device=device)
        self.labels = torch.zeros_like(self.rows)
        self._done = torch.zeros(1, dtype=torch.int64, device=device)
        shape = (-1, 1, 1)
        self._scale, self._shift = first.scale.view(shape), first.shift.view(shape)

    def begin(self, splits: Sequence[Batches], orders: Sequence[Tensor] | None) -> None:
        """Start an epoch; ``orders`` (int64, N) are of each run, None: as they are stored."""
        self._done.zero_()
        for number, split in enumerate(splits):
            order = slice(None) if orders is None else orders[number]
            rows = split.rows
            if rows is None:
                rows = torch.arange(split.images, device=self.rows.device)
            self.rows[:, number].copy_(rows[order])
            self.labels[:, number].copy_(split.labels[order])

    def next(
        self, count: int, generators: Sequence[torch.Generator] | None
    ) -> tuple[Tensor, Tensor]:
        """The next ``count`` images of each run: float32 (count·K, C, H, W), labels (count, K).

        ``generators``, one for each run, draw its augmentation; None: there is none.
        """
        places = self._done + torch.arange(count, device=self._done.device)
        self._done.add_(count)
        x = self._gathered(self.rows.index_select(0, places)).float()
        if self.first.is_channels_last:
            x = x.permute(0, 3, 1, 2).contiguous()  # (count·K, C, H, W)
        if generators is not None and self.first.augment is not None:
            x = self._augmented(x, count, generators)
        return x.mul_(self._scale).add_(self._shift), self.labels.index_select(0, places)

    def _gathered(self, rows: Tensor) -> Tensor:
        """uint8 (count·K, …) of rows (count, K)."""
        if self._is_shared:
            return self._pixels[0].index_select(0, rows.flatten())
        each = [
            pixels.index_select(0, own)
            for pixels, own in zip(self._pixels, rows.unbind(1), strict=True)
        ]
        return torch.stack(each, dim=1).flatten(0, 1)

    def _augmented(self, x: Tensor, count: int, generators: Sequence[torch.Generator]) -> Tensor:
        augment = self.first.augment
        assert isinstance(augment, Augmentation)
        drawn = [augment.draw(count, x.device, generator) for generator in generators]
        changed = augment.apply(x / 255, _folded(drawn)) * 255
        return changed.contiguous()


def share_pixels(splits: Sequence[Batches]) -> bool:
    """Whether all gather from one tensor."""
    return all(split.shares_pixels(splits[0]) for split in splits)


def _folded(drawn: Sequence[list[Tensor]]) -> list[Tensor]:
    """Parameters of each run, one tensor (count, …) a step -> one (count·K, …) a step."""
    return [torch.stack(step, dim=1).flatten(0, 1) for step in zip(*drawn, strict=True)]
