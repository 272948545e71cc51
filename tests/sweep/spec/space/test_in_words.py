"""What a parameter is drawn from, as a person reads it."""

import pytest
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from cnnsweep.sweep.spec.space.in_words import described, drawn_from


@pytest.mark.parametrize(
    ("distribution", "line"),
    [
        (FloatDistribution(0.001, 1, log=True), "0.001 to 1.0, logarithmic"),
        (FloatDistribution(0, 1, step=0.25), "0.0 to 1.0 in steps of 0.25 (5 values)"),
        (IntDistribution(2, 10, step=2), "2 to 10 in steps of 2 (5 values)"),
        (IntDistribution(1, 3), "1 to 3 (3 values)"),
        (CategoricalDistribution(["a", 1, None]), "a, 1, null"),
    ],
)
def test_a_parameter_is_one_line(distribution: BaseDistribution, line: str) -> None:
    assert described(distribution) == line
    kinds = {"C": "the choices ", "I": "whole numbers from ", "F": "numbers from "}
    assert drawn_from(distribution) == kinds[type(distribution).__name__[0]] + line
