"""The search of `gpu.sh` by Ray Tune, a share of the GPU for each trial.

``python -m benchmarks.gpu_ray [--at-once 1 4 16] …``: K trials at a time, each in a process of its
own that Ray reuses, each cnnsweep's own run (``graph=true`` where it is typed), without a scheduler
and without a study. Ends with exit code 3 where Ray is not installed.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import torch
from hydra import compose, initialize_config_dir
from hydra.utils import execution_whitelist

from benchmarks.gpu_tables import gpus
from benchmarks.machine import facts
from benchmarks.rows import RESULTS, print_rows, write_csv
from cnnsweep import run as cnnsweep_run
from cnnsweep.config import CONF_DIR
from cnnsweep.config.allowed_targets import allowed_targets
from cnnsweep.folders.result import Outcome, recorded
from cnnsweep.folders.run_folder import RunFolder


def main(words: Sequence[str] | None = None) -> None:
    """Measure, print the table, write the CSV after each row."""
    arguments = _arguments(words)
    try:
        import ray
    except ModuleNotFoundError:
        print("skipped: ray is not installed")
        sys.exit(3)
    about = facts(("ray", "torch", "cnnsweep")) | {"gpus": gpus()}
    rows: list[dict[str, Any]] = []
    shares = 0 if arguments.device == "cpu" else 1
    ray.init(
        num_cpus=max(arguments.at_once),
        num_gpus=shares,
        include_dashboard=False,
        log_to_driver=False,
        logging_level="error",
        runtime_env={"env_vars": {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}},
    )
    try:
        for at_once in arguments.at_once:
            seconds = _searched(arguments, at_once, shares / at_once)
            trials = arguments.trials
            rows.append({
                "at_once": at_once,
                "trials": trials,
                "seconds": round(seconds, 1),
                "trials_per_hour": round(3600 * trials / seconds),
            })  # fmt: skip
            write_csv(arguments.out, rows, about)
    finally:
        ray.shutdown()
    print_rows(rows)


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu_ray", description=__doc__)
    add = parser.add_argument
    add("--at-once", nargs="+", type=int, default=[16, 4, 1], help="trials that share the GPU")
    add("--trials", type=int, default=32)
    add("--device", default="cuda")
    add("--keys", nargs="+", required=True, metavar="KEY=VALUE", help="of every trial's run")
    add("--out", type=Path, default=RESULTS / "gpu" / "ray.csv")
    return parser.parse_args(words)


def _searched(arguments: argparse.Namespace, at_once: int, share: float) -> float:
    """Seconds of a whole search, Ray's start of its processes included."""
    from ray import tune
    from ray.tune.search.basic_variant import BasicVariantGenerator

    with TemporaryDirectory() as storage:
        started = perf_counter()
        keys = [*arguments.keys, f"device={arguments.device}"]
        resources = {"cpu": 1, "gpu": share}
        tuner = tune.Tuner(
            tune.with_resources(tune.with_parameters(trial, keys=keys), resources),
            param_space={
                "optim.lr": tune.loguniform(1e-4, 0.02),
                "optim.momentum": tune.uniform(0, 0.9),
            },
            tune_config=tune.TuneConfig(
                metric="accuracy",
                mode="max",
                num_samples=arguments.trials,
                search_alg=BasicVariantGenerator(random_state=1),
                max_concurrent_trials=at_once,
                reuse_actors=True,
            ),
            run_config=tune.RunConfig(storage_path=storage, verbose=0),
        )
        failed = tuner.fit().errors
        if failed:
            raise RuntimeError(f"{len(failed)} trials failed, one with: {failed[0]}")
        return perf_counter() - started


def trial(point: dict[str, float], keys: list[str]) -> None:
    """One run of cnnsweep with these values, its files included."""
    from ray import tune

    torch.set_num_threads(1)
    words = [*keys, "threads=1", *(f"{key}={value}" for key, value in point.items())]
    with (
        TemporaryDirectory() as folder,
        initialize_config_dir(str(CONF_DIR)),
        execution_whitelist(allowed_targets()),
    ):
        config = compose("config", words)
        outcome = Outcome(seed=0, device=config.device, precision="float32", threads="1")
        with recorded(RunFolder(Path(folder)), outcome):
            cnnsweep_run.run(config, RunFolder(Path(folder)), outcome)
    tune.report({"accuracy": outcome.val_accuracy})


if __name__ == "__main__":
    main()
