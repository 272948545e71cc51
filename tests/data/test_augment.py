from math import cos, radians, sin
from typing import Any

import numpy as np
import pytest
import torch
from scipy.ndimage import affine_transform
from torch import Tensor, nn

from cnnsweep.data.augment import Augmentation, RandomAffine, RandomCrop, augment
from cnnsweep.errors import UserError

NOTHING: dict[str, Any] = {
    "degrees": 0, "scale": [1.0, 1.0], "translate": 0.0, "crop": 0, "flip": 0.0,
}  # fmt: skip
KINDS: list[dict[str, Any]] = [
    {"degrees": 20},
    {"scale": [0.7, 1.3]},
    {"translate": 0.2},
    {"crop": 3},
    {"flip": 0.5},
]


CPU = torch.device("cpu")
EVERYTHING: dict[str, Any] = {
    "degrees": 30, "scale": [0.7, 1.3], "translate": 0.2, "crop": 2, "flip": 0.5,
}  # fmt: skip


def build(**keys: Any) -> Augmentation:
    return augment(**NOTHING | keys)


def same_images(count: int = 16, channels: int = 1) -> Tensor:
    one = torch.rand((1, channels, 12, 10), generator=torch.Generator().manual_seed(0))
    return one.expand(count, -1, -1, -1).contiguous()


@pytest.mark.parametrize("keys", KINDS, ids=lambda keys: next(iter(keys)))
def test_each_image_is_changed_in_its_own_way(keys: dict[str, Any]) -> None:
    torch.manual_seed(0)
    changed = build(**keys)(same_images())
    assert changed.shape == (16, 1, 12, 10)
    different = {tuple(image.flatten().tolist()) for image in changed}
    assert len(different) >= (2 if "flip" in keys else 8)


@pytest.mark.parametrize("keys", [*KINDS, {"degrees": 20, "crop": 2, "flip": 0.5}], ids=str)
def test_the_same_seed_changes_images_alike_and_the_next_batch_otherwise(
    keys: dict[str, Any],
) -> None:
    changes = build(**keys)
    torch.manual_seed(5)
    first, second = changes(same_images()), changes(same_images())
    torch.manual_seed(5)
    assert torch.equal(build(**keys)(same_images()), first)
    assert not torch.equal(first, second)


def test_values_stay_in_range_and_colours_together() -> None:
    torch.manual_seed(0)
    image = same_images(channels=1).expand(-1, 3, -1, -1)
    changed = build(degrees=20, scale=[0.8, 1.2], translate=0.1, crop=2, flip=0.5)(image)
    assert changed.shape == (16, 3, 12, 10)
    assert 0 <= changed.min() <= changed.max() <= 1
    torch.testing.assert_close(changed[:, 0], changed[:, 2])


def test_nothing_asked_for_changes_nothing() -> None:
    assert torch.equal(build()(same_images()), same_images())


def test_a_flip_of_probability_one_mirrors_left_to_right() -> None:
    torch.testing.assert_close(build(flip=1.0)(same_images()), same_images().flip(3))


def test_a_crop_moves_by_whole_pixels_and_fills_with_black() -> None:
    torch.manual_seed(0)
    x = 0.5 + same_images(64) / 2
    moved = RandomCrop(padding=2)(x)
    padded = nn.functional.pad(x[0], [2] * 4)
    windows = [padded[:, t : t + 12, left : left + 10] for t in range(5) for left in range(5)]
    found = [next(i for i, w in enumerate(windows) if torch.equal(w, image)) for image in moved]
    assert len(set(found)) > 15


def affine(x: Tensor, *drawn: tuple[float, float, float, float]) -> Tensor:
    """Each image by its angle, factor, shift to the right and down."""
    return RandomAffine(degrees=0, scale=[1, 1], translate=0).apply(x, torch.tensor(drawn))


def some_draws(count: int) -> Tensor:
    step = RandomAffine(degrees=180, scale=[0.3, 3.0], translate=0.6)
    return step.draw(count, CPU, torch.Generator().manual_seed(1))


def test_an_image_is_turned_clockwise_resized_and_moved_as_it_says() -> None:
    x = torch.rand((1, 2, 8, 8), generator=torch.Generator().manual_seed(0))
    for drawn, wanted in [
        ((0.0, 1.0, 0.0, 0.0), x),
        ((90.0, 1.0, 0.0, 0.0), x.rot90(-1, (2, 3))),
        ((180.0, 1.0, 0.0, 0.0), x.flip(2, 3)),
        ((-90.0, 1.0, 0.0, 0.0), x.rot90(1, (2, 3))),
        ((0.0, 1.0, 0.25, 0.0), nn.functional.pad(x, [2, 0, 0, 0])[..., :8]),
        ((0.0, 1.0, 0.0, -0.125), nn.functional.pad(x, [0, 0, 0, 1])[..., 1:, :]),
        ((0.0, 1.0, 1.0, 0.0), torch.zeros_like(x)),
        ((90.0, 1.0, 0.5, 0.0), nn.functional.pad(x.rot90(-1, (2, 3)), [4, 0, 0, 0])[..., :8]),
    ]:
        torch.testing.assert_close(affine(x, drawn), wanted, rtol=0, atol=1e-5)


def test_twice_and_half_the_size_about_the_centre() -> None:
    ramp = torch.arange(8.0).expand(1, 1, 8, 8)
    (twice,), (half,) = affine(ramp, (0, 2, 0, 0)), affine(ramp, (0, 0.5, 0, 0))
    torch.testing.assert_close(twice[0, 4], torch.arange(8.0) / 2 + 1.75)
    torch.testing.assert_close(half[0, 4, 2:6], torch.tensor([0.5, 2.5, 4.5, 6.5]))
    assert float(half[0, :2].sum()) == 0
    assert float(half[0, :, 6:].sum()) == 0


@pytest.mark.parametrize("size", [(12, 10), (9, 15), (28, 28), (1, 5)])
def test_any_angle_size_and_shift_is_what_scipy_makes_of_it(size: tuple[int, int]) -> None:
    height, width = size
    x = torch.rand((40, 1, *size), generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    drawn = some_draws(40).double()
    changed = RandomAffine(degrees=0, scale=[1, 1], translate=0).apply(x, drawn)
    centre = np.array([(height - 1) / 2, (width - 1) / 2])
    for image, numbers, ours in zip(x, drawn.tolist(), changed, strict=True):
        angle, (factor, right, down) = radians(numbers[0]), numbers[1:]
        back = np.array([[cos(angle), -sin(angle)], [sin(angle), cos(angle)]]) / factor  # y, x
        offset = centre - back @ (centre + np.array([down * height, right * width]))
        wanted = affine_transform(image[0].numpy(), back, offset, order=1, mode="grid-constant")
        torch.testing.assert_close(ours[0], torch.from_numpy(wanted), rtol=0, atol=1e-9)


@pytest.mark.parametrize("size", [(12, 10), (28, 28), (9, 15)])
def test_any_angle_size_and_shift_is_what_kornia_makes_of_it(size: tuple[int, int]) -> None:
    geometry = pytest.importorskip("kornia.geometry.transform")
    height, width = size
    x = torch.rand((200, 3, *size), generator=torch.Generator().manual_seed(0))
    drawn = some_draws(200)
    angle, factor, right, down = drawn.unbind(1)
    matrix = geometry.get_affine_matrix2d(
        torch.stack([right * width, down * height], 1),
        torch.tensor([[(width - 1) / 2, (height - 1) / 2]]).expand(200, -1),
        factor[:, None].expand(-1, 2),
        angle,
    )
    theirs = geometry.warp_affine(x, matrix[:, :2], size, align_corners=False)
    ours = RandomAffine(degrees=0, scale=[1, 1], translate=0).apply(x, drawn)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-4)


def test_draws_lie_in_their_ranges_and_fill_them() -> None:
    drawn = RandomAffine(degrees=10, scale=[0.9, 1.2], translate=0.1).draw(20_000, CPU)
    for column, (low, high) in zip(
        drawn.T, [(-10, 10), (0.9, 1.2), (-0.1, 0.1), (-0.1, 0.1)], strict=True
    ):
        assert low - 1e-6 <= float(column.min()) < low + (high - low) / 100
        assert high - (high - low) / 100 < float(column.max()) <= high + 1e-6
        middle, width = (low + high) / 2, high - low
        assert float(column.mean()) == pytest.approx(middle, abs=width / 50)
    assert torch.corrcoef(drawn.T).sub(torch.eye(4)).abs().max() < 0.05
    (mirrored,) = build(flip=0.3).draw(20_000, CPU)
    assert float(mirrored.float().mean()) == pytest.approx(0.3, abs=0.02)


@pytest.mark.parametrize("keys", [*KINDS, EVERYTHING], ids=str)
def test_images_of_several_runs_change_at_once_as_each_runs_do_alone(keys: dict[str, Any]) -> None:
    changes, images = build(**keys), same_images(15, channels=2)
    runs = images[:7], images[7:8], images[8:]  # of 7, 1 and 7 images
    alone, drawn = [], []
    for seed, part in enumerate(runs):
        drawn.append(changes.draw(len(part), CPU, torch.Generator().manual_seed(seed)))
        torch.manual_seed(seed)
        alone.append(changes(part))
    together = [torch.cat(of_step) for of_step in zip(*drawn, strict=True)]
    assert torch.equal(changes.apply(images, together), torch.cat(alone))


def test_a_generator_of_its_own_leaves_the_global_one_alone() -> None:
    before = torch.get_rng_state()
    build(**EVERYTHING).draw(5, CPU, torch.Generator())
    assert torch.equal(torch.get_rng_state(), before)


def test_the_draws_of_a_crop_are_those_that_recorded_runs_were_trained_with() -> None:
    torch.manual_seed(3)
    moved = build(crop=2)(same_images(6))
    torch.manual_seed(3)
    top, left = torch.randint(5, (2, 6))
    padded = nn.functional.pad(same_images(6), [2] * 4)
    for image, black, y, x in zip(moved, padded, top.tolist(), left.tolist(), strict=True):
        assert torch.equal(image, black[:, y : y + 12, x : x + 10])


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("degrees", -1), ("degrees", 181), ("degrees", "many"), ("scale", [1.1, 0.9]),
        ("scale", [0, 1]), ("scale", [0.9]), ("scale", 0.9), ("translate", 1.5), ("crop", -1),
        ("crop", 1.5), ("flip", 2), ("flip", float("nan")),
    ],
)  # fmt: skip
def test_a_value_out_of_range_is_refused_by_name(key: str, value: object) -> None:
    with pytest.raises(UserError, match=rf"^augment\.{key}=.*: allowed is "):
        build(**{key: value})
