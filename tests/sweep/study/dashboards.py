"""Starting optuna-dashboard as a person does, and asking it."""

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError

from tests.sweep.ports import free_port

SECONDS = 90


@contextmanager
def dashboard(storage: Path, log: Path) -> Iterator[str]:
    """optuna-dashboard serving a journal, up and answering; its address. It prints to ``log``."""
    port = free_port()
    program = Path(sys.executable).with_name("optuna-dashboard")
    with log.open("w") as out:
        served = subprocess.Popen(
            [str(program), str(storage), "--port", str(port), "--host", "127.0.0.1"],
            stdout=out,
            stderr=out,
        )
    try:
        address = f"http://127.0.0.1:{port}"
        _wait_until_up(address, served, log)
        yield address
    finally:
        served.terminate()
        served.wait()


def _wait_until_up(address: str, served: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            ask(f"{address}/api/meta")
            return
        except URLError as error:
            ended = served.poll()
            if ended is not None or time.monotonic() > deadline:
                state = "does not answer" if ended is None else f"ended with {ended}"
                raise AssertionError(f"{state} ({error}); it said:\n{log.read_text()}") from error
            time.sleep(0.1)


def ask(address: str) -> Any:
    """A page of its API."""
    # No proxies: those that a process saw at its first request stay with urllib's own opener.
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(address) as answer:
        return json.load(answer)
