"""Two launches on one sweep and its journal; see test_shared_database.py for databases."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from optuna.trial import TrialState

from tests.sweep.multihost.several_hosts import (
    Launch,
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
    until(lambda: all(name_of(folder, one) for one in launches), "both hosts known")
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
    until(lambda: begun_by(folder, launches[0]) != [], "a trial begun by the one to be killed")
    killed, left = name_of(folder, launches[0]), begun_by(folder, launches[0])
    launches[0].signal_all(signal.SIGKILL)
    end = launches[1].end()
    assert end.code == 0, end.text
    assert_whole(folder, study(folder), 12)
    trials = study(folder).trials
    assert any(trials[number].user_attrs["host"] != killed for number in left)


def name_of(folder: Path, one: Launch) -> str | None:
    """The name under which a launch goes, as long as it takes part."""
    hosts = (file.name for file in (folder / ".hosts").glob("*-*"))
    return next((name for name in hosts if f"-{one.process.pid}-" in name), None)


def begun_by(folder: Path, one: Launch) -> list[int]:
    """The trials that a launch has just begun: of six epochs, at most one is over."""
    running = study(folder).get_trials(states=(TrialState.RUNNING,))
    ours = [trial for trial in running if trial.user_attrs.get("host") == name_of(folder, one)]
    return [trial.number for trial in ours if (trial.last_step or 0) <= 1]


def test_a_launch_that_does_not_share_is_refused_and_the_other_way_round(tmp_path: Path) -> None:
    folder = tmp_path / "sweep"
    sharing = launch(folder, 0, "hydra.sweeper.n_trials=1", "epoch_seconds=0.8")
    until(lambda: (folder / "0").exists(), "the first trial begun")
    lone = launch(folder, 1, "hydra.sweeper.shared=false").end()
    assert lone.code == 1
    assert "is being worked on by process" in lone.text
    assert sharing.end().code == 0
