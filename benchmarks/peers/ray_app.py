"""Ray Tune with ASHA around the articles' loop, or cnnsweep's: ``ray_app.py SETTING.json``.

Settings: two trials at a time, one CPU each, workers reused where Ray can; ASHA with a grace period
of one epoch and a reduction factor of 3; no dashboard.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

os.environ.update(RAY_AIR_NEW_OUTPUT="0", RAY_DEDUP_LOGS="0", RAY_USAGE_STATS_ENABLED="0")

import ray
from ray import tune
from ray.tune.schedulers import ASHAScheduler
from ray.tune.search.basic_variant import BasicVariantGenerator


def trial(point: dict[str, Any], setting: dict[str, Any]) -> None:
    if setting["loop"] == "cnnsweep":
        from own_loop import train
    else:
        from search_task import train

    train(
        setting,
        lr=point["lr"],
        momentum=point["momentum"],
        batch_size=point["batch_size"],
        trial=tune.get_context().get_trial_id(),
        report=lambda accuracy: tune.report({"accuracy": accuracy}),
    )


def main(setting: dict[str, Any]) -> None:
    ray.init(
        num_cpus=setting["workers"],
        include_dashboard=False,
        log_to_driver=False,
        logging_level="error",
        runtime_env={"env_vars": {"PYTHONPATH": os.environ["PYTHONPATH"]}},
    )
    space = setting["space"]
    tuner = tune.Tuner(
        tune.with_parameters(trial, setting=setting),
        param_space={
            "lr": tune.loguniform(*space["lr"]),
            "momentum": tune.uniform(*space["momentum"]),
            "batch_size": tune.choice(space["batch_size"]),
        },
        tune_config=tune.TuneConfig(
            metric="accuracy",
            mode="max",
            num_samples=setting["trials"],
            scheduler=ASHAScheduler(max_t=setting["epochs"], grace_period=1, reduction_factor=3),
            search_alg=BasicVariantGenerator(random_state=setting["seed"]),
            max_concurrent_trials=setting["workers"],
            reuse_actors=True,
        ),
        run_config=tune.RunConfig(storage_path=setting["storage"], verbose=0),
    )
    tuner.fit()
    ray.shutdown()


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text()))
