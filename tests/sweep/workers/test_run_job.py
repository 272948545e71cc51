"""A worker that is told to end says so, whatever became of the signal on the way."""

import subprocess
import sys
from pathlib import Path

_RUN = """
import os, signal
from pathlib import Path
from types import SimpleNamespace
from omegaconf.errors import ConfigKeyError
from cnnsweep.process import Terminated, raise_on_stops
from cnnsweep.sweep.spec.messages import Job
from cnnsweep.sweep.workers.run_job import run

def compose(*_):
    try:
        os.kill(os.getpid(), signal.SIGTERM)
        sum(range(1000))
    except BaseException:
        raise ConfigKeyError("'NoneType' object has no attribute") from None

raise_on_stops()
context = SimpleNamespace(folder=Path.cwd(), compose=compose)
try:
    print(run(Job(0, 0, 0, "0", 0, (), False), context, None, 1))
except Terminated:
    print("terminated")
"""


def test_a_job_whose_config_a_stop_has_spoilt_has_not_failed(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _RUN], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["terminated"]
    assert not any(tmp_path.iterdir())
