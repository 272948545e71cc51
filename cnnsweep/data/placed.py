"""Stored images on a device: one copy in a process, however many runs read it."""

from collections.abc import MutableMapping

import torch
from torch import Tensor
from torch.utils.weak import WeakTensorKeyDictionary

# A smaller store is copied whole for a few of its images, too: another run then shares it.
SMALL_BYTES = 2**28


class Copies:
    """Copies of stores on devices. Each stays as long as its store, and goes with it."""

    def __init__(self) -> None:
        # The copies of a store, by the device and by the order of their bytes.
        self._by_store: MutableMapping[Tensor, dict[object, Tensor]] = WeakTensorKeyDictionary()

    def get(self, store: Tensor, device: torch.device, order: torch.memory_format) -> Tensor:
        """The one copy of ``store`` (uint8, N × C × H × W): never write to it."""
        copies = self._by_store.setdefault(store, {})
        key = _key(store, device, order)
        if key not in copies:
            copies[key] = store.to(device=device, memory_format=order, copy=True)
        return copies[key]

    def wanted(
        self, store: Tensor, images: int, device: torch.device, order: torch.memory_format
    ) -> bool:
        """Whether the whole store should be there for so many of its images.

        Yes where it is there already, is small, or they are a quarter of it or more.
        """
        is_there = _key(store, device, order) in self._by_store.get(store, {})
        return is_there or store.nbytes <= SMALL_BYTES or 4 * images >= len(store)

    @property
    def is_empty(self) -> bool:
        """Whether no copy is kept."""
        return len(self._by_store) == 0


def _key(store: Tensor, device: torch.device, order: torch.memory_format) -> object:
    # Images of one channel have the same bytes in either order, and "cuda" means a certain one.
    is_grey = store.shape[1] == 1
    return torch.empty(0, device=device).device, torch.contiguous_format if is_grey else order


copies = Copies()
