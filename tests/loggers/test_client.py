"""The process of one tracker ends with its run, however the run ends."""

import select
import time
from dataclasses import asdict
from pathlib import Path

import pytest

from cnnsweep.loggers.base import RunInfo
from cnnsweep.loggers.client import TrackerProcess


def test_it_goes_when_its_run_is_killed_with_an_answer_unread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CNNSWEEP_ALLOW", "tests.loggers.own_trackers.*")
    run = RunInfo(
        tmp_path, id="a", name="a", root=tmp_path, pid=1, config={"epochs": 1}, sweep=None
    )
    node = {"_target_": "tests.loggers.own_trackers.Notebook", "title": "mine"}
    tracker = TrackerProcess("e", tmp_path, {"name": "e", "node": node, "run": asdict(run)})
    assert select.select([tracker._ours], [], [], 60)[0]  # it has said something
    tracker._ours.close()  # as the kernel does for a process that is gone: a reset, not an end
    deadline = time.monotonic() + 15
    while tracker._process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    assert tracker._process.poll() == 1
