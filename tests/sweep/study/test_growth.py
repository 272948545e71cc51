"""What a trial costs the launching process, in calls and writes to the disk: not more and more."""

import os
import sys
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from cnnsweep.sweep.spec.messages import Finished
from tests.sweep.study.in_process import Parts, make

FEW, MANY, MORE = 20, 120, 5  # trials before each count, and in it


def run_trials(parts: Parts, count: int) -> None:
    """Trials that are begun and completed, one after the other."""
    for _ in range(count):
        while not parts.pool.jobs:
            parts.loop.step()
        parts.pool.say(0, Finished("completed", 0.5 + 1 / (1 + len(parts.pool.given))))
        parts.step(2)


def calls_of(parts: Parts) -> int:
    """The Python functions called for the next trials."""
    called = 0

    def count(_frame: FrameType, event: str, _argument: Any) -> None:
        nonlocal called
        called += event == "call"

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        run_trials(parts, MORE)
    finally:
        sys.setprofile(before)
    return called


@pytest.mark.parametrize("keep_best", [None, 2])
def test_a_late_trial_costs_no_more_calls_than_an_early_one(
    tmp_path: Path, keep_best: int | None
) -> None:
    parts = make(tmp_path, n_trials=2 * MANY, journal=True, keep_best=keep_best)
    run_trials(parts, FEW)
    early = calls_of(parts)
    run_trials(parts, MANY - FEW)
    assert calls_of(parts) <= 1.05 * early


def test_a_trial_goes_to_the_disk_when_it_begins_and_when_it_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts, written = make(tmp_path, n_trials=20, journal=True), list[int]()
    run_trials(parts, 2)  # the next one is begun by then
    monkeypatch.setattr(os, "fsync", written.append)
    run_trials(parts, 10)
    assert len(written) == 20
