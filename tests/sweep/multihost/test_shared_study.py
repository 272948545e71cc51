"""Two launches on one sweep and its journal; see test_shared_database.py for databases."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sweep.multihost.several_hosts import (
    assert_whole,
    end_all,
    hosts_of,
    launch,
    over,
    results,
    until,
)
from tests.sweep.sweep_commands import study


@pytest.fixture(autouse=True)
def nothing_left_running() -> Iterator[None]:
    yield
    end_all()


TWELVE = ("hydra.sweeper.n_trials=12",)


def test_two_launches_share_a_sweep_and_one_concludes_it(tmp_path: Path) -> None:
    folder = tmp_path / "sweep"
    settings = (*TWELVE, "hydra.sweeper.confirm=2")
    launches = [launch(folder, number, *settings) for number in range(2)]
    ends = [one.end() for one in launches]
    assert [end.code for end in ends] == [0, 0], ends
    assert_whole(folder, study(folder), 12)
    assert len(hosts_of(study(folder))) == 2
    assert results(ends[0]) == results(ends[1])
    assert "· test 0.1000" in results(ends[0])[1]
    confirmed = [end.text.count("confirm/") for end in ends]
    assert sorted(confirmed) == [0, 2]
    assert not list((folder / ".hosts").glob("*-*"))


def test_a_launch_that_is_killed_leaves_its_trials_to_the_other(tmp_path: Path) -> None:
    folder = tmp_path / "sweep"
    launches = [launch(folder, number, *TWELVE) for number in range(2)]
    until(lambda: over(folder) >= 3, "three trials over")
    launches[0].signal_all(signal.SIGKILL)
    end = launches[1].end()
    assert end.code == 0, end.text
    assert_whole(folder, study(folder), 12)


def test_a_launch_that_does_not_share_is_refused_and_the_other_way_round(tmp_path: Path) -> None:
    folder = tmp_path / "sweep"
    sharing = launch(folder, 0, "hydra.sweeper.n_trials=1", "epoch_seconds=0.8")
    until(lambda: (folder / "0").exists(), "the first trial begun")
    lone = launch(folder, 1, "hydra.sweeper.shared=false").end()
    assert lone.code == 1
    assert "is being worked on by process" in lone.text
    assert sharing.end().code == 0
