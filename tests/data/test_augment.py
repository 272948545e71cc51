from typing import Any

import pytest
import torch
from torch import Tensor, nn

from cnnsweep.data.augment import RandomCrop, augment
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


def build(**keys: Any) -> nn.Module:
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
