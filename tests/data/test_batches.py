from collections.abc import Sequence

import pytest
import torch
from torch import Tensor, nn

from cnnsweep.data.batches import Batches, Layout
from cnnsweep.data.dataset import Images
from cnnsweep.errors import UserError

LAYOUTS: tuple[Layout, ...] = ("contiguous", "channels_last")
FORMATS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}
MEAN, STD = (0.5, 0.4, 0.3), (0.2, 0.3, 0.4)


def colours(count: int = 23) -> Images:
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(256, (count, 3, 6, 5), generator=generator, dtype=torch.uint8)
    return Images(pixels, torch.arange(count))


def batches(
    images: Images,
    *,
    batch_size: int = 4,
    mean: float | Sequence[float] = MEAN,
    std: float | Sequence[float] = STD,
    shuffle: bool = True,
    layout: Layout = "contiguous",
    augment: nn.Module | None = None,
) -> Batches:
    return Batches(
        images,
        batch_size=batch_size,
        mean=mean,
        std=std,
        shuffle=shuffle,
        layout=layout,
        augment=augment,
    )


def everything(given: Batches) -> tuple[Tensor, Tensor]:
    parts = list(given)
    return torch.cat([x for x, _ in parts]), torch.cat([y for _, y in parts])


def normalised(images: Images) -> Tensor:
    mean, std = (torch.tensor(v).view(3, 1, 1) for v in (MEAN, STD))
    return (images.pixels / 255 - mean) / std


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("augment", [None, nn.Identity()])
def test_batches_are_normalised_images_with_their_labels_in_the_layout(
    layout: Layout, shuffle: bool, augment: nn.Module | None
) -> None:
    images = colours()
    given = batches(images, layout=layout, shuffle=shuffle, augment=augment)
    for x, y in given:
        assert x.dtype == torch.float32
        assert y.dtype == torch.int64
        assert x.is_contiguous(memory_format=FORMATS[layout])
        torch.testing.assert_close(x, normalised(images)[y])


def test_every_image_comes_once_and_the_last_batch_counts() -> None:
    given = batches(colours(23), batch_size=4)
    assert (len(given), given.images) == (6, 23)
    sizes = [len(y) for _, y in given]
    assert sizes == [4, 4, 4, 4, 4, 3]
    assert sorted(everything(given)[1].tolist()) == list(range(23))


def test_the_order_is_drawn_afresh_and_repeats_with_the_seed() -> None:
    given = batches(colours())
    torch.manual_seed(0)
    first, second = everything(given)[1], everything(given)[1]
    torch.manual_seed(0)
    assert torch.equal(everything(given)[1], first)
    assert not torch.equal(first, second)


def test_the_layout_does_not_change_what_is_drawn() -> None:
    drawn = []
    for layout in LAYOUTS:
        torch.manual_seed(0)
        drawn.append(everything(batches(colours(), layout=layout)))
    assert torch.equal(drawn[0][0], drawn[1][0])
    assert torch.equal(drawn[0][1], drawn[1][1])


def test_without_shuffling_the_order_is_that_of_the_images_and_nothing_is_drawn() -> None:
    before = torch.get_rng_state()
    assert everything(batches(colours(), shuffle=False))[1].tolist() == list(range(23))
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("shuffle", [True, False])
def test_a_part_gives_the_batches_that_a_copy_of_it_gives(
    layout: Layout, channels: int, shuffle: bool
) -> None:
    images = Images(colours().pixels[:, :channels].contiguous(), colours().labels)
    part = images.take(torch.tensor([4, 2, 3, 20, 11, 7, 8])).take(torch.tensor([6, 0, 1, 3, 2]))
    drawn = []
    for given in (part, Images(images.pixels[[8, 4, 2, 20, 3]], torch.tensor([8, 4, 2, 20, 3]))):
        torch.manual_seed(0)
        chosen = batches(given, mean=0.5, std=0.5, layout=layout, shuffle=shuffle, batch_size=2)
        drawn.append(everything(chosen))
    assert torch.equal(drawn[0][0], drawn[1][0])
    assert torch.equal(drawn[0][1], drawn[1][1])


@pytest.mark.parametrize("layout", LAYOUTS)
def test_parts_of_one_store_share_its_pixels_and_others_do_not(layout: Layout) -> None:
    grey = Images(colours().pixels[:, :1].contiguous(), colours().labels)
    whole, part, copy = (
        batches(images, mean=0.5, std=0.5, layout=layout)
        for images in (grey, grey.take(torch.arange(9)), Images(grey.stored.clone(), grey.labels))
    )
    assert whole.shares_pixels(part)
    assert part.shares_pixels(whole)
    assert not whole.shares_pixels(copy)


def test_an_augmentation_sees_floats_from_0_to_1_and_is_normalised_after() -> None:
    class Darker(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            assert x.shape[1:] == (3, 6, 5)
            assert 0 <= x.min() <= x.max() <= 1
            return x / 2

    images = colours()
    half = batches(images, mean=0.0, std=1.0, augment=Darker(), layout="channels_last")
    for x, y in half:
        torch.testing.assert_close(x, images.pixels[y] / 510)


def test_one_mean_serves_all_channels_and_grey_images() -> None:
    grey = Images(colours().pixels[:, :1], colours().labels)
    for images in (colours(), grey):
        x, y = next(iter(batches(images, mean=[0.5], std=0.25)))
        torch.testing.assert_close(x, (images.pixels[y] / 255 - 0.5) / 0.25)


@pytest.mark.parametrize("batch_size", [0, -3, 24])
def test_a_training_batch_must_fit_the_training_split(batch_size: int) -> None:
    with pytest.raises(UserError, match=rf"data\.batch_size={batch_size}: allowed is 1 to 23"):
        batches(colours(23), batch_size=batch_size)


def test_an_evaluation_batch_may_be_larger_than_the_split() -> None:
    assert len(batches(colours(23), batch_size=1000, shuffle=False)) == 1
    with pytest.raises(UserError, match=r"data\.eval_batch_size=0: allowed is 1 or more"):
        batches(colours(23), batch_size=0, shuffle=False)


def test_a_mean_or_deviation_that_does_not_fit_is_refused() -> None:
    with pytest.raises(UserError, match=r"data\.mean=\[0\.5, 0\.5\]: .*3 of them"):
        batches(colours(), mean=[0.5, 0.5])
    with pytest.raises(UserError, match=r"data\.std=0.*above 0"):
        batches(colours(), std=0)
    with pytest.raises(UserError, match=r"data\.mean=nan"):
        batches(colours(), mean=float("nan"))
    with pytest.raises(UserError, match=r"unknown layout 'channel_last'.*'channels_last'"):
        batches(colours(), layout="channel_last")  # type: ignore[arg-type]


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no CUDA device")
def test_batches_on_a_gpu_are_those_of_the_cpu() -> None:
    images = colours()
    for layout in LAYOUTS:
        x, y = everything(batches(images.to("cuda"), layout=layout))
        torch.testing.assert_close(x.cpu(), normalised(images)[y.cpu()])
