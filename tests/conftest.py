"""Runs that several tests look at."""

import signal
from pathlib import Path

import pytest

from tests.command import TINY, cnnsweep, succeeded

# Started in the background of a script, we would hand "ignore Ctrl-C" on to every command.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished small run; nobody may change it."""
    folder = tmp_path_factory.mktemp("tiny") / "run"
    succeeded(cnnsweep(*TINY, f"hydra.run.dir={folder}", cwd=folder.parent))
    return folder
