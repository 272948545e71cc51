"""The password of a study's database appears nowhere."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sweep.multihost.postgresql import PASSWORD, Server
from tests.sweep.multihost.several_hosts import assert_secret, launch, until
from tests.sweep.sweep_commands import OURS, command, finish
from tests.sweep.sweep_commands import start as started

SHARED = "hydra.sweeper.shared=true"

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(600)]


def test_a_typed_password_is_found_nowhere(tmp_path: Path, server: Server) -> None:
    folder = tmp_path / "sweep"
    few = ("hydra.sweeper.n_trials=2",)
    typed = f"hydra.sweeper.storage={server.url('127.0.0.1')}"
    one = launch(folder, 0, typed, *few)
    assert one.end().code == 0, one.text()
    assert_secret(folder, [one])
    assert (folder / "0/.hydra/hydra.yaml").read_text().count(":***@127.0.0.1") >= 1
    again = launch(folder, 1, typed, "hydra.sweeper.n_trials=3")
    assert again.end().code == 0, again.text()
    wrong = launch(folder, 2, f"{typed}x", *few)  # a database that is not there
    assert wrong.end().code == 1
    assert "cannot open the postgresql storage" in wrong.text()
    unreachable = launch(folder, 3, typed.replace("127.0.0.1", "127.0.0.1:1/x?"), *few)
    assert unreachable.end().code == 1
    assert_secret(folder, [one, again, wrong, unreachable])


def test_a_typed_password_is_not_said_where_a_real_sweep_is_stopped(
    tmp_path: Path, server: Server
) -> None:
    folder = tmp_path / "sweep"
    typed = f"hydra.sweeper.storage={server.url('127.0.0.1')}"
    real = ("search=sgd", "model=lenet", "epochs=100", "logger=tensorboard", SHARED)
    process = started(command(OURS, folder, typed, *real))
    until(lambda: (folder / "1/metrics.csv").exists(), "an epoch of trial 1")
    process.send_signal(signal.SIGINT)
    stopped = finish(process)
    assert stopped.code == 130
    assert "stopped; to resume: " in stopped.text
    assert PASSWORD not in stopped.text
    assert_secret(folder, [])
    unreadable = finish(started(command(OURS, folder, f"{typed}?a={{b", *real)))
    assert unreadable.code == 1
    assert "cannot read" in unreadable.text
    assert PASSWORD not in unreadable.text
    page = subprocess.run(
        [sys.executable, "-m", "cnnsweep.report", str(folder)], capture_output=True, check=True
    )
    assert b"index.html" in page.stdout
    assert list(folder.glob("*/tensorboard/*"))
    assert_secret(folder, [])
