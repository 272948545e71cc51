"""The seconds that count of a baseline's run."""

import pytest

from benchmarks.records import Epoch, _reached, _with_interval


@pytest.mark.parametrize(
    ("accuracies", "expected"),
    [
        ([0.97, 0.98, 0.991, 0.993], 3),  # the first with the aim, not the best
        ([0.97, 0.99, 0.98], 2),
        ([0.97, 0.985, 0.98, 0.985], 2),  # never there: the first of the best
        ([0.5], 1),
    ],
)
def test_seconds_to_the_aim_or_to_the_best_epoch(accuracies: list[float], expected: int) -> None:
    epochs = [Epoch(10.0 * number, value) for number, value in enumerate(accuracies, 1)]
    assert _reached(epochs, 0.99) == (expected, epochs[expected - 1])


def test_an_interval_is_student_s() -> None:
    # t with two degrees of freedom at 97.5 % is 4.302653, the deviation of 1, 2, 3 is 1.
    assert _with_interval([1.0, 2.0, 3.0]) == f"2.000 ± {4.302653 / 3**0.5:.3f}"
    assert _with_interval([2.5]) == "2.500"
