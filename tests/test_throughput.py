"""The benchmark of images a second says how sure its ratios are."""

import csv
import subprocess
import sys
from pathlib import Path

import pytest

from tests.command import REPOSITORY, environment

_SMALL = (
    *("--models", "lenet", "--layouts", "contiguous", "--precisions", "float32"),
    *("--batch-sizes", "64", "--images", "128", "--beside", "bare", "--graph"),
)


@pytest.mark.parametrize(
    ("rounds", "is_sure"), [pytest.param(5, False, marks=pytest.mark.slow), (6, True)]
)
def test_the_median_s_interval_comes_with_six_rounds(
    rounds: int, is_sure: bool, tmp_path: Path
) -> None:
    file = tmp_path / "throughput.csv"
    words = ("--rounds", str(rounds), "--out", str(file))
    done = subprocess.run(
        (sys.executable, "-m", "benchmarks.throughput", *_SMALL, *words),
        cwd=REPOSITORY,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    with file.open() as lines:
        (row,) = csv.DictReader(line for line in lines if not line.startswith("#"))
    assert ("cnnsweep_to_bare_low" in row) == is_sure
    if is_sure:  # of six ratios the least and the greatest
        assert row["cnnsweep_to_bare_low"] == row["cnnsweep_to_bare_least"]
        assert row["cnnsweep_to_bare_high"] == row["cnnsweep_to_bare_greatest"]
    assert "cnnsweep_to_article" not in row
    assert row["graph"] == "True"
    assert "lenet" in done.stdout
