"""How long a sweep hopes for workers; each launch is a real process, whose launcher fails."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cnnsweep.sweep.cluster import launcher_pool as module
from cnnsweep.sweep.cluster.launcher_pool import LauncherProcesses
from cnnsweep.sweep.cluster.launcher_process import LauncherProcess


@dataclass
class Broken:
    """An order that no launcher can carry out."""

    jobs: int


@dataclass
class Endless:
    """An order that its process never finishes reading."""

    jobs: int

    def __reduce__(self) -> tuple[Callable[[float], None], tuple[float]]:
        return time.sleep, (600.0,)


@contextmanager
def launcher_setup(
    order: type[Any], folder: Path, report_seconds: float
) -> Iterator[LauncherProcesses]:
    def launch(number: int, jobs: int) -> LauncherProcess:
        return LauncherProcess(order(jobs), folder / f"{number}.log", report_seconds)

    launches = LauncherProcesses(launch, None)
    try:
        yield launches
    finally:
        launches.end(0.0)


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RELAUNCH_SECONDS", 0.0)


def launch_until_over(launches: LauncherProcesses) -> None:
    """Ask for one worker, and wait for that launch to end."""
    launches.keep(1)
    deadline = time.monotonic() + 120
    while not launches._all[-1].is_over():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_first_launch_that_fails_ends_all_hope(tmp_path: Path) -> None:
    with launcher_setup(Broken, tmp_path, float("inf")) as launches:
        launch_until_over(launches)
        assert "its process ended with code 1" in str(launches.failure())


def test_after_workers_came_it_takes_several_failures_in_a_row(tmp_path: Path) -> None:
    with launcher_setup(Broken, tmp_path, float("inf")) as launches:
        launch_until_over(launches)
        launches.came(0, 0)
        launches.went(0, 0)
        for _ in range(3):
            assert launches.failure() is None
            launch_until_over(launches)
        assert "its process ended with code 1" in str(launches.failure())


@pytest.mark.parametrize(("seconds", "launched"), [(float("inf"), 1), (0.0, 2)])
def test_a_job_that_never_reports_is_waited_for_only_where_it_may_wait_for_room(
    tmp_path: Path, seconds: float, launched: int
) -> None:
    with launcher_setup(Endless, tmp_path, seconds) as launches:
        launches.keep(2)
        launches.came(0, 0)
        time.sleep(0.01)
        launches.keep(2)
        assert [one.jobs for one in launches._all] == [2, 1][:launched]
