import fcntl
import json
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from cnnsweep.loggers.base import alone
from tests.command import QUICK, REPOSITORY, SECONDS, TINY, cnnsweep, complaint_of, start, succeeded
from tests.run_files import assert_same, result

ALLOWED = {"CNNSWEEP_ALLOW": "tests.loggers.own_trackers.*", "PYTHONPATH": str(REPOSITORY)}


def own(name: str, kind: str) -> str:
    return f"+logger.{name}._target_=tests.loggers.own_trackers.{kind}"


def notes(folder: Path) -> list[list[Any]]:
    """What the Notebook called ``e`` was told, once it has written all of it."""
    with alone(folder, "e"):
        lines = (folder / "recorded.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def warnings_about(name: str, text: str) -> list[str]:
    return [line for line in text.splitlines() if f"warning: logger {name}:" in line]


def has_let_go(folder: Path, name: str) -> bool:
    """Whether a tracker's process is gone, or goes at once."""
    deadline = time.monotonic() + 10
    with (folder / ".trackers" / f"{name}.lock").open() as file:
        while time.monotonic() < deadline:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(0.05)
            else:
                return True
    return False


def test_loggers_that_raise_hang_or_meddle_change_nothing(tiny_run: Path, tmp_path: Path) -> None:
    bad = (
        own("a", "Raising"),
        own("b", "Hanging"),
        own("c", "HangingAtOnce"),
        own("d", "Meddling"),
        own("f", "Stuck"),
    )
    good = (own("e", "Notebook"), "+logger.e.title=mine")
    arguments = (*TINY, "logger=tensorboard", *bad, *good, "hydra.run.dir=run")
    done = cnnsweep(*arguments, cwd=tmp_path, **ALLOWED)
    succeeded(done)
    folder = tmp_path / "run"
    assert_same(tiny_run, folder)
    (line,) = warnings_about("a", done.stderr)
    assert "RuntimeError: no room for epoch 1; the run goes on without it" in line
    assert has_let_go(folder, "f")
    for name in ("b", "c", "f"):
        (line,) = warnings_about(name, done.stderr)
        assert "not done after" in line
    assert not [line for line in warnings_about("d", done.stderr) if "without it" in line]
    assert line in (folder / "cnnsweep.log").read_text()
    told = notes(folder)
    assert [word for word, _ in told] == ["made", "started", "epoch_ended", "epoch_ended", "ended"]
    assert told[0][1] == ["mine", "run", 2]
    assert told[-1][1] == ["completed", True]
    assert list((folder / "tensorboard").iterdir())


def test_the_outcome_waits_for_no_tracker_and_the_checkpoints_go_after_it(tmp_path: Path) -> None:
    arguments = (*QUICK, "keep=none", own("b", "Hanging"), "hydra.run.dir=run")
    folder, deadline = tmp_path / "run", time.monotonic() + SECONDS
    process = start(*arguments, cwd=tmp_path, **ALLOWED)
    for is_there in (True, False):  # first it comes, then it goes
        while (folder / "last.pt").exists() != is_there:
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.001)
    assert result(folder)["status"] == "completed"
    process.send_signal(signal.SIGTERM)  # it waits for the tracker
    _, errors = process.communicate()
    assert process.returncode == 143, errors
    again = succeeded(cnnsweep(*arguments, cwd=tmp_path, **ALLOWED))
    assert "already finished" in again
    assert list(folder.glob("*.pt")) == []


def test_a_logger_that_refuses_its_config_ends_the_run_before_any_training(tmp_path: Path) -> None:
    # By itself: it imports torch as long as its tracker does, for which it waits a few seconds.
    words = (*QUICK, own("own", "Refusing"), "hydra.run.dir=run")
    process = start(*words, cwd=tmp_path, **ALLOWED)
    done = subprocess.CompletedProcess(words, 0, *process.communicate(timeout=SECONDS))
    done.returncode = process.returncode
    assert "logger.own.key=7 is not what I want" in complaint_of(done)
    assert not (tmp_path / "run" / "last.pt").exists()


def test_keys_that_a_logger_does_not_know_are_named(tmp_path: Path) -> None:
    typed = (own("own", "Raising"), "+logger.own.colour=red")
    done = cnnsweep(*QUICK, *typed, cwd=tmp_path, **ALLOWED)
    line = complaint_of(done)
    assert "logger.own" in line
    assert "colour" in line


def test_a_logger_that_nobody_allowed_is_refused(tmp_path: Path) -> None:
    done = cnnsweep(*QUICK, own("own", "Raising"), cwd=tmp_path, PYTHONPATH=str(REPOSITORY))
    assert "CNNSWEEP_ALLOW='tests.*'" in complaint_of(done)
    assert not (tmp_path / "outputs").exists()


@pytest.mark.parametrize("package", ["tensorboard", "mlflow", "wandb"])
def test_without_its_package_one_line_says_how_to_get_it(package: str, tmp_path: Path) -> None:
    (tmp_path / f"{package}.py").write_text(f"raise ModuleNotFoundError('{package}')\n")
    done = cnnsweep(*QUICK, f"logger={package}", cwd=tmp_path, PYTHONPATH=str(tmp_path))
    assert f"pip install -e '.[{package}]'" in complaint_of(done)
    assert not list(tmp_path.glob("outputs/*/*/last.pt"))


def test_a_run_that_goes_on_tells_its_epochs_as_history(
    tmp_path: Path,
) -> None:
    arguments = (*QUICK, own("e", "Notebook"), "+logger.e.title=mine", "hydra.run.dir=run")
    succeeded(cnnsweep(*arguments, cwd=tmp_path, **ALLOWED))
    folder = tmp_path / "run"
    assert notes(folder)
    (folder / "result.json").unlink()
    (folder / "recorded.jsonl").unlink()
    succeeded(cnnsweep(*arguments, cwd=tmp_path, **ALLOWED))
    told = notes(folder)
    assert [word for word, _ in told] == ["made", "started", "ended"]
    assert [row["epoch"] for row in told[1][1]] == [1, 2]
