"""What a run's record says of its config."""

from pathlib import Path

import pytest

from cnnsweep.report.read.run_record import Run
from cnnsweep.report.read.safe_io import Scalar


@pytest.mark.parametrize(
    ("config", "planned"),
    [
        ({"epochs": 10}, 10),
        ({"epochs": "${trainer.max_epochs}", "trainer.max_epochs": 5}, 5),
        ({"epochs": "${ a }", "a": "${b}", "b": 3.0}, 3),
        ({"epochs": "${a}", "a": "${epochs}"}, None),
        ({"epochs": "${nowhere}"}, None),
        ({"epochs": "${a}0", "a": 1}, None),
        ({"epochs": None}, None),
        ({}, None),
    ],
)
def test_planned_epochs_follow_a_reference(
    config: dict[str, Scalar], planned: float | None
) -> None:
    assert Run(Path(), config=config).epochs_planned == planned
