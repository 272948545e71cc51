"""What another app may report: an epoch's number, and numbers by name."""

import math
from typing import Any

import numpy as np
import pytest
import torch

from cnnsweep.errors import UserError
from cnnsweep.other_apps.metrics import RESERVED, checked_row


def test_numbers_of_all_kinds_become_floats() -> None:
    metrics = {
        "a": 1,
        "b": 0.5,
        "c": np.float32(0.25),
        "d": torch.tensor(2.0),
        "e": torch.tensor([3.0]),
        "f": math.inf,
        "val/loss": np.int64(4),
    }
    row = checked_row(np.int64(2), metrics)
    assert row == {
        "epoch": 2, "a": 1.0, "b": 0.5, "c": 0.25, "d": 2.0, "e": 3.0, "f": math.inf,
        "val/loss": 4.0,
    }  # fmt: skip
    assert {type(value) for name, value in row.items() if name != "epoch"} == {float}


def test_what_is_no_number_yet_is_kept_as_nan() -> None:
    assert math.isnan(checked_row(1, {"a": math.nan})["a"] or 0)


@pytest.mark.parametrize("epoch", [0, -1, 1.0, "1", None, True])
def test_epochs_are_counted_from_one(epoch: Any) -> None:
    with pytest.raises(UserError, match=r"report_epoch got epoch .*; epochs are counted from 1$"):
        checked_row(epoch, {"a": 1})


@pytest.mark.parametrize(
    "value", ["0.5", None, True, [1, 2], torch.zeros(2), np.zeros(2), {}, 1j, b"1"]
)
def test_what_is_no_number_is_named(value: Any) -> None:
    with pytest.raises(UserError, match=r"^report_epoch\(3, …\): loss is .*; allowed is one"):
        checked_row(3, {"loss": value})


@pytest.mark.parametrize("metrics", [{}, None, 0.5, [("a", 1)], {1: 1}, {"": 1}, {"a\nb": 1}])
def test_metrics_have_names(metrics: Any) -> None:
    with pytest.raises(UserError, match=r"^report_epoch\(1, …\) got .*(it needs|allowed is)"):
        checked_row(1, metrics)


@pytest.mark.parametrize("name", RESERVED)
def test_names_that_mean_something_else_in_a_result_are_refused(name: str) -> None:
    with pytest.raises(UserError, match=f"a metric named {name}, which says something else"):
        checked_row(1, {name: 1})
