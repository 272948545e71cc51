"""The garbage collector stays out of a process's start and end; stops are never lost."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

_RUN = """
import gc, sys
from cnnsweep import epoch_reporter
from cnnsweep.cli import main

class Asker:
    def epoch_ended(self, epoch, figures):
        print("collects", gc.isenabled(), "left alone", gc.get_freeze_count() > 100_000)

epoch_reporter.current = Asker()
sys.argv[1:] = ["epochs=1", "data.train_limit=100", "pictures=false", "hydra.run.dir=run"]
main()
"""
_END = """
import gc
from cnnsweep.process import postpone_collection

class Watched:
    pass

def told(phase, info):
    if phase == "start":
        print("collected", flush=True)

gc.collect()
gc.callbacks.append(told)
postpone_collection()
for _ in range(100_000):
    ring = Watched()
    ring.ring = ring
print("end", flush=True)
"""


def _printed(code: str, folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_a_run_collects_while_it_trains_and_leaves_alone_what_was_imported(tmp_path: Path) -> None:
    assert "collects True left alone True" in _printed(_RUN, tmp_path)


def test_a_start_collects_nothing(tmp_path: Path) -> None:
    before_the_end, _, _ = _printed(_END, tmp_path).partition("end")
    assert "collected" not in before_the_end


_STOPPED_IMPORT = """
import logging, sys
from cnnsweep.process import raise_on_stops

class Stop:
    def find_spec(self, name, path=None, target=None):
        if hasattr(sys.modules.get("torch._subclasses.fake_tensor"), "dump_cache_stats"):
            sys.meta_path.remove(self)
            raise KeyboardInterrupt

logging.basicConfig(level=logging.INFO, stream=sys.stdout)
raise_on_stops()
sys.meta_path.insert(0, Stop())
try:
    import torch
except KeyboardInterrupt:
    print("stopped")
"""


def test_torch_logs_nothing_where_its_import_is_stopped(tmp_path: Path) -> None:
    assert _printed(_STOPPED_IMPORT, tmp_path) == "stopped\n"


@pytest.mark.parametrize(("typed", "level"), [("+all", 10), ("all", 20)])
def test_what_torch_is_to_log_is_the_users_to_say(
    typed: str, level: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_LOGS", typed)
    code = "from cnnsweep.process import raise_on_stops\nraise_on_stops()\nimport logging, torch\n"
    assert _printed(f"{code}print(logging.getLogger('torch').level)", tmp_path) == f"{level}\n"


HELD = """
import os, signal, threading, time
from cnnsweep.process import Terminated, held_back, raise_on_stops
raise_on_stops()
threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
try:
    with held_back():
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.2)
        print("whole", flush=True)
    print("too late")
except Terminated:
    print("terminated")
os._exit(0)
"""


def test_a_signal_is_held_back_though_another_thread_takes_it(tmp_path: Path) -> None:
    assert _printed(HELD, tmp_path).split() == ["whole", "terminated"]


# What the code of others does with a stop: one makes an error of it, one prints it and goes on.
LOSING = """
import os, signal, sys
from cnnsweep import epoch_reporter, hydra_callback
from cnnsweep.cli import main

def lost(number, *_, **__):
    try:
        os.kill(os.getpid(), number)
        sum(range(1000))
    except BaseException:
        if {error}:
            raise TypeError("argument of type 'NoneType' is not iterable") from None

def once(function):
    def called(*arguments, **keywords):
        lost(signal.{number})
        return function(*arguments, **keywords)
    return called

class Asker:
    def epoch_ended(self, epoch, figures):
        lost(signal.{number})

{where}
sys.argv[1:] = [*{words}, "epochs=3", "model=lenet", "data.train_limit=100", "pictures=false"]
main()
"""
PLACES = {
    "as a run begins": (
        "hydra_callback.checked_run = once(hydra_callback.checked_run)",
        ["optim.lr=0.1"],
    ),
    "as a sweep begins": (
        "hydra_callback.check_jobs = once(hydra_callback.check_jobs)",
        ["--multirun", "seed=0,1"],
    ),
    "between epochs": (
        "epoch_reporter.current = Asker()",
        ["hydra.run.dir=run"],
    ),
    "in a sweep": (
        "from cnnsweep.sweep.event_loop import EventLoop; EventLoop.step = once(EventLoop.step)",
        ["--multirun", "seed=0,1", "hydra.sweep.dir=sweep"],
    ),
}


@pytest.mark.parametrize(
    ("number", "code", "error"),
    [("SIGINT", 130, True), ("SIGTERM", 143, False)],
    ids=["Ctrl-C becomes another error", "SIGTERM is swallowed"],
)
@pytest.mark.parametrize("place", PLACES)
def test_a_stop_that_others_lose_ends_the_command_all_the_same(
    place: str, number: str, code: int, error: bool, tmp_path: Path
) -> None:
    where, words = PLACES[place]
    text = LOSING.format(number=number, error=error, where=where, words=words)
    done = subprocess.run(
        [sys.executable, "-c", text], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stderr
    made = [*tmp_path.rglob(".hydra"), *tmp_path.rglob("multirun.yaml")]
    assert ("stopped; to resume: " in done.stderr) == bool(made)
    assert not list(tmp_path.rglob("metrics.csv")) or place == "between epochs"
    if place == "between epochs":
        result = json.loads((tmp_path / "run" / "result.json").read_text())
        assert (result["status"], result["epochs"]) == ("interrupted", 1)


def test_no_error_before_a_run_begins_lets_hydra_begin_another(tmp_path: Path) -> None:
    where = "hydra_callback.checked_run = lambda config: None in None"
    text = LOSING.format(number="SIGINT", error=True, where=where, words=["optim.lr=0.1"])
    done = subprocess.run(
        [sys.executable, "-c", text], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "error: TypeError: argument of type 'NoneType' is not iterable"
    ]
    assert not any(tmp_path.iterdir())
