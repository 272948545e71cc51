"""That a device does all of an augmentation, and nobody waits for it."""

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from tests.data.test_augment import EVERYTHING, build, same_images


class OnlyOn(TorchDispatchMode):
    """Fails where an operation touches another device, or gives a shape that its values decide."""

    def __init__(self, device: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.device = device
        self.seen: set[str] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        name = str(func.overloadpacket)
        self.seen.add(name)
        assert torch.Tag.data_dependent_output not in func.tags, name
        is_masked = any(isinstance(i, Tensor) and i.dtype is torch.bool for i in tree_leaves(args))
        if name != "aten.index" or is_masked:
            assert torch.Tag.dynamic_output_shape not in func.tags, name
        for value in tree_leaves((args, kwargs, made)):
            assert not isinstance(value, Tensor) or value.device.type == self.device, name
        return made


@pytest.mark.parametrize("channels_last", [False, True])
def test_nothing_is_drawn_elsewhere_waited_for_or_of_a_shape_that_is_drawn(
    channels_last: bool,
) -> None:
    images = torch.empty((6, 3, 12, 10), device="meta")
    if channels_last:
        images = images.to(memory_format=torch.channels_last)
    with OnlyOn("meta") as mode:
        changed = build(**EVERYTHING)(images)
    assert changed.shape == images.shape
    assert {"aten.uniform_", "aten.randint", "aten.index", "aten.grid_sampler_2d"} <= mode.seen


def test_that_check_can_fail() -> None:
    images = torch.empty((6, 1, 4, 4), device="meta")
    with OnlyOn("meta"), pytest.raises(AssertionError, match="aten"):
        images.add(torch.rand(6, 1, 1, 1).to("meta"))
    with OnlyOn("cpu"), pytest.raises(AssertionError, match=r"aten\."):
        same_images()[torch.rand(16) < 0.5]
