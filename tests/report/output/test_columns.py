"""Numbers stand on the right, text on the left."""

from cnnsweep.report.output.columns import are_numbers


def test_columns_of_numbers_are_told_from_text() -> None:
    columns = ("#", "accuracy", "time", "n", "p (Holm)", "model", "images", "folder", "size")
    rows = [
        ("1", "98.1 % (never learned)", "10 s", "3 (paired t)", "0.04", "lenet", "of 9", "0", "–"),
        ("2", "–", "0.9 s", "12,000", "< 0.0001", "2d-net", "–", "1/seed_0", ""),
        ("3", "94.43 ± 1.47 %", "1 min 2 s", "3", "−1e-05", "3/4", "of 7", "2", "–"),
    ]
    assert are_numbers(columns, rows) == [
        False, True, True, True, True, False, False, False, False,
    ]  # fmt: skip
    assert are_numbers(columns, []) == [False] * 9
