"""Several searches of a choice, each with its trials, tuned settings and confirmation runs."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from tests.report.made_runs import Job, make_run

RATES = (0.01, 0.03, 0.1, 0.3, 0.02, 0.05)  # of search after search


def make_searches(
    folder: Path, model: str, values: Sequence[Sequence[float]], **settings: Any
) -> Path:
    """``folder/search_<k>``, each with two trials; ``values``: accuracies of its confirmation runs.

    Seeds are the same for the same k of every choice, and differ between searches.
    """
    for number, accuracies in enumerate(values):
        search = folder / f"search_{number}"
        search.mkdir(parents=True)
        sweeper = {"n_trials": 2, "n_jobs": 1, "confirm": len(accuracies), "searches": len(values)}
        (search / "multirun.yaml").write_text(yaml.safe_dump({"hydra": {"sweeper": sweeper}}))
        tuned = {"optim.lr": RATES[number], "optim.momentum": 0.9 - 0.1 * number}
        for trial in range(2):
            changes = tuned if trial else {"optim.lr": 0.5 + number, "optim.momentum": 0.0}
            job = Job(model, test=False, mode="MULTIRUN", changes=changes)
            make_run(search / str(trial), job)
        for index, accuracy in enumerate(accuracies):
            seed = 1000 * (number + 1) + index
            job = Job(model, seed, mode="MULTIRUN", changes=tuned, accuracy=accuracy, **settings)
            make_run(search / "confirm" / str(seed), job)
    return folder


def make_comparison(
    folder: Path, choices: Mapping[str, Sequence[Sequence[float]]], **settings: Any
) -> Path:
    """``search=compare hydra.sweeper.searches=…``: ``<folder>/<choice>/search_<k>``."""
    for model, values in choices.items():
        make_searches(folder / model, model, values, **settings)
    return folder
