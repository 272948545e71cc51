"""Whether an MLflow server is there is asked without a login, and said without a password."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from cnnsweep.errors import UserError
from cnnsweep.loggers.mlflow import reach


class Healthy(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/below/health" else 404)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None: ...


@pytest.fixture
def port() -> Iterator[int]:
    with HTTPServer(("127.0.0.1", 0), Healthy) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("login", ["", "me@", "me:SECRET@", "me:SE'C\"RET@"])
def test_a_server_is_found_with_a_login_in_its_address(login: str, port: int) -> None:
    reach(f"http://{login}127.0.0.1:{port}/below/", is_new=True)


@pytest.mark.parametrize(
    "address", ["me:SECRET@127.0.0.1:9", "me:SECRET@[::1", "me:SE/CRET@h", "me:SE'CRET@h:bad"]
)
def test_one_that_is_not_there_is_said_without_the_password(address: str) -> None:
    with pytest.raises(UserError, match="no MLflow server answers at") as raised:
        reach(f"http://{address}", is_new=True)
    assert "CRET" not in str(raised.value)
    assert raised.value.__cause__ is None
