"""The study is open while it runs and after: to Optuna and to its dashboard."""

import json
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError

from tests.sweep.driving import TOY, TOY_SPACE, command, finish, start, study


@contextmanager
def dashboard(storage: Path) -> Iterator[str]:
    """optuna-dashboard serving a journal; its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = Path(sys.executable).with_name("optuna-dashboard")
    served = subprocess.Popen(
        [str(program), str(storage), "--port", str(port), "--host", "127.0.0.1"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield f"http://127.0.0.1:{port}/api"
    finally:
        served.terminate()
        served.wait()


def ask(address: str) -> Any:
    """A page of its API, waiting for it to come up."""
    for _ in range(900):
        try:
            with urllib.request.urlopen(address) as answer:
                return json.load(answer)
        except URLError:
            time.sleep(0.1)
    raise TimeoutError(address)


def ask_until_none_runs(address: str) -> list[dict[str, Any]]:
    """The trials of a study; the dashboard reads its storage again after some seconds."""
    while True:
        trials: list[dict[str, Any]] = ask(address)["trials"]
        if "Running" not in {trial["state"] for trial in trials} and len(trials) == 3:
            return trials
        time.sleep(0.5)


def test_the_dashboard_shows_a_sweep_that_runs_and_one_that_is_over(tmp_path: Path) -> None:
    folder, hold = tmp_path / "sweep", tmp_path / "hold"
    hold.touch()
    settings = (*TOY_SPACE, "hydra.sweeper.n_trials=3", "epochs=2", f"hold={hold}")
    process = start(command(TOY, folder, *settings))
    while not (folder / "0").exists():
        time.sleep(0.05)
    with dashboard(folder / "study.journal") as address:
        (summary,) = ask(f"{address}/studies")["study_summaries"]
        assert summary["study_name"] == "cnnsweep"
        detail = f"{address}/studies/{summary['study_id']}"
        assert "Running" in {trial["state"] for trial in ask(detail)["trials"]}
        hold.unlink()
        done = finish(process)
        assert done.code == 0, done.text
        trials = ask_until_none_runs(detail)
    assert {trial["state"] for trial in trials} <= {"Complete", "Pruned"}
    folders = [{a["key"]: a["value"] for a in trial["user_attrs"]}["folder"] for trial in trials]
    assert [folder.strip('"') for folder in folders] == ["0", "1", "2"]
    check_that_folders_and_trials_know_each_other(folder)


def check_that_folders_and_trials_know_each_other(folder: Path) -> None:
    for trial in study(folder).trials:
        run = folder / trial.user_attrs["folder"]
        assert run.name == str(trial.number)
        overrides = (run / ".hydra/overrides.yaml").read_text()
        assert f"lr={trial.params['lr']}" in overrides
