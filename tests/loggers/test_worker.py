"""The process of one tracker ends with its run, however the run ends."""

import subprocess
from multiprocessing import Pipe
from pathlib import Path

import pytest

from cnnsweep.loggers.base import RunInfo, Setup
from cnnsweep.process import start_python


def test_it_goes_when_its_run_is_killed_with_an_answer_unread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CNNSWEEP_ALLOW", "tests.loggers.own_trackers.*")
    run = RunInfo(
        tmp_path, id="a", name="a", root=tmp_path, pid=1, config={"epochs": 1}, sweep=None
    )
    node = {"_target_": "tests.loggers.own_trackers.Notebook", "title": "mine"}
    setup = Setup("e", node, run, is_sweep=False, old_epochs=0, old_metrics=0, old_result=0)
    ours, theirs = Pipe()
    with theirs, (tmp_path / "printed").open("wb") as output:
        process = start_python("cnnsweep.loggers.worker", (theirs.fileno(),), output)
    ours.send(setup)
    assert ours.poll(60)  # it has said something
    ours.close()  # as the kernel does for a process that is gone: a reset, not an end
    try:
        assert process.wait(15) == 1
    except subprocess.TimeoutExpired:
        process.kill()
        raise
