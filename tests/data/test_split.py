import pytest
import torch

from cnnsweep.data.split import limit, split, stratified_halves
from cnnsweep.errors import UserError
from tests.data.made_files import labelled, numbers_of

UNEVEN = [100, 37, 3, 260]


def test_every_image_is_in_exactly_one_part() -> None:
    images = labelled(UNEVEN)
    train, val = split(images, 0.1, seed=3)
    assert val is not None
    assert sorted(numbers_of(train) + numbers_of(val)) == list(range(400))


def test_the_same_seed_gives_the_same_split_and_another_seed_another() -> None:
    images = labelled(UNEVEN)
    once, again, other = (split(images, 0.2, seed)[1] for seed in (0, 0, 1))
    assert once is not None
    assert again is not None
    assert other is not None
    assert numbers_of(once) == numbers_of(again)
    assert numbers_of(once) != numbers_of(other)


def test_a_split_does_not_touch_the_global_generator() -> None:
    before = torch.get_rng_state()
    split(labelled(UNEVEN), 0.2, seed=0)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("fraction", [0.05, 0.1, 0.5, 0.9])
def test_class_proportions_are_kept_within_one_image(fraction: float) -> None:
    _, val = split(labelled(UNEVEN), fraction, seed=0)
    assert val is not None
    counts = val.labels.bincount(minlength=4)
    assert (counts - fraction * torch.tensor(UNEVEN)).abs().max() <= 1


def test_even_classes_are_split_to_the_image() -> None:
    train, val = split(labelled([60] * 10), 0.1, seed=0)
    assert val is not None
    assert val.labels.bincount().tolist() == [6] * 10
    assert train.labels.bincount().tolist() == [54] * 10


def test_pixels_stay_with_their_labels() -> None:
    train, val = split(labelled(UNEVEN), 0.3, seed=0)
    assert val is not None
    for part in (train, val):
        assert torch.equal(part.pixels[:, 0, 1, 0].long(), part.labels)


def test_no_pixels_are_copied() -> None:
    images = labelled(UNEVEN)
    train, val = split(limit(images, 300), 0.3, seed=0)
    assert val is not None
    assert train.stored is val.stored is images.stored


def test_a_fraction_of_zero_leaves_no_validation_part() -> None:
    images = labelled(UNEVEN)
    assert split(images, 0, seed=0) == (images, None)


def test_each_class_is_in_both_parts_however_small() -> None:
    train, val = split(labelled([2, 500]), 0.01, seed=0)
    assert val is not None
    assert val.labels.bincount()[0] == 1
    assert train.labels.bincount()[0] == 1


def test_a_class_that_does_not_occur_is_no_hindrance() -> None:
    train, val = split(labelled([20, 0, 20]), 0.1, seed=0)
    assert val is not None
    assert val.labels.bincount().tolist() == [2, 0, 2]
    assert train.labels.bincount().tolist() == [18, 0, 18]


@pytest.mark.parametrize("fraction", [-0.1, 1, 1.5])
def test_a_fraction_outside_its_range_is_refused(fraction: float) -> None:
    with pytest.raises(UserError, match=r"data\.val_fraction=.*0 up to, but not including, 1"):
        split(labelled(UNEVEN), fraction, seed=0)


def test_a_class_of_one_image_is_refused_by_its_number() -> None:
    with pytest.raises(UserError, match=r"class 1 has 1 image.*data\.val_fraction=0"):
        split(labelled([20, 1, 20]), 0.1, seed=0)


def test_halves_are_ascending_indices() -> None:
    first, second = stratified_halves(torch.arange(50) % 5, 0.2, seed=0)
    assert first.tolist() == sorted(first.tolist())
    assert second.tolist() == sorted(second.tolist())
    assert len(second) == 10


def test_a_limit_keeps_so_many_images_in_proportion() -> None:
    images = limit(labelled([100, 50, 50]), 40)
    assert images.labels.bincount().tolist() == [20, 10, 10]


def test_a_limit_gives_the_same_images_whatever_the_seed() -> None:
    torch.manual_seed(0)
    once = limit(labelled(UNEVEN), 50)
    torch.manual_seed(1)
    assert numbers_of(limit(labelled(UNEVEN), 50)) == numbers_of(once)


def test_no_limit_is_all_images() -> None:
    images = labelled(UNEVEN)
    assert limit(images, None) is images
    assert numbers_of(limit(images, 400)) == numbers_of(images)


@pytest.mark.parametrize("count", [0, -1, 401])
def test_a_limit_outside_its_range_is_refused(count: int) -> None:
    with pytest.raises(UserError, match=r"data\.train_limit=-?\d+: allowed is 1 to 400"):
        limit(labelled(UNEVEN), count)
