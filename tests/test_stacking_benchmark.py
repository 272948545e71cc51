"""What the benchmark of stacked networks compares trains the same networks."""

import csv
from pathlib import Path
from typing import Any

import pytest

from benchmarks import stacking
from benchmarks.contestants import Case
from benchmarks.images import mnist_folder
from benchmarks.stacking_candidates.layers import with_layers
from benchmarks.stacking_candidates.setting import Candidate, Setting

_SMALL = (
    *("--stacks", "2", "--batch-sizes", "8", "--images", "32", "--rounds", "1"),
    *("--check-steps", "4", "--seconds", "0.01"),
)
_ON_A_CPU = ("alone", "grouped", "products", "vmap", "cnnsweep's stack")


def test_every_way_trains_as_networks_alone_do(tmp_path: Path) -> None:
    file = tmp_path / "stacking.csv"
    stacking.main((*_SMALL, "--models", "lenet", "--out", str(file), "--candidates", *_ON_A_CPU))
    rows = _rows(file)
    assert [row["candidate"] for row in rows] == list(_ON_A_CPU)
    for row in rows:
        assert row["note"] == ""
        assert float(row["loss_difference"]) < 1e-3
        assert float(row["model_steps_per_second"]) > 0


def test_a_way_that_gives_networks_each_other_s_learning_rates_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Swapped(Setting):
        def learning_rates(self) -> list[float]:
            return super().learning_rates()[::-1]

    def swapped(setting: Setting) -> Candidate:
        return with_layers(Swapped(setting.case, setting.stack), by_image=True, graph=False)

    monkeypatch.setattr(stacking, "candidates", lambda _: {"grouped": swapped})
    file = tmp_path / "stacking.csv"
    stacking.main((*_SMALL, "--models", "resnet", "--out", str(file), "--check-steps", "8"))
    (row,) = _rows(file)
    assert row["note"].startswith("NOT THE SAME")


def test_what_a_machine_cannot_do_is_a_row_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(setting: Setting) -> Candidate:
        raise RuntimeError(f"no memory\nfor {setting.stack} networks")

    made: dict[str, Any] = stacking.candidates(1) | {"dies": dies}
    monkeypatch.setattr(stacking, "candidates", lambda _: made)
    file = tmp_path / "stacking.csv"
    words = (*_SMALL, "--models", "lenet", "--out", str(file))
    stacking.main((*words, "--candidates", "alone, graph", "dies", "alone", "processes, MPS"))
    notes = [row["note"] for row in _rows(file)]
    skipped = "skipped: not on cpu"
    assert notes == [skipped, "failed: RuntimeError: no memory for 2 networks", "", skipped]


def test_orders_and_rates_are_each_network_s_own() -> None:
    with mnist_folder(None) as (folder, _):
        setting = Setting(Case("lenet", "contiguous", "float32", 8, 32, "cpu", folder), 3)
        alone = [setting.feed_of(number).next()[1].tolist() for number in range(3)]
        by_network = setting.feed_of_all(by_image=False).next()[1].view(3, 8).tolist()
        by_image = setting.feed_of_all(by_image=True).next()[1].view(8, 3).T.tolist()
    assert alone == by_network == by_image
    assert len({tuple(labels) for labels in alone}) == 3
    assert len(set(setting.learning_rates())) == 3


def _rows(file: Path) -> list[dict[str, str]]:
    with file.open() as lines:
        return list(csv.DictReader(line for line in lines if not line.startswith("#")))
