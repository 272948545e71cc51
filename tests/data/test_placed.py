import gc
import weakref
from itertools import product

import pytest
import torch

from cnnsweep.data import dataset, placed
from cnnsweep.data.batches import Layout
from cnnsweep.data.dataset import Images
from cnnsweep.data.placed import Copies
from tests.data.test_batches import LAYOUTS, batches, everything

CPU = torch.device("cpu")
ORDERS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}


def some_images(channels: int = 3, count: int = 24) -> Images:
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(256, (count, channels, 6, 5), generator=generator, dtype=torch.uint8)
    return Images(pixels, torch.arange(count))


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> Copies:
    copies = Copies()
    monkeypatch.setattr(dataset, "copies", copies)
    return copies


@pytest.mark.parametrize(("channels", "layout"), [*product([1, 3], LAYOUTS)])
def test_batches_from_a_shared_copy_are_those_from_a_cpu(
    channels: int, layout: Layout, fresh: Copies
) -> None:
    images = some_images(channels)
    parts = images.take(torch.arange(0, 24, 2)), images.take(torch.arange(23, 0, -2))
    copy = fresh.get(images.stored, CPU, ORDERS[layout])
    made = []
    for part in parts:
        drawn = []
        for stored in (part.stored, copy):
            torch.manual_seed(0)
            given = batches(
                Images(stored, part.labels, part.rows), mean=0.5, std=0.2, layout=layout
            )
            drawn.append(everything(given))
        assert torch.equal(drawn[0][0], drawn[1][0])
        assert torch.equal(drawn[0][1], drawn[1][1])
        made.append(given)
    first, second = made
    assert first.shares_pixels(second)
    assert first.pixels.data_ptr() == copy.data_ptr()
    assert copy.data_ptr() != images.stored.data_ptr()


@pytest.mark.parametrize(("channels", "orders"), [(1, 1), (3, 2)])
def test_a_store_is_copied_once_for_each_device_and_order_of_bytes(
    channels: int, orders: int
) -> None:
    images = some_images(channels)
    parts = [
        images,
        images.take(torch.arange(3)),
        images.take(torch.arange(20)).take(torch.ones(1).long()),
    ]
    stores = [part.to("meta", order).stored for part in parts for order in ORDERS.values()]
    assert len({id(store) for store in stores}) == orders
    assert some_images(channels).to("meta").stored is not stores[0]
    for part in parts:
        moved = part.to("meta")
        assert (moved.rows is None) == (part.rows is None)
        assert len(moved) == len(part)
        assert {moved.stored.device.type, moved.labels.device.type} == {"meta"}


def test_a_copy_outlives_its_runs_and_goes_with_its_store(fresh: Copies) -> None:
    images = some_images()
    copy = weakref.ref(images.to("meta").stored)
    gc.collect()
    assert copy() is not None
    part = images.take(torch.arange(3))
    del images
    gc.collect()
    assert copy() is part.to("meta").stored
    del part
    gc.collect()
    assert copy() is None
    assert fresh.is_empty


def test_few_images_of_a_large_store_are_copied_alone_unless_it_is_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def is_whole(images: Images) -> bool:
        moved = images.to("meta")
        assert (moved.rows is None) != (len(moved.stored) == 24)
        return len(moved.stored) == 24

    images = some_images()
    few, quarter = images.take(torch.arange(5)), images.take(torch.arange(6))
    monkeypatch.setattr(placed, "SMALL_BYTES", images.stored.nbytes - 1)
    assert not is_whole(few)
    assert is_whole(quarter)
    assert is_whole(few)
    monkeypatch.setattr(placed, "SMALL_BYTES", images.stored.nbytes)
    assert is_whole(some_images().take(torch.arange(1)))


def test_on_a_cpu_nothing_is_copied(fresh: Copies) -> None:
    part = some_images().take(torch.arange(3))
    assert part.to("cpu") is part
    assert part.to(CPU, torch.channels_last) is part
    assert fresh.is_empty


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no CUDA device")
def test_runs_on_a_gpu_share_one_copy_and_its_memory_is_returned() -> None:
    images = some_images(count=2000)
    before = torch.cuda.memory_allocated()

    for layout in LAYOUTS:
        assert _trained_on(images, layout) == _trained_on(images, layout)
    assert torch.cuda.memory_allocated() >= before + 2 * images.stored.nbytes
    del images
    gc.collect()
    assert torch.cuda.memory_allocated() == before


def _trained_on(images: Images, layout: Layout) -> int:
    """Where the pixels lie that an epoch of some of the images was gathered from."""
    part = images.take(torch.randperm(2000)[:900]).to("cuda", ORDERS[layout])
    given = batches(part, layout=layout)
    x, y = everything(given)
    mean, std = torch.tensor([[0.5, 0.4, 0.3], [0.2, 0.3, 0.4]]).view(2, 3, 1, 1)
    torch.testing.assert_close(x.cpu(), (images.stored[y.cpu()] / 255 - mean) / std)
    return given.pixels.data_ptr()
