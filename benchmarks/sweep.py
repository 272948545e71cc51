"""The same search by five contestants: ``python -m benchmarks.sweep --data DIR [--only …]``.

``search=sgd`` as it comes, and its space for the others: 16 trials of the ResNet on 9,000 training
and 1,000 validation images of MNIST, at most 9 epochs each, float32; two workers with one CPU
thread each. Typed is only what all contestants share. Each contestant runs alone, one after the
other, each seed in another order, in a process (and, the peers, an environment) of its own; wall
time counts from the start of its command to its end. ``ray, cnnsweep's loop`` tells scheduling and
loop apart. What is stopped keeps the searches that are over.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
import yaml

from benchmarks.environments import python_of
from benchmarks.images import mnist_folder, read_idx
from benchmarks.machine import facts
from benchmarks.race import Race, read_events, read_logs
from benchmarks.race_picture import curve_rows, draw
from benchmarks.rows import RESULTS, print_rows, write_csv
from benchmarks.standing import TARGETS, compared, standing
from cnnsweep.config import CONF_DIR
from cnnsweep.data.dataset import Images
from cnnsweep.data.split import limit, split

PEERS = Path(__file__).parent / "peers"
DIGITS = tuple("0123456789")  # the classes of MNIST
OURS, RAY_WITH_OURS = "cnnsweep", "ray, cnnsweep's loop"
CONTESTANTS = (OURS, "hydra", "lightning", "ray", RAY_WITH_OURS)
_TITLES = {
    OURS: "cnnsweep, search=sgd",
    "hydra": "Hydra's Optuna sweeper + joblib, articles' loop",
    "lightning": "Lightning + Hydra (template's stack)",
    "ray": "Ray Tune + ASHA, articles' loop",
    RAY_WITH_OURS: "Ray Tune + ASHA, cnnsweep's loop",
}
_FILE = CONF_DIR / "search" / "sgd.yaml"
# Our keys with what is tried of each, in the words of Hydra's own sweeper, which takes them too.
SPACE: dict[str, str] = yaml.safe_load(_FILE.read_text())["hydra"]["sweeper"]["params"]
_NUMBER = re.compile(r"\d[\d.e-]*")


def main(words: Sequence[str] | None = None) -> None:
    """Run the contestants, print the table, write the CSV and the picture."""
    arguments = _arguments(words)
    about = facts(("torch", "torchvision", "cnnsweep", "hydra-core", "optuna"))
    pythons = {
        name: python_of(_peer(name), arguments.environments)
        for name in arguments.only
        if name != OURS
    }
    about |= {"workers": f"{arguments.workers}, one CPU thread each", "space": str(SPACE)}
    races: list[Race] = []
    with mnist_folder(arguments.data) as (folder, data), TemporaryDirectory() as scratch:
        about["data"] = f"{arguments.images:,} images of {data}, a tenth for validation"
        for number, seed in enumerate(arguments.seeds):
            parts = Path(scratch) / f"split-{seed}.json"
            parts.write_text(json.dumps(_split(folder, arguments.images, seed)))
            once = arguments.once if number else []
            names = [name for name in arguments.only if name not in once]
            for name in names[number % len(names) :] + names[: number % len(names)]:
                place = Path(scratch) / f"{CONTESTANTS.index(name)}-{seed}"
                place.mkdir()
                race = _run(name, seed, place, parts, folder, pythons, arguments)
                races.append(race)
                _write(races, arguments, about)
                print(f"{race.name}, seed {seed}: {race.seconds:.1f} s", flush=True)
            print_rows(standing(races))
    if rows := compared(races, _TITLES[OURS]):
        print_rows(rows)


def _write(races: Sequence[Race], arguments: argparse.Namespace, about: dict[str, str]) -> None:
    """After each search, so that what is stopped keeps the rest."""
    out: Path = arguments.out
    write_csv(out, [_row(each, races, arguments.workers) for each in races], about)
    write_csv(out.with_name(f"{out.stem}_curves.csv"), curve_rows(races), about)
    draw(races, arguments.picture)


def _peer(name: str) -> str:
    """Whose environment it has."""
    return name.partition(",")[0]


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sweep", description=__doc__)
    add = parser.add_argument
    add("--data", type=Path, help="folder with MNIST/raw; made-up images without it")
    add("--only", nargs="+", default=list(CONTESTANTS), choices=CONTESTANTS)
    add("--seeds", nargs="+", type=int, default=[0], help="one search of each for each")
    add("--once", nargs="+", default=[], choices=CONTESTANTS, help="with the first seed alone")
    add("--trials", type=int, default=16)
    add("--epochs", type=int, default=9)
    add("--images", type=int, default=10_000)
    add("--workers", type=int, default=2)
    add(
        "--environments",
        type=Path,
        default=Path.home() / ".cache" / "cnnsweep-benchmarks",
        help="where the peers' environments are, or are made",
    )
    add("--out", type=Path, default=RESULTS / "sweep.csv")
    add("--picture", type=Path, default=Path("docs/pictures/sweep_race.png"))
    return parser.parse_args(words)


def _split(folder: Path, images: int, seed: int) -> dict[str, list[int]]:
    """The very images that cnnsweep takes with that seed, as indices for the peers."""
    labels = torch.tensor(read_idx(folder / "MNIST" / "raw" / "train-labels-idx1-ubyte")).long()
    numbers = torch.arange(len(labels)).view(-1, 1, 1, 1)  # an image that is its own index
    limited = limit(Images(numbers, labels), images, DIGITS)
    train, val = split(limited, 0.1, seed, DIGITS)
    assert val is not None
    return {"train": train.pixels.flatten().tolist(), "val": val.pixels.flatten().tolist()}


def _run(
    name: str,
    seed: int,
    place: Path,
    parts: Path,
    data: Path,
    pythons: dict[str, Path],
    arguments: argparse.Namespace,
) -> Race:
    events = place / "events.jsonl"
    setting = {
        "data": str(data.resolve()),
        "split": str(parts),
        "events": str(events),
        "epochs": arguments.epochs,
        "threads": 1,
        "seed": seed,
    }
    peer, paths = _peer(name), [str(PEERS)]
    if peer == "ray":
        paths += [str(Path.cwd())] if name == RAY_WITH_OURS else []
        file = place / "setting.json"
        more = {
            "trials": arguments.trials,
            "workers": arguments.workers,
            "images": arguments.images,
            "space": {_last(key): _numbers(text) for key, text in SPACE.items()},
            "loop": "cnnsweep" if name == RAY_WITH_OURS else "articles",
            "storage": str(place),
        }
        file.write_text(json.dumps(setting | more))
        command = [str(pythons[name]), str(PEERS / "ray_app.py"), str(file)]
    elif name != OURS:
        app = PEERS / f"{peer}_app.py"
        command = [str(pythons[name]), str(app), *_hydra_words(setting, seed, place, arguments)]
    else:
        paths = [str(Path.cwd())]
        command = _cnnsweep_words(data.resolve(), seed, place, arguments)
    # joblib's and Ray's workers import the app's modules too
    environment = dict(os.environ) | {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(paths)}
    started = time.time()
    with (place / "output.txt").open("w") as output:
        done = subprocess.run(
            command, cwd=place, env=environment, stdout=output, stderr=output, check=False
        )
    seconds, load = time.time() - started, os.getloadavg()[0]
    if done.returncode != 0:
        raise SystemExit(
            f"{name} ended with {done.returncode}:\n{(place / 'output.txt').read_text()}"
        )
    found = read_logs(place / "sweep", started) if name == OURS else read_events(events, started)
    return Race(_TITLES[name], seed, seconds, load, found)


def _last(key: str) -> str:
    return key.rpartition(".")[2]


def _numbers(text: str) -> list[float]:
    """Those in what is tried of a key: its ends, or its choices."""
    found = map(float, _NUMBER.findall(text))
    return [int(number) if text.startswith("choice") else number for number in found]


def _hydra_words(
    setting: dict[str, Any], seed: int, place: Path, arguments: argparse.Namespace
) -> list[str]:
    return [
        "--multirun",
        "hydra/sweeper=optuna",
        "hydra/launcher=joblib",
        f"hydra.launcher.n_jobs={arguments.workers}",
        f"hydra.sweeper.n_jobs={arguments.workers}",
        f"hydra.sweeper.n_trials={arguments.trials}",
        "hydra.sweeper.direction=maximize",
        f"hydra.sweeper.sampler.seed={seed}",
        f"hydra.sweep.dir={place / 'sweep'}",
        *(f"{_last(key)}={text}" for key, text in SPACE.items()),
        *(f"{key}={value}" for key, value in setting.items()),
    ]


def _cnnsweep_words(data: Path, seed: int, place: Path, arguments: argparse.Namespace) -> list[str]:
    return [
        *(sys.executable, "-m", "cnnsweep", "--multirun", "search=sgd", "model=resnet"),
        *("data=mnist", f"data.root={data}", f"data.train_limit={arguments.images}"),
        *("data.val_fraction=0.1", f"epochs={arguments.epochs}", f"seed={seed}"),
        f"hydra.sweeper.n_trials={arguments.trials}",
        f"hydra.sweeper.n_jobs={arguments.workers}",
        f"hydra.sweep.dir={place / 'sweep'}",
    ]


def _row(race: Race, races: Sequence[Race], workers: int) -> dict[str, Any]:
    hydra = [r.seconds for r in races if r.name == _TITLES["hydra"] and r.seed == race.seed]
    times = {f"seconds_to_{target}": race.seconds_to(target) for target in TARGETS}
    return {
        "contestant": race.name,
        "seed": race.seed,
        "seconds": round(race.seconds, 1),
        "share_of_hydras": round(race.seconds / hydra[0], 3) if hydra else "",
        "trials": race.trials,
        "epochs": race.epochs,
        "best_val_accuracy": round(race.best, 4),
        **{name: "" if found is None else round(found, 1) for name, found in times.items()},
        "idle_share": round(race.idle(workers), 3),
        "load": round(race.load, 1),
    }


if __name__ == "__main__":
    main()
