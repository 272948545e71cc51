"""What searches and grids have for workers to do."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from cnnsweep.sweep.machine.workers import Limit
from cnnsweep.sweep.spec.settings import GridSettings, read_settings
from cnnsweep.sweep.study.search import Search
from cnnsweep.sweep.work import work_of
from tests.sweep.spec.test_settings import handed_over
from tests.sweep.study.in_process import make
from tests.sweep.study.studies import sampler

X = FloatDistribution(0.0, 1.0)
STEPS = FloatDistribution(0.0, 1.0, step=0.25)


def search(folder: Path, n_trials: int, **changes: Any) -> Search:
    keys = {key: changes.pop(key) for key in ("space", "sampling") if key in changes}
    made = make(folder, n_trials=n_trials, **keys).search
    return replace(made, plan=replace(made.plan, **changes))


def limit(*searches: Search) -> Limit:
    return work_of(searches, read_settings(handed_over())).limit


@pytest.mark.parametrize(("trials", "workers"), [(1, 1), (7, 1), (8, 2), (20, 5), (400, 100)])
def test_a_search_has_a_quarter_of_its_trials_at_work(
    trials: int, workers: int, tmp_path: Path
) -> None:
    said = "1 trial" if trials == 1 else f"{trials} trials"
    assert limit(search(tmp_path, trials)) == Limit(workers, f"a quarter of {said}")


def test_searches_side_by_side_have_a_quarter_each(tmp_path: Path) -> None:
    three = [search(tmp_path, trials) for trials in (6, 6, 10)]
    assert limit(*three) == Limit(4, "a quarter of 22 trials of 3 searches")


def test_where_every_point_is_tried_there_is_nothing_to_learn(tmp_path: Path) -> None:
    few = {"x": STEPS}
    assert limit(search(tmp_path, 20, space=few)) == Limit(5, "5 trials")
    assert limit(search(tmp_path, 4, space=few)) == Limit(1, "a quarter of 4 trials")
    grid = search(tmp_path, 4, space=few, sampling=sampler("GridSampler"))
    assert limit(grid) == Limit(4, "4 trials")


def test_threads_and_devices_are_those_of_all_runs(tmp_path: Path) -> None:
    settings = read_settings(handed_over())
    config = OmegaConf.create({"threads": "auto", "device": "cpu", "hydra": {"launcher": {}}})
    one = search(tmp_path, 4, config=config, threads=1)
    work = work_of([one], settings)
    assert (work.threads, work.devices, work.kept_threads) == ([1], ["cpu"], False)
    before = search(tmp_path, 4, config=config, threads=16)
    assert work_of([before], settings).kept_threads
    space = {"x": X, "threads": CategoricalDistribution((1, 4))}
    drawn = search(tmp_path, 4, config=config, threads=1, space=space)
    assert work_of([one, drawn], settings).threads == [1, 1, 4]
    ranged = search(tmp_path, 4, config=config, space={"threads": IntDistribution(1, 6)})
    assert work_of([ranged], settings).threads == [6]
    own_app = work_of([search(tmp_path, 4)], settings)
    assert (own_app.threads, own_app.devices) == ([None], [None])


def test_a_grid_has_all_its_jobs_at_work_but_no_more_than_its_batch(tmp_path: Path) -> None:
    jobs = {str(number): {"threads": str(number), "device": "cpu"} for number in (1, 2)}
    swept = frozenset(("threads", "device"))
    made = search(tmp_path, 9, space={"x": STEPS}, noun="job", jobs=jobs, swept=swept)
    keys: dict[str, Any] = {
        "params": None, "n_jobs": "auto", "stack": 1, "devices": None, "retries": 1,
        "keep_best": 1, "trial_timeout": None, "timeout": None, "shared": False,
    }  # fmt: skip
    work = work_of([made], GridSettings(**keys, max_batch_size=None))
    assert (work.limit, work.threads, work.devices) == (
        Limit(5, "5 jobs"), ["1", "2"], ["cpu", "cpu"]
    )  # fmt: skip
    few = work_of([made], GridSettings(**keys, max_batch_size=2))
    assert few.most == Limit(2, "hydra.sweeper.max_batch_size=2")
