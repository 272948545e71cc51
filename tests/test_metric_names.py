"""Times as a person reads them."""

import pytest

from cnnsweep.metric_names import duration


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0 s"), (0.346, "0.35 s"), (12.4, "12 s"), (59.7, "1 min 00 s"), (200, "3 min 20 s"),
     (3600, "1 h 00 min"), (3_900, "1 h 05 min"), (180_000, "50 h 00 min")],
)  # fmt: skip
def test_a_duration_has_two_units_at_most(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown
