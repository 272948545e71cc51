"""The garbage collector stays out of a process's start and end, and works in between."""

import subprocess
import sys
from pathlib import Path

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


HELD = """
import os, signal, threading, time
from cnnsweep.process import Terminated, held_back, raise_on_sigterm
raise_on_sigterm()
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
