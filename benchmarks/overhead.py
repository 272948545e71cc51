"""What is paid besides training: ``python -m benchmarks.overhead [--data DIR] [--only …]``.

A no-op trial: the time of a search of many trials less that of one of few, over the difference,
with one worker; the task returns at once. A switch: what an epoch costs more whose worker trained
another trial before. Start-up: `--help` beside that of a bare Hydra app, and a run's first second.
Imports. The first epoch (first_epoch.py). Many trials, where asked for (many_trials.py). Memory:
four workers on MNIST, as the kernel counts it (PSS: pages that several processes share are counted
once in all), sampled five times a second.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import psutil

from benchmarks import first_epoch, many_trials
from benchmarks.images import mnist_folder
from benchmarks.machine import facts
from benchmarks.rows import RESULTS, print_rows, write_csv

HERE = Path(__file__).parent
IMPORTS = ("hydra", "cnnsweep.cli", "optuna", "torch", "cnnsweep.run", "cnnsweep.session.plots")
_FEW, _MANY = 5, 105
Row = dict[str, Any]


def main(words: Sequence[str] | None = None) -> None:
    """Measure, print the table, write the CSV."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.overhead", description=__doc__)
    parser.add_argument("--data", type=Path, help="folder with MNIST/raw; made-up without it")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--share", type=float, default=1.0, help="of `many`'s trials")
    parser.add_argument("--only", nargs="+", choices=[*PARTS, "many"], default=list(PARTS))
    parser.add_argument("--out", type=Path, default=RESULTS / "overhead.csv")
    arguments = parser.parse_args(words)
    about = facts(("torch", "cnnsweep", "hydra-core", "optuna"))
    rows: list[Row] = []
    with mnist_folder(arguments.data) as (folder, data):
        for name in arguments.only:
            if name == "many":
                rows += many(arguments.share)
            else:
                rows += PARTS[name](arguments.repeats, folder.resolve())
            print(rows[-1], flush=True)
    write_csv(arguments.out, rows, about | {"data": data})
    print_rows(rows)


def help_time(repeats: int, _data: Path) -> list[Row]:
    """`--help` of cnnsweep and of a bare Hydra app in turn, by CPU time and by wall time."""
    ours = [sys.executable, "-m", "cnnsweep", "--help"]
    bare = [sys.executable, str(HERE / "bare_app.py"), "--help"]
    pairs = [(_seconds(ours), _seconds(bare)) for _ in range(repeats)]
    rows = []
    for kind, name in enumerate(("wall", "CPU")):
        rows += [
            _row(f"--help, cnnsweep, {name} time", "ms", [1e3 * a[kind] for a, _ in pairs]),
            _row(f"--help, bare Hydra app, {name} time", "ms", [1e3 * b[kind] for _, b in pairs]),
            _row(f"--help, ratio of {name} times", "", [a[kind] / b[kind] for a, b in pairs]),
        ]
    return rows


def imports(repeats: int, _data: Path) -> list[Row]:
    """A new interpreter that imports one module, less one that imports nothing."""
    rows = []
    for module in IMPORTS:
        found = []
        for _ in range(repeats):
            nothing = _seconds([sys.executable, "-c", "pass"])[1]
            found.append(1e3 * (_seconds([sys.executable, "-c", f"import {module}"])[1] - nothing))
        rows.append(_row(f"import {module}, CPU time", "ms", found))
    return rows


def a_run(repeats: int, _data: Path) -> list[Row]:
    """From the command to its end: one epoch of LeNet on 200 images, no pictures."""
    found = []
    for _ in range(repeats):
        with TemporaryDirectory() as folder:
            words = ("model=lenet", "epochs=1", "data.train_limit=200", "pictures=false")
            command = [sys.executable, "-m", "cnnsweep", *words, f"hydra.run.dir={folder}/run"]
            found.append(_seconds(command))
    return [
        _row("a run of one epoch of 200 images, wall time", "s", [wall for wall, _ in found]),
        _row("a run of one epoch of 200 images, CPU time", "s", [cpu for _, cpu in found]),
    ]


def to_first_epoch(repeats: int, _data: Path) -> list[Row]:
    """See first_epoch.py."""
    return [_row(*figure) for figure in first_epoch.figures(repeats, _env())]


def many(share: float) -> list[Row]:
    """See many_trials.py."""
    return [_row(*figure) for figure in many_trials.figures(_env(), share)]


def noop_trial(repeats: int, _data: Path) -> list[Row]:
    """What the sweeper costs for each trial, with one worker, and what the job itself costs.

    The job itself is Hydra's: composing its config, its folder, its log. Hydra's own grid does
    that and no more, one job after the other in one process (less a second composition of each
    job, its check, which noop_app.py spares it).
    """
    kinds: dict[str, Callable[[int], tuple[str, ...]]] = {
        "a no-op trial": _trials,
        "a no-op job of Hydra's own grid": _grid_jobs,
    }
    costs: dict[str, list[tuple[float, float]]] = {kind: [] for kind in kinds}
    for _ in range(min(repeats, 3)):
        for kind, words in kinds.items():
            few, many = (_noop_sweep(words(count)) for count in (_FEW, _MANY))
            each = [1e3 * (b - a) / (_MANY - _FEW) for a, b in zip(few, many, strict=True)]
            costs[kind].append((each[0], each[1]))
    rows = []
    for number, time_kind in enumerate(("wall time", "CPU time of all processes")):
        by_kind = [[cost[number] for cost in costs[kind]] for kind in kinds]
        for kind, values in zip(kinds, by_kind, strict=True):
            rows.append(_row(f"{kind}, {time_kind}", "ms", values))
        beyond = [ours - bare for ours, bare in zip(*by_kind, strict=True)]
        rows.append(_row(f"a trial beyond its job, {time_kind}", "ms", beyond))
    return rows


def _trials(count: int) -> tuple[str, ...]:
    sweeper = ("hydra/sweeper=optuna", "hydra.sweeper.n_jobs=1", "hydra.sweeper.direction=minimize")
    return (*sweeper, "x=interval(0, 1)", f"hydra.sweeper.n_trials={count}")


def _grid_jobs(count: int) -> tuple[str, ...]:
    return (f"x=range(0, {count})", "hydra/launcher=basic")


def _noop_sweep(words: Sequence[str]) -> tuple[float, float]:
    with TemporaryDirectory() as folder:
        app = [sys.executable, str(HERE / "noop_app.py"), "--multirun"]
        return _seconds([*app, *words, f"hydra.sweep.dir={folder}/sweep"])


def switch(repeats: int, data: Path) -> list[Row]:
    """A worker's change to another, paused trial, as the CPU time that an epoch has more.

    Its wall time waits for the disk as well, and for whatever else the machine does.
    """
    rows = []
    for model, images in (("lenet", 10_000), ("resnet", 10_000), ("lenet", 60_000)):
        with TemporaryDirectory() as folder:
            out, count = Path(folder) / "out.json", 2 * repeats
            words = (
                *("--multirun", "search=sgd", f"model={model}", "data=mnist", f"data.root={data}"),
                *("epochs=100", "data.val_fraction=0.1", f"data.train_limit={images}"),
                f"hydra.sweep.dir={folder}/sweep",
            )
            app = [sys.executable, "-m", "benchmarks.switching_app", str(out), str(count)]
            _seconds([*app, *words])
            found = json.loads(out.read_text())
        for number, kind in enumerate(("wall", "CPU")):
            went_on = median(seconds[number] for seconds in found["went_on"])
            beyond = [seconds[number] - went_on for seconds in found["switched"]]
            what = f"{model}, {images:,} images"
            rows += [
                _row(f"a switch, {what}, {kind} time", "ms", [1e3 * x for x in beyond]),
                _row(f"a switch, {what}, share of its epoch", kind, [x / went_on for x in beyond]),
            ]
    return rows


def memory(_repeats: int, data: Path) -> list[Row]:
    """Peak of a search's launching process and its four workers."""
    with TemporaryDirectory() as folder:
        words = (
            *("--multirun", "hydra/sweeper=optuna", "model=lenet", "data=mnist", "epochs=2"),
            *("hydra.sweeper.n_jobs=4", "hydra.sweeper.n_trials=4", "pictures=false"),
            *("optim.lr=interval(0.1, 0.9)", f"data.root={data}", "data.batch_size=256"),
            f"hydra.sweep.dir={folder}/sweep",
        )
        process = subprocess.Popen(
            [sys.executable, "-m", "cnnsweep", *words], stdout=subprocess.DEVNULL, env=_env()
        )
        peak = {"pss": 0.0, "rss": 0.0}
        while process.poll() is None:
            for kind, size in _tree(process.pid).items():
                peak[kind] = max(peak[kind], size)
            time.sleep(0.2)
    if process.returncode != 0:
        raise SystemExit(f"the search of four workers ended with {process.returncode}")
    return [
        _row("memory of a search with 4 workers on MNIST, PSS", "GB", [peak["pss"] / 1e9]),
        _row("the same, sum of RSS", "GB", [peak["rss"] / 1e9]),
    ]


def _tree(pid: int) -> dict[str, float]:
    total = {"pss": 0.0, "rss": 0.0}
    try:
        root = psutil.Process(pid)
        everyone = [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return total
    for process in everyone:
        try:
            found = process.memory_full_info()
        except (psutil.NoSuchProcess, psutil.AccessDenied):  # it ended meanwhile
            continue
        total["pss"] += found.pss
        total["rss"] += found.rss
    return total


def _seconds(command: Sequence[str]) -> tuple[float, float]:
    """Wall and CPU seconds of a command with all its processes."""
    started, before = time.perf_counter(), os.times()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=_env())
    after = os.times()
    cpu = after.children_user + after.children_system
    return time.perf_counter() - started, cpu - before.children_user - before.children_system


def _env() -> dict[str, str]:
    return dict(os.environ) | {"PYTHONPATH": str(HERE.parent)}


def _row(what: str, unit: str, values: Sequence[float]) -> Row:
    return {
        "what": what,
        "unit": unit,
        "median": round(median(values), 3),
        "least": round(min(values), 3),
        "greatest": round(max(values), 3),
        "n": len(values),
    }


PARTS: dict[str, Callable[[int, Path], list[Row]]] = {
    "help": help_time,
    "imports": imports,
    "run": a_run,
    "first_epoch": to_first_epoch,
    "trial": noop_trial,
    "switch": switch,
    "memory": memory,
}

if __name__ == "__main__":
    main()
