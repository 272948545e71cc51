"""Optuna sweep folders as contract.md says: a study, its trials, confirmation runs."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import optuna
import yaml
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from tests.report.made_runs import Job, make_run

SPACE: dict[str, BaseDistribution] = {
    "optim.lr": FloatDistribution(1e-4, 1.0, log=True),
    "optim.momentum": FloatDistribution(0.0, 0.99),
    "data.batch_size": CategoricalDistribution([32, 64, 128, 256]),
}
START = datetime(2026, 5, 1, 12)


def make_sweep(
    folder: Path,
    model: str = "resnet",
    trials: int = 12,
    *,
    seeds: int = 1,
    confirm: int = 5,
    images: int = 0,
    **settings: Any,
) -> Path:
    """A finished search over SPACE: every fifth trial is pruned, trial 7 failed."""
    folder.mkdir(parents=True)
    sweeper = {"n_trials": trials, "n_jobs": 2, "seeds": seeds, "confirm": confirm}
    (folder / "multirun.yaml").write_text(yaml.safe_dump({"hydra": {"sweeper": sweeper}}))
    study = _study(folder, model)
    rng = random.Random(model)
    frozen = [
        _trial(folder, number, seeds, rng, Job(model, test=False, mode="MULTIRUN", **settings))
        for number in range(trials)
    ]
    study.add_trials(frozen)
    best = study.best_trial
    results = {"name": "optuna", "best_params": best.params, "best_value": best.value}
    results |= {"best_trial": best.number, "best_folder": str(folder / str(best.number))}
    (folder / "optimization_results.yaml").write_text(yaml.safe_dump(results))
    for seed in range(1000, 1000 + confirm):
        job = Job(model, seed, mode="MULTIRUN", changes=best.params, images=images, **settings)
        make_run(folder / "confirm" / str(seed), job)
    return folder


def make_compare(folder: Path, models: Sequence[str], **settings: Any) -> Path:
    """``search=compare``: one sweep for each model."""
    for model in models:
        make_sweep(folder / model, model, **settings)
    return folder


def _study(folder: Path, name: str) -> optuna.Study:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    backend = JournalFileBackend(str(folder / "study.journal"))
    return optuna.create_study(
        storage=JournalStorage(backend), study_name=name, direction="maximize"
    )


def _trial(
    folder: Path, number: int, seeds: int, rng: random.Random, job: Job
) -> optuna.trial.FrozenTrial:
    params = {
        "optim.lr": 10 ** rng.uniform(-4, 0),
        "optim.momentum": rng.uniform(0, 0.99),
        "data.batch_size": rng.choice([32, 64, 128, 256]),
    }
    job.changes = params
    job.status = "failed" if number == 7 else "pruned" if number % 5 == 4 else "completed"
    job.error = "RuntimeError: out of memory" if number == 7 else None
    level = job.level()
    if seeds == 1:
        make_run(folder / str(number), job)
    for seed in range(seeds if seeds > 1 else 0):
        job.seed = seed
        make_run(folder / str(number) / f"seed_{seed}", job)
    if seeds > 1:
        (folder / str(number) / "result.json").write_text('{"status": "completed"}\n')
    return _frozen(number, job, params, level)


def _frozen(
    number: int, job: Job, params: dict[str, Any], level: float
) -> optuna.trial.FrozenTrial:
    states = optuna.trial.TrialState
    state = {"failed": states.FAIL, "pruned": states.PRUNED}.get(job.status, states.COMPLETE)
    steps = {
        epoch: level - 0.5 / epoch for epoch in range(1, 6 if job.status == "completed" else 3)
    }
    start = START + timedelta(seconds=10 * (number // 2))
    trial = optuna.trial.create_trial(
        state=state,
        params=params,
        distributions=SPACE,
        value=level if state == states.COMPLETE else None,
        intermediate_values=steps,
        user_attrs={"folder": str(number)},
    )
    trial.datetime_start, trial.datetime_complete = start, start + timedelta(seconds=8 + number % 2)
    return trial
