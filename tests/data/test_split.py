import random

import pytest
import torch

from cnnsweep.data.split import limit, split, stratified_halves
from cnnsweep.errors import UserError
from tests.data.made_files import labelled, numbers_of

UNEVEN = [100, 37, 3, 260]
NAMES = ["ok", "scratch", "dent", "hole"]  # of their classes


def test_every_image_is_in_exactly_one_part() -> None:
    images = labelled(UNEVEN)
    train, val = split(images, 0.1, 3, NAMES)
    assert val is not None
    assert sorted(numbers_of(train) + numbers_of(val)) == list(range(400))


def test_the_same_seed_gives_the_same_split_and_another_seed_another() -> None:
    images = labelled(UNEVEN)
    once, again, other = (split(images, 0.2, seed, NAMES)[1] for seed in (0, 0, 1))
    assert once is not None
    assert again is not None
    assert other is not None
    assert numbers_of(once) == numbers_of(again)
    assert numbers_of(once) != numbers_of(other)


def test_a_split_does_not_touch_the_global_generator() -> None:
    before = torch.get_rng_state()
    split(labelled(UNEVEN), 0.2, 0, NAMES)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("fraction", [0.05, 0.1, 0.5, 0.9])
def test_class_proportions_are_kept_within_one_image(fraction: float) -> None:
    _, val = split(labelled(UNEVEN), fraction, 0, NAMES)
    assert val is not None
    counts = val.labels.bincount(minlength=4)
    assert (counts - fraction * torch.tensor(UNEVEN)).abs().max() <= 1


def test_even_classes_are_split_to_the_image() -> None:
    train, val = split(labelled([60] * 10), 0.1, 0, "0123456789")
    assert val is not None
    assert val.labels.bincount().tolist() == [6] * 10
    assert train.labels.bincount().tolist() == [54] * 10


def test_pixels_stay_with_their_labels() -> None:
    train, val = split(labelled(UNEVEN), 0.3, 0, NAMES)
    assert val is not None
    for part in (train, val):
        assert torch.equal(part.pixels[:, 0, 1, 0].long(), part.labels)


def test_no_pixels_are_copied() -> None:
    images = labelled(UNEVEN)
    train, val = split(limit(images, 300, NAMES), 0.3, 0, NAMES)
    assert val is not None
    assert train.stored is val.stored is images.stored


def test_a_fraction_of_zero_leaves_no_validation_part() -> None:
    images = labelled(UNEVEN)
    assert split(images, 0, 0, NAMES) == (images, None)


def test_each_class_is_in_both_parts_however_small() -> None:
    train, val = split(labelled([2, 500]), 0.01, 0, NAMES[:2])
    assert val is not None
    assert val.labels.bincount()[0] == 1
    assert train.labels.bincount()[0] == 1


def test_a_class_without_training_images_is_refused_by_name() -> None:
    for make in (lambda i: limit(i, 20, NAMES), lambda i: split(i, 0.1, 0, NAMES)):
        with pytest.raises(UserError, match="no training images of class 'scratch'"):
            make(labelled([20, 0, 20, 5]))
        with pytest.raises(UserError, match="no training images of classes 'ok', 'hole'"):
            make(labelled([0, 20, 20]))


@pytest.mark.parametrize("fraction", [-0.1, 1, 1.5])
def test_a_fraction_outside_its_range_is_refused(fraction: float) -> None:
    with pytest.raises(UserError, match=r"data\.val_fraction=.*0 up to, but not including, 1"):
        split(labelled(UNEVEN), fraction, 0, NAMES)


def test_a_class_of_one_image_is_refused_by_its_name() -> None:
    with pytest.raises(UserError, match=r"class 'scratch' has 1 image.*data\.val_fraction=0"):
        split(labelled([20, 1, 20]), 0.1, 0, NAMES[:3])


def test_halves_are_ascending_indices() -> None:
    first, second = stratified_halves(torch.arange(50) % 5, 0.2, 0, "abcde")
    assert first.tolist() == sorted(first.tolist())
    assert second.tolist() == sorted(second.tolist())
    assert len(second) == 10


def test_a_limit_keeps_so_many_images_in_proportion() -> None:
    images = limit(labelled([100, 50, 50]), 40, NAMES[:3])
    assert images.labels.bincount().tolist() == [20, 10, 10]


@pytest.mark.parametrize("seed", range(100))
def test_a_limit_keeps_an_image_of_each_class_and_as_many_as_it_says(seed: int) -> None:
    draw = random.Random(seed)
    sizes = [draw.choice([1, 2, 5, 300, 2000]) for _ in range(draw.randint(1, 12))]
    names = [f"class {number}" for number in range(len(sizes))]
    count = draw.randint(len(sizes), min(sum(sizes), 10 * len(sizes)))
    kept = limit(labelled(sizes), count, names).labels.bincount(minlength=len(sizes))
    assert kept.sum() == count
    assert kept.min() >= 1
    exact = torch.tensor(sizes) * count / sum(sizes)
    assert ((kept - exact).abs() <= 1)[exact < 1].all()
    assert (kept <= exact.ceil().clamp(min=1)).all()


def test_a_limit_gives_the_same_images_whatever_the_seed() -> None:
    torch.manual_seed(0)
    once = limit(labelled(UNEVEN), 50, NAMES)
    torch.manual_seed(1)
    assert numbers_of(limit(labelled(UNEVEN), 50, NAMES)) == numbers_of(once)


def test_no_limit_is_all_images() -> None:
    images = labelled(UNEVEN)
    assert limit(images, None, NAMES) is images
    assert numbers_of(limit(images, 400, NAMES)) == numbers_of(images)


@pytest.mark.parametrize("count", [0, -1, 3, 401])
def test_a_limit_outside_its_range_is_refused(count: int) -> None:
    with pytest.raises(
        UserError, match=r"data\.train_limit=-?\d+: allowed is 4, one image of each class, to 400"
    ):
        limit(labelled(UNEVEN), count, NAMES)
