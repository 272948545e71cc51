"""What tests of sweeps start for themselves."""

from collections.abc import Iterator
from importlib.util import find_spec

import pytest

from tests.sweep import postgresql
from tests.sweep.postgresql import Server, running


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    if postgresql.programs() is None or find_spec("psycopg") is None:
        pytest.skip("needs PostgreSQL's programs and the extra postgres")
    with running() as server:
        yield server
