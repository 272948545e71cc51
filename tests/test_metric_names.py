"""What balanced accuracy is by chance, and times as a person reads them."""

import math

import numpy as np
import pytest

from cnnsweep.metric_names import balanced_accuracy, chance, duration, has_learned


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0 s"), (0.346, "0.35 s"), (12.4, "12 s"), (59.7, "1 min 00 s"), (200, "3 min 20 s"),
     (3600, "1 h 00 min"), (3_900, "1 h 05 min"), (180_000, "50 h 00 min")],
)  # fmt: skip
def test_a_duration_has_two_units_at_most(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown


def test_each_class_counts_the_same_however_few_images_it_has() -> None:
    assert balanced_accuracy([200, 0], [200, 3]) == 0.5
    assert balanced_accuracy([200, 3], [200, 3]) == 1
    assert balanced_accuracy([1, 0, 4], [2, 0, 4]) == 0.75  # a class that does not occur


@pytest.mark.parametrize("images", [[30] * 10, [200, 3], [7, 0, 50, 9], [1, 1, 1]])
def test_chance_is_what_guessing_gives(images: list[int]) -> None:
    draw = np.random.default_rng(0)
    there = [n for n in images if n]
    shares = np.stack([draw.binomial(n, 1 / len(there), 100_000) / n for n in there])
    guessed = shares.mean(axis=0)
    mean, error = chance(images)
    assert mean == pytest.approx(guessed.mean(), abs=4e-3)
    assert error == pytest.approx(guessed.std(), rel=0.02)


def test_a_network_that_always_says_one_class_has_not_learned() -> None:
    for images in ([200, 3], [30] * 10, [5, 0, 5], [1, 1]):
        for said in range(len(images)):
            right = [n if label == said else 0 for label, n in enumerate(images)]
            assert has_learned(balanced_accuracy(right, images), images) is False


def test_two_standard_errors_are_the_line() -> None:
    images = [36] * 10
    error = math.sqrt(0.1 * 0.9 / 360)  # of equal classes it is the accuracy's
    assert has_learned(0.1 + 1.99 * error, images) is False
    assert has_learned(0.1 + 2.01 * error, images) is True


def test_too_few_images_of_a_class_tell_nothing_but_that_one_class_is_always_said() -> None:
    for images in ([40, 1], [1, 1], [2, 2]):
        for balanced in (0.975, 1.0):
            assert has_learned(balanced, images) is None
        assert has_learned(0.5, images) is False
    assert has_learned(0.975, [40, 2]) is True


def test_where_one_class_occurs_nothing_can_be_told() -> None:
    assert has_learned(1.0, [0, 9]) is None
