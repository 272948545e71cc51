"""Whose results stand, where launches do not agree on when a search is over."""

from pathlib import Path

import pytest
import yaml
from omegaconf import OmegaConf

from cnnsweep.metric_names import DIRECTIONS
from cnnsweep.sweep.earlier.warm_start import RUN, WARM
from cnnsweep.sweep.results import are_written, result_lines, write_results
from cnnsweep.sweep.spec.failure_policy import FailureWatch
from cnnsweep.sweep.spec.plan import Plan
from cnnsweep.sweep.spec.space.search_space import SearchSpace
from cnnsweep.sweep.study.confirmation import Confirmation
from cnnsweep.sweep.study.coordination import SingleLaunch
from cnnsweep.sweep.study.retries import Retries
from cnnsweep.sweep.study.search import Search
from cnnsweep.sweep.study.tell import Recorder
from tests.sweep.study.studies import SPACE, asker, make_study, sampler


def make_search(folder: Path, confirm: int, objective: str = "val_loss") -> Search:
    """A search over whose trials are told by :func:`add`."""
    plan = Plan(
        sweep=folder,
        subfolder="",
        study_name="test",
        space=SearchSpace(SPACE, ()),
        config=OmegaConf.create({"seed": 0, "epochs": 3}),
        objectives=(objective,),
        directions=(DIRECTIONS[objective],),
        n_trials=9,
        points=None,
        seed=0,
        threads=None,
        typed=frozenset(),
    )
    study = make_study(direction=DIRECTIONS[objective])
    recorder = Recorder(plan, study, FailureWatch(1, lambda: (0, 0)), print, "log")
    return Search(
        search_index=0,
        plan=plan,
        seeds=1,
        retries=Retries(recorder, 0),
        study=study,
        asker=asker(study, sampler("RandomSampler")),
        recorder=recorder,
        confirmation=Confirmation(0, plan, study, recorder, wanted=confirm, seeds=1),
        time_left=lambda: 0.0,
        coordination=SingleLaunch(),
        may_confirm=True,
    )


def add(search: Search, value: float) -> None:
    search.study.tell(search.asker.ask().number, value)


def test_they_stand_until_there_is_a_better_trial(tmp_path: Path) -> None:
    search = make_search(tmp_path, confirm=0)
    add(search, 0.5)
    assert not are_written([search])
    write_results(tmp_path, [search])
    assert are_written([search])
    add(search, 0.9)
    assert are_written([search])
    add(search, 0.1)
    assert not are_written([search])


@pytest.mark.parametrize("confirm", [0, 1])
def test_they_stand_only_with_the_confirmations_that_are_wanted(
    tmp_path: Path, confirm: int
) -> None:
    search = make_search(tmp_path, confirm)
    add(search, 0.5)
    write_results(tmp_path, [search])
    assert are_written([search]) == (confirm == 0)
    assert (search.confirmation.next_job() is None) == (confirm == 0)
    assert are_written([search])
    add(search, 0.1)
    write_results(tmp_path, [search])
    assert are_written([search]) == (confirm == 0)


@pytest.mark.parametrize(("objective", "sign"), [("val_loss", -1), ("val_accuracy", 1)])
@pytest.mark.parametrize("own", [[], [0.5], [0.4, 0.5, 0.6]])
@pytest.mark.parametrize("known", [[], [0.5], [0.1], [0.9], [0.1, 0.9, 0.55]])
def test_a_better_trial_that_was_known_beforehand_is_named(
    tmp_path: Path, objective: str, sign: int, own: list[float], known: list[float]
) -> None:
    search = make_search(tmp_path, 0, objective)
    for value in own:
        add(search, value)
    earlier = [
        {"params": {"x": 0.5, "n": 1}, "status": "completed", "values": [value], "curve": {}}
        | {RUN: f"/old/{value}"}
        for value in known
    ]
    search.study.set_user_attr(WARM, {"old": earlier})
    best = max(known, key=lambda value: sign * value, default=None)
    beats = best is not None and all(sign * best > sign * value for value in own)
    said = [line for line in result_lines([search]) if "known beforehand" in line]
    assert [line.split(" (")[0] for line in said] == (
        [f"a trial known beforehand was better: {objective} {best}"] if beats else []
    )
    assert all(line.endswith(f"in /old/{best}") for line in said)
    write_results(tmp_path, [search])
    results = yaml.safe_load((tmp_path / "optimization_results.yaml").read_text())
    assert results.get("warm_start") == ({"/old": len(known)} if known else None)
    expected = {
        "value": best,
        "params": {"x": 0.5, "n": 1},
        "trial": None,
        "folder": f"/old/{best}",
    }
    assert results.get("better_elsewhere") == (expected if beats else None)
    assert are_written([search])
