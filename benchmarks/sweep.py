"""The same search by five contestants: ``python -m benchmarks.sweep --data DIR [--only …]``.

16 trials of the ResNet on 9,000 training and 1,000 validation images of MNIST, at most 9 epochs
each, over learning rate, momentum and batch size; two workers with one CPU thread each. Each
contestant runs alone, one after the other, in a process (and, the peers, an environment) of its
own; wall time counts from the start of its command to its end.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from benchmarks.environments import python_of
from benchmarks.images import mnist_folder, read_idx
from benchmarks.machine import facts
from benchmarks.race import Race, draw, read_events, read_logs
from benchmarks.rows import RESULTS, print_rows, write_csv
from benchmarks.standing import compared, standing
from cnnsweep.data.dataset import Images
from cnnsweep.data.split import limit, split

PEERS = Path(__file__).parent / "peers"
DIGITS = tuple("0123456789")  # the classes of MNIST
CONTESTANTS = (
    *("cnnsweep bfloat16", "cnnsweep float32", "cnnsweep bfloat16, default search"),
    *("hydra", "lightning", "ray"),
)
# For few trials of a network that learns from its first epoch on: the median from the second epoch
# and the third trial on; TPE over all parameters together after four trials.
_FEW_TRIALS = (
    *("hydra/sweeper/pruner=median", "hydra.sweeper.pruner.n_startup_trials=2"),
    "hydra.sweeper.pruner.n_warmup_steps=1",
    *("hydra.sweeper.sampler.multivariate=true", "hydra.sweeper.sampler.n_startup_trials=4"),
)
SPACE: dict[str, list[Any]] = {
    "lr": [1e-3, 0.3],
    "momentum": [0.0, 0.95],
    "batch_size": [32, 64, 128, 256],
}
_TITLES = {
    "hydra": "Hydra's Optuna sweeper + joblib, articles' loop",
    "lightning": "Lightning + Hydra (template's stack)",
    "ray": "Ray Tune + ASHA, articles' loop",
}


def main(words: Sequence[str] | None = None) -> None:
    """Run the contestants, print the table, write the CSV and the picture."""
    arguments = _arguments(words)
    about = facts(("torch", "torchvision", "cnnsweep", "hydra-core", "optuna"))
    pythons = {
        name: python_of(name, arguments.environments) for name in arguments.only if name in _TITLES
    }
    about |= {"workers": f"{arguments.workers}, one CPU thread each", "space": str(SPACE)}
    races: list[Race] = []
    rows: list[dict[str, Any]] = []
    with mnist_folder(arguments.data) as (folder, data), TemporaryDirectory() as scratch:
        about["data"] = f"{arguments.images:,} images of {data}, a tenth for validation"
        for seed in arguments.seeds:
            parts = Path(scratch) / f"split-{seed}.json"
            parts.write_text(json.dumps(_split(folder, arguments.images, seed)))
            once = arguments.once if seed != arguments.seeds[0] else []
            for name in (name for name in arguments.only if name not in once):
                place = Path(scratch) / f"{name.replace(' ', '_').replace(',', '')}-{seed}"
                place.mkdir()
                race = _run(name, seed, place, parts, folder, pythons, arguments)
                races.append(race)
                rows = [_row(each, races, arguments.workers) for each in races]
                write_csv(arguments.out, rows, about)  # after each: what is stopped keeps the rest
                draw(races, arguments.picture)
                print(f"{race.name}, seed {seed}: {race.seconds:.1f} s", flush=True)
    print_rows(rows)
    print_rows(standing(races))
    print_rows(compared(races, list(_TITLES.values())))


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
    if name == "ray":
        file = place / "setting.json"
        more = {"trials": arguments.trials, "workers": arguments.workers, "space": SPACE}
        file.write_text(json.dumps(setting | more | {"storage": str(place)}))
        command = [str(pythons[name]), str(PEERS / "ray_app.py"), str(file)]
    elif name in pythons:
        app = PEERS / f"{name}_app.py"
        command = [str(pythons[name]), str(app), *_hydra_words(setting, seed, place, arguments)]
    else:
        command = _cnnsweep_words(name, data.resolve(), seed, place, arguments)
    environment = dict(os.environ) | {"OMP_NUM_THREADS": "1"}
    if name in pythons:
        environment["PYTHONPATH"] = str(PEERS)  # joblib's workers import the app's modules too
    else:
        environment["PYTHONPATH"] = str(Path.cwd())
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
    found = read_events(events, started) if name in pythons else read_logs(place / "sweep", started)
    return Race(_TITLES.get(name, name), seed, seconds, load, found)


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
        f"lr=tag(log, interval({SPACE['lr'][0]}, {SPACE['lr'][1]}))",
        f"momentum=interval({SPACE['momentum'][0]}, {SPACE['momentum'][1]})",
        f"batch_size=choice({','.join(map(str, SPACE['batch_size']))})",
        *(f"{key}={value}" for key, value in setting.items()),
    ]


def _cnnsweep_words(
    name: str, data: Path, seed: int, place: Path, arguments: argparse.Namespace
) -> list[str]:
    """No pictures: the peers draw none."""
    precision, _, default = name.removeprefix("cnnsweep ").partition(", ")
    return [
        *(sys.executable, "-m", "cnnsweep", "--multirun", "hydra/sweeper=optuna"),
        *(() if default else _FEW_TRIALS),
        f"hydra.sweeper.n_jobs={arguments.workers}",
        f"hydra.sweeper.n_trials={arguments.trials}",
        f"hydra.sweeper.sampler.seed={seed}",
        f"hydra.sweep.dir={place / 'sweep'}",
        f"optim.lr=tag(log, interval({SPACE['lr'][0]}, {SPACE['lr'][1]}))",
        f"optim.momentum=interval({SPACE['momentum'][0]}, {SPACE['momentum'][1]})",
        f"data.batch_size=choice({','.join(map(str, SPACE['batch_size']))})",
        *("model=resnet", "data=mnist", f"data.root={data}", "data.val_fraction=0.1"),
        f"data.train_limit={arguments.images}",
        f"epochs={arguments.epochs}",
        f"seed={seed}",
        f"precision={precision}",
        "pictures=false",
    ]


def _row(race: Race, races: Sequence[Race], workers: int) -> dict[str, Any]:
    hydra = [r.seconds for r in races if r.name == _TITLES["hydra"] and r.seed == race.seed]
    to_98 = race.seconds_to(0.98)
    return {
        "contestant": race.name,
        "seed": race.seed,
        "seconds": round(race.seconds, 1),
        "share_of_hydras": round(race.seconds / hydra[0], 3) if hydra else "",
        "trials": race.trials,
        "epochs": race.epochs,
        "best_val_accuracy": round(race.best, 4),
        "seconds_to_0.98": "" if to_98 is None else round(to_98, 1),
        "idle_share": round(race.idle(workers), 3),
        "load": round(race.load, 1),
    }


if __name__ == "__main__":
    main()
