"""What tests of sweeps start for themselves."""

from collections.abc import Iterator

import pytest

from tests.sweep.multihost.postgresql import Server, missing, running
from tests.sweep.sweep_commands import end_all


@pytest.fixture(autouse=True)
def no_sweep_left_running() -> Iterator[None]:
    """Those that a failed test did not bring to their end."""
    yield
    end_all()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    if missing():
        pytest.skip(f"this machine lacks {', '.join(missing())}")
    with running() as server:
        yield server
