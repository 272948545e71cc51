"""Samplers on functions that cost nothing: ``python -m benchmarks.samplers [--seeds 60]``.

Searches by cnnsweep, with its sampler as it comes, and by Optuna's own TPE as that comes: the same
budget, and as many simulated workers, whose trials last between half a unit of time and one and a
half, the same for both. Ours are asked for by what asks in a search (``cnnsweep.sweep.study.ask``),
so that all it does is in it: a seed for each trial, no point twice. The default config, which a
search tries first, is left out: nobody knows where its place in these functions would be. Smaller
is better; each row has means over seeds and their standard errors, and the difference as a multiple
of its own (Welch): below -2 or so cnnsweep is better, above 2 worse.
"""

import argparse
import heapq
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import product
from pathlib import Path
from random import Random
from statistics import mean, stdev
from typing import Any, NamedTuple
from warnings import catch_warnings, simplefilter

import numpy as np
import optuna
from hydra.core.config_store import ConfigStore
from omegaconf import DictConfig, OmegaConf
from optuna.study import Study
from optuna.trial import FrozenTrial, Trial

from benchmarks.machine import facts
from benchmarks.rows import RESULTS, print_rows, write_csv
from benchmarks.sampler_tasks import TASKS, Task
from cnnsweep.sweep.spec.samplers import Sampling
from cnnsweep.sweep.study.ask import Asker

CONF = Path(__file__).parents[1] / "conf" / "hydra" / "sweeper" / "sampler"
PLAIN = "optuna"  # what cnnsweep's samplers are compared with


class Case(NamedTuple):
    """One search.

    ``sampler``: PLAIN or cnnsweep's; ``marks``: after how many trials its best counts.
    """

    sampler: str
    task: str
    workers: int
    trials: int
    marks: tuple[int, ...]
    seed: int


def main(words: Sequence[str] | None = None) -> None:
    """Run all searches, print the table, write the CSV."""
    arguments = _arguments(words)
    about = facts(("optuna", "cnnsweep", "scikit-learn", "numpy"))
    best: dict[tuple[str, str, int, int], list[float]] = {}
    with ProcessPoolExecutor(arguments.processes) as pool:
        for seed in range(arguments.seeds):
            cases = list(_cases(arguments, seed))
            for case, values in zip(cases, pool.map(best_values, cases), strict=True):
                for mark, value in zip(case.marks, values, strict=True):
                    key = case.sampler, case.task, case.workers, mark
                    best.setdefault(key, []).append(value)
            if seed > 0:  # after each: what is stopped keeps the rest
                rows = [_row(key, best) for key in best if key[0] != PLAIN]
                write_csv(arguments.out, rows, about)
    print_rows(rows)


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.samplers", description=__doc__)
    add = parser.add_argument
    add("--sampler", default="tpe", help="cnnsweep's, as in hydra/sweeper/sampler=gp")
    add("--tasks", nargs="*", default=list(TASKS), choices=TASKS)
    add("--workers", nargs="*", type=int, default=[1, 2, 8])
    add("--trials", nargs="*", type=int, default=[20, 40, 100])
    add("--seeds", type=int, default=60, help="two or more")
    add("--processes", type=int, default=2, help="searches at a time")
    add("--out", type=Path, default=RESULTS / "samplers.csv")
    return parser.parse_args(words)


def _cases(arguments: argparse.Namespace, seed: int) -> Iterator[Case]:
    """Plain Optuna does not look ahead: its shorter searches are beginnings of the longest."""
    marks = tuple(sorted(arguments.trials))
    for task, workers in product(arguments.tasks, arguments.workers):
        yield Case(PLAIN, task, workers, marks[-1], marks, seed)
        for trials in marks:
            yield Case(arguments.sampler, task, workers, trials, (trials,), seed)


def best_values(case: Case) -> list[float]:
    """The best value of one search, at each of its marks."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    task = TASKS[case.task]
    with catch_warnings():
        simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        found = _finished(*_begun(case, task), case, task.value)
    return [min(found[:mark]) for mark in case.marks]


def _begun(case: Case, task: Task) -> tuple[Study, Callable[[], Trial | FrozenTrial]]:
    """A study and what asks it for its next trial."""
    if case.sampler == PLAIN:
        study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=case.seed))
        return study, lambda: study.ask(task.space)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler())
    sampling = Sampling(_config(case.sampler), case.seed, task.space, case.trials)
    nothing = OmegaConf.create({})
    return study, Asker(study, sampling, task.space, None, nothing, case.trials, None).ask


def _config(name: str) -> DictConfig:
    """A sampler's config: ours, else that of Hydra's plugin."""
    ours = CONF / f"{name}.yaml"
    if not ours.exists():
        return OmegaConf.create(
            ConfigStore.instance().load(f"hydra/sweeper/sampler/{name}.yaml").node
        )
    config = OmegaConf.load(ours)
    assert isinstance(config, DictConfig)
    return config


def _finished(
    study: Study,
    ask: Callable[[], Trial | FrozenTrial],
    case: Case,
    value_of: Callable[[Mapping[str, Any]], float],
) -> list[float]:
    """The trials' values in the order in which they end."""
    chance, now = Random(case.seed), 0.0
    running: list[tuple[float, int, float]] = []
    values = list[float]()
    for asked in range(case.trials + case.workers):
        if running and (asked >= case.workers or asked >= case.trials):
            now, number, value = heapq.heappop(running)
            study.tell(number, value)
            values.append(value)
        if asked < case.trials:
            trial = ask()
            ends = now + chance.uniform(0.5, 1.5)
            heapq.heappush(running, (ends, trial.number, value_of(trial.params)))
    return values


def _row(
    key: tuple[str, str, int, int], best: Mapping[tuple[str, str, int, int], list[float]]
) -> dict[str, Any]:
    sampler, task, workers, trials = key
    ours, plain = best[key], best[PLAIN, task, workers, trials]
    (a, a_error), (b, b_error) = _mean_and_error(ours), _mean_and_error(plain)
    return {
        "task": task,
        "workers": workers,
        "trials": trials,
        "sampler": sampler,
        "n": len(ours),
        "mean": f"{a:.4f}",
        "standard_error": f"{a_error:.4f}",
        "optuna_mean": f"{b:.4f}",
        "optuna_standard_error": f"{b_error:.4f}",
        "difference_in_errors": f"{(a - b) / math.hypot(a_error, b_error):.1f}",
    }


def _mean_and_error(values: Sequence[float]) -> tuple[float, float]:
    return mean(values), float(stdev(values) / np.sqrt(len(values)))


if __name__ == "__main__":
    main()
