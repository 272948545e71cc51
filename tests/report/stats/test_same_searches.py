"""Copies of a search count once; searches that only found the same settings count each."""

import shutil
from pathlib import Path

import pytest

from cnnsweep.report.read.load_runs import gather
from cnnsweep.report.stats.group_keys import mark_tuned
from cnnsweep.report.stats.grouping import Group, group_runs
from cnnsweep.report.stats.intervals import t_interval
from cnnsweep.report.stats.metric import choose_metric
from tests.report.made_searches import make_searches

A = [[0.990, 0.991, 0.992], [0.985, 0.986, 0.987], [0.992, 0.993, 0.994]]


def _group(*folders: Path) -> tuple[Group, list[str]]:
    runs = gather([*folders]).runs
    mark_tuned(runs, ())
    grouping = group_runs(runs, choose_metric(runs, None), ["model"], t_interval)
    (group,) = grouping.groups
    return group, grouping.notes


@pytest.mark.parametrize("lost", [0, 1, 2])
def test_a_copied_sweep_adds_no_searches_even_if_it_is_older(tmp_path: Path, lost: int) -> None:
    sweep = make_searches(tmp_path / "a" / "resnet", "resnet", A)
    alone, _ = _group(sweep)
    copy = shutil.copytree(sweep, tmp_path / "b" / "resnet")
    for seed in range(lost):
        shutil.rmtree(copy / "search_1" / "confirm" / str(2000 + seed))
    both, notes = _group(sweep, copy)
    assert alone.nested is not None
    assert both.nested is not None
    assert both.nested.searches == 3
    assert both.nested.means == pytest.approx(alone.nested.means)
    assert both.half_width == pytest.approx(alone.half_width)
    assert any(note.startswith("3 searches repeat the settings and seeds") for note in notes)


def test_searches_that_found_the_same_settings_in_other_trials_count_each(tmp_path: Path) -> None:
    sweep = make_searches(tmp_path / "a" / "resnet", "resnet", A)
    other = shutil.copytree(sweep, tmp_path / "b" / "resnet")
    for config in other.glob("search_*/0/config.yaml"):
        text = config.read_text()
        config.write_text(text.replace("momentum: 0.0", "momentum: 0.123"))
        assert config.read_text() != text
    group, notes = _group(sweep, other)
    assert group.nested is not None
    assert group.nested.searches == 6
    assert not any("searches repeat" in note for note in notes)
