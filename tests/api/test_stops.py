"""Runs from Python that are stopped: by Ctrl-C, with their script, by a signal of their own."""

import os
import re
import signal
import time
from pathlib import Path

import pytest

from cnnsweep.folders.run_folder import RunFolder
from tests.api.scripts import begin, output_of, wait_for, wait_until_free
from tests.command import QUICK, cnnsweep, succeeded

LONG = """
from cnnsweep.api import run
try:
    run(model="lenet", epochs=25, threads=1, pictures=False, data={"train_limit": 200}%s)
except KeyboardInterrupt:
    print("interrupted")
"""
SWEEP = """
from cnnsweep.api import sweep
sweep(model="lenet", epochs=25, threads=1, pictures=False, data={"train_limit": 200}, seed=[0, 1],
      folder="grid")
"""
EARLY = """
import os, signal, threading
from cnnsweep.api import run
for moment in (0.01, 0.1, 0.2, 0.5, 1.2):
    timer = threading.Timer(moment, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    try:
        run(model="lenet", epochs=25, threads=1, pictures=False, data={"train_limit": 200})
    except KeyboardInterrupt:
        print("interrupted")
    timer.cancel()
run(model="lenet", epochs=1, threads=1, pictures=False, data={"train_limit": 200}, folder="whole")
"""
WORDS = (*QUICK, "epochs=25")
COLUMNS = ("epoch", "train_loss", "val_loss", "val_accuracy")


def epochs(folder: Path) -> list[tuple[float | int | None, ...]]:
    """What does not depend on the clock."""
    return [tuple(row[name] for name in COLUMNS) for row in RunFolder(folder).read_metrics()]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[float | int | None, ...]]:
    """The epochs of a run that nobody stopped."""
    here = tmp_path_factory.mktemp("whole")
    succeeded(cnnsweep(*WORDS, "hydra.run.dir=run", cwd=here))
    return epochs(here / "run")


def test_ctrl_c_stops_the_run_and_the_command_resumes_it(
    tmp_path: Path, whole: list[tuple[float | int | None, ...]]
) -> None:
    script = begin(LONG % "", tmp_path)
    wait_for_epochs(tmp_path / "outputs")
    script.send_signal(signal.SIGINT)
    code, out, err = output_of(script)
    assert (code, out.splitlines()[-1]) == (0, "interrupted")
    (folder,) = tmp_path.glob("outputs/*/*")
    result = RunFolder(folder).read_result()
    assert result is not None
    assert result["status"] == "interrupted"
    said = re.search(r"stopped; to resume: python -m cnnsweep (.*)", err)
    assert said is not None, err
    assert f"run(resume={str(folder)!r})" in err
    succeeded(cnnsweep(f"resume={folder}", cwd=tmp_path))
    assert epochs(folder) == whole


def test_ctrl_c_while_things_are_imported_spoils_nothing(tmp_path: Path) -> None:
    """An import that is ended halfway would leave a module that no later call can import."""
    code, out, err = output_of(begin(EARLY, tmp_path))
    assert code == 0, err
    assert out.count("interrupted") >= 3  # the last ones may come too late
    assert "results: whole" in out
    assert "Traceback" not in err


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_run_does_not_outlive_its_script(
    number: signal.Signals, tmp_path: Path, whole: list[tuple[float | int | None, ...]]
) -> None:
    script = begin(LONG % ", folder='mine'", tmp_path)
    wait_for(tmp_path / "mine" / "metrics.csv", 3)
    script.send_signal(number)
    output_of(script)
    wait_until_free(tmp_path / "mine")
    result = RunFolder(tmp_path / "mine").read_result()
    assert result is not None
    assert result["status"] == "interrupted"
    code, out, err = output_of(begin(LONG % ", folder='mine'", tmp_path))
    assert (code, err) == (0, "")
    assert "results: mine" in out
    assert epochs(tmp_path / "mine") == whole


def test_a_sweep_does_not_outlive_its_script(tmp_path: Path) -> None:
    script = begin(SWEEP, tmp_path)
    wait_for(tmp_path / "grid" / "0" / "metrics.csv", 3)
    script.kill()
    output_of(script)
    wait_until_free(tmp_path / "grid")
    wait_until_free(tmp_path / "grid" / "0")
    out = succeeded(cnnsweep("resume=grid", cwd=tmp_path))
    assert "2 of 2 completed" in out


def test_a_command_that_is_killed(tmp_path: Path) -> None:
    text = LONG % ", folder='mine'" + "except Exception as e: print(type(e).__name__, e, e.folder)"
    script = begin(text, tmp_path)
    wait_for(tmp_path / "mine" / "metrics.csv", 3)
    process = int((tmp_path / "mine" / ".lock").read_text().split()[1])
    os.kill(process, signal.SIGKILL)
    code, out, _ = output_of(script)
    assert code == 0
    assert out.splitlines()[-1] == (
        "RunFailed the command was ended by SIGKILL: the machine may have been out of memory; "
        f"to resume: resume='{tmp_path}/mine' {tmp_path}/mine"
    )


def wait_for_epochs(outputs: Path) -> None:
    """Wait until the one run below a folder has trained some epochs."""
    end = time.monotonic() + 60
    while not (found := list(outputs.glob("*/*/metrics.csv"))):
        assert time.monotonic() < end
        time.sleep(0.02)
    wait_for(found[0], 3)
