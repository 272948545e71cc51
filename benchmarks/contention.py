"""Training on a machine that does something else too: ``python -m benchmarks.contention``.

Contestants are cnnsweep's default command (begun when the machine was quiet, begun beside the load,
and with one thread), the articles' loop and a bare loop, both with torch's default threads. They
stand beside programs that compute without end: none, one of nice 19, one, one a core, two a core;
and, where a control group can be made, in one of half the cores' quota. All but those begun beside
the load are started once and take turns, the others being stopped (SIGSTOP) meanwhile. What is
compared are the images a second of training that each tells of its epochs.
"""

import argparse
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from queue import Empty, Queue
from statistics import median
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any

from benchmarks.images import mnist_folder
from benchmarks.machine import facts
from benchmarks.peers.article import NETWORKS
from benchmarks.rows import RESULTS, print_rows, write_csv

_IMAGES = 640  # an epoch
_BATCH_SIZE = 32  # of the default command
_SPEED = re.compile(r"([\d,]+) images/s")
_LONGEST = 60.0  # seconds for a first epoch, for who all but stands still
_GROUPS = Path("/sys/fs/cgroup/cpu")  # version 1; the other is seldom ours to change
PLACES = ("nothing", "one of nice 19", "one", "one a core", "two a core", "half the cores' quota")


class Contestant:
    """A process that tells its images a second, a line an epoch; it stands still between turns."""

    def __init__(self, words: Sequence[str], folder: Path, group: Path | None = None) -> None:
        """``group`` is the control group that it begins in."""
        kept = {key: os.environ[key] for key in os.environ if not key.startswith(("OMP_", "GOMP_"))}
        self._process = subprocess.Popen(
            [sys.executable, "-m", *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=folder,
            env=kept | {"PYTHONPATH": str(Path(__file__).parent.parent)},
            preexec_fn=None if group is None else lambda: _enter(group),
        )
        self.pid = self._process.pid
        self._speeds: Queue[float] = Queue()
        Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if found := _SPEED.search(line):
                self._speeds.put(float(found[1].replace(",", "")))

    def turn(self, seconds: float) -> float:
        """Let it train, and stop it; its images a second, 0 if it ended no epoch in a minute.

        The first epoch does not count: it began in an earlier turn, or makes the kernels.
        """
        self._process.send_signal(signal.SIGCONT)
        while not self._speeds.empty():
            self._speeds.get()
        speeds: list[float] = []
        try:
            self._speeds.get(timeout=_LONGEST)
            ends = time.monotonic() + seconds
            speeds.append(self._speeds.get(timeout=_LONGEST))
            while (left := ends - time.monotonic()) > 0:
                speeds.append(self._speeds.get(timeout=left))
        except Empty:
            if self._process.poll() is not None:
                raise SystemExit(f"{self._process.args} ended by itself") from None
        self._process.send_signal(signal.SIGSTOP)
        return len(speeds) / sum(1 / speed for speed in speeds) if speeds else 0.0

    def end(self) -> None:
        self._process.kill()
        self._process.wait()


def _enter(group: Path) -> None:
    (group / "cgroup.procs").write_text(str(os.getpid()))


def main(words: Sequence[str] | None = None) -> None:
    """Measure, print the table, write the CSV."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.contention", description=__doc__)
    parser.add_argument("--models", nargs="+", default=list(NETWORKS), choices=NETWORKS)
    parser.add_argument("--places", nargs="+", default=list(PLACES), choices=PLACES)
    parser.add_argument(
        "--without-loops", action="store_true", help="cnnsweep alone: 5 times sooner"
    )
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each turn")
    parser.add_argument("--out", type=Path, default=RESULTS / "contention.csv")
    arguments = parser.parse_args(words)
    about = facts(("torch", "cnnsweep"))
    about["data"] = f"epochs of {_IMAGES} images, batches of {_BATCH_SIZE}"
    rows: list[dict[str, Any]] = []
    with mnist_folder(None) as (data, _):
        for model in arguments.models:
            rows += _of_a_model(model, data, arguments)
            write_csv(arguments.out, rows, about)
    print_rows(rows)


def _of_a_model(model: str, data: Path, arguments: argparse.Namespace) -> list[dict[str, Any]]:
    ours = ("cnnsweep", f"model={model}", f"data.train_limit={_IMAGES}", "epochs=1000000")
    loop = (model, str(data), str(_IMAGES), str(_BATCH_SIZE))
    commands = {
        "cnnsweep, begun quiet": ours,
        "cnnsweep, one thread": (*ours, "threads=1"),
    }
    if not arguments.without_loops:
        for kind, name in (("article", "articles' loop"), ("bare", "bare loop")):
            commands[name] = ("benchmarks.contention_loop", kind, *loop)
    rows = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        there = {}
        for name, words in commands.items():
            there[name] = Contestant(words, folder)
            stack.callback(there[name].end)
            there[name].turn(arguments.seconds)
        for place in arguments.places:
            found = _in_a_place(place, there, ours, folder, arguments)
            rows += [_row(model, place, name, speeds) for name, speeds in found.items()]
            for row in rows[-len(found) :]:
                print("  ".join(map(str, row.values())), flush=True)
    return rows


def _in_a_place(
    place: str,
    there: dict[str, Contestant],
    ours: Sequence[str],
    folder: Path,
    arguments: argparse.Namespace,
) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {name: [] for name in ("cnnsweep, begun beside it", *there)}
    if place == PLACES[-1] and not os.access(_GROUPS, os.W_OK):
        print(f"skipped: {place}: {_GROUPS} is not ours to change")
        return {}
    for _ in range(arguments.rounds):
        with _beside(place, [contestant.pid for contestant in there.values()]) as group:
            fresh = Contestant(ours, folder, group)
            try:
                found["cnnsweep, begun beside it"].append(fresh.turn(arguments.seconds))
            finally:
                fresh.end()
            for name, contestant in there.items():
                found[name].append(contestant.turn(arguments.seconds))
    return found


@contextmanager
def _beside(place: str, pids: Sequence[int]) -> Iterator[Path | None]:
    """In the block the load is there; a control group if that is the place, which ``pids`` are in.

    Each program has a session of its own, as if started from another terminal.
    """
    if place == PLACES[-1]:
        with _half_the_cores(pids) as group:
            yield group
        return
    cores = len(os.sched_getaffinity(0))
    count = {"nothing": 0, "one a core": cores, "two a core": 2 * cores}.get(place, 1)
    nice = "import os; os.nice(19)\n" if place == "one of nice 19" else ""
    command = [sys.executable, "-c", f"{nice}while True: pass"]
    programs = [subprocess.Popen(command, start_new_session=True) for _ in range(count)]
    try:
        yield None
    finally:
        for program in programs:
            program.kill()
            program.wait()


@contextmanager
def _half_the_cores(pids: Sequence[int]) -> Iterator[Path]:
    group = _GROUPS / "cnnsweep_contention"
    group.mkdir()
    try:
        period = int((group / "cpu.cfs_period_us").read_text())
        quota = period * len(os.sched_getaffinity(0)) // 2
        (group / "cpu.cfs_quota_us").write_text(str(quota))
        for pid in pids:
            (group / "cgroup.procs").write_text(str(pid))
        yield group
    finally:
        for pid in (group / "cgroup.procs").read_text().split():
            (_GROUPS / "cgroup.procs").write_text(pid)
        group.rmdir()


def _row(model: str, place: str, name: str, speeds: Sequence[float]) -> dict[str, Any]:
    return {
        "model": model,
        "beside": place,
        "contestant": name,
        "images_per_second": round(median(speeds)),
        "least": round(min(speeds)),
        "greatest": round(max(speeds)),
        "n": len(speeds),
    }


if __name__ == "__main__":
    main()
