"""What the end of a search says of its winner and the default config."""

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf
from optuna.trial import TrialState

from cnnsweep.folders.sweep_folder import IS_DEFAULT
from cnnsweep.sweep.earlier.default_config import DEFAULT
from cnnsweep.sweep.freeze_thaw.paused import PAUSED
from cnnsweep.sweep.gain import compared_with, gain_lines
from cnnsweep.sweep.study.search import Search
from tests.sweep.test_results import make_search


def searched(
    folder: Path,
    values: list[Any],
    *,
    metric: str = "val_accuracy",
    has_default: bool = True,
    images: int = 1000,
) -> Search:
    """A search whose trials have these values, a list of them for several seeds, None: pruned."""
    search = make_search(folder, confirm=0, objective=metric)
    search.seeds = max(len(v) if isinstance(v, list) else 1 for v in values)
    if has_default:
        search.study.enqueue_trial({"x": 0.5, "n": 3}, user_attrs={IS_DEFAULT: True})
    for value in values:
        number = search.asker.ask().number
        runs = value if isinstance(value, list) else [value]
        for seed, reached in enumerate(runs):
            run = folder / str(number) / (f"seed_{seed}" if len(runs) > 1 else "")
            run.mkdir(parents=True)
            config = {"data": {"train_limit": None, "val_fraction": 0.1}}
            (run / "config.yaml").write_text(OmegaConf.to_yaml(OmegaConf.create(config)))
            data = {"train": 10 * images, "val": None, "test": 5}
            (run / "result.json").write_text(json.dumps({"objective": reached, "data": data}))
        if value is None:
            search.study.tell(number, state=TrialState.PRUNED)
        else:
            search.study.tell(number, sum(runs) / len(runs))
    return search


def said(search: Search) -> str:
    return gain_lines(search)[0]


def test_a_difference_that_chance_explains_is_no_finding(tmp_path: Path) -> None:
    line = said(searched(tmp_path, [0.978, 0.97, 0.984], images=500))
    assert line.startswith(
        "0.60 points above the default config (trial 0, val_accuracy 0.978), 95 % interval "
    )
    assert "(500 validation images, one seed): no finding" in line
    low, high = line.partition("interval ")[2].split(" (")[0].split(" to ")
    assert float(low) < 0 < 0.6 < float(high)


def test_a_difference_beyond_chance_is_one(tmp_path: Path) -> None:
    assert "more than chance, also for the best of 3" in said(searched(tmp_path, [0.7, 0.6, 0.9]))


def test_the_best_of_many_needs_a_larger_difference(tmp_path: Path) -> None:
    few = said(searched(tmp_path / "few", [0.90, 0.93]))
    assert "more than chance" in few
    many = said(searched(tmp_path / "many", [0.90, 0.93, *[0.9] * 38]))
    assert "no finding all the same, since it was chosen as the best of 40" in many


def test_of_a_loss_less_is_better_and_one_run_has_no_interval(tmp_path: Path) -> None:
    line = said(searched(tmp_path, [0.5, 0.25], metric="val_loss"))
    assert line == (
        "0.25 below the default config (trial 0, val_loss 0.5); how far chance alone goes is "
        "unknown: hydra.sweeper.seeds=3 measures that"
    )


def test_an_app_without_a_seed_is_not_told_to_try_others(tmp_path: Path) -> None:
    search = searched(tmp_path, [0.5, 0.25], metric="val_loss")
    assert any("hydra.sweeper" in line for line in gain_lines(search))
    search.plan = replace(search.plan, config=OmegaConf.create({"epochs": 3}), is_ours=False)
    lines = gain_lines(search)
    assert lines
    assert not any("hydra.sweeper" in line for line in lines)


def test_seeds_are_compared_in_pairs(tmp_path: Path) -> None:
    values = [[0.5, 0.7, 0.9], [0.51, 0.711, 0.909]]
    line = said(searched(tmp_path, values, metric="val_accuracy"))
    assert "1.00 points above" in line
    assert "95 % interval 0.75 to 1.25 (3 seeds each, in pairs): more than chance" in line


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ([0.9, 0.8], "trial 0 is the default config: the other trial was not better"),
        ([0.9, 0.8, 0.7], "trial 0 is the default config: none of the other 2 trials was better"),
        ([0.9], "trial 0 is the default config"),
        ([None, 0.8], "the default config (trial 0) was pruned: what the winner gained"),
    ],
)
def test_nothing_is_claimed_where_there_is_nothing_to_compare(
    values: list[float | None], wanted: str, tmp_path: Path
) -> None:
    assert said(searched(tmp_path, values)).startswith(wanted)


def test_without_the_default_config_as_a_trial_it_says_so(tmp_path: Path) -> None:
    line = said(searched(tmp_path, [0.9, 0.8], has_default=False))
    assert line.startswith("the default config was no trial of this search")


def test_a_trial_with_all_values_of_the_default_config_is_it(tmp_path: Path) -> None:
    search = searched(tmp_path, [0.7, 0.6, 0.9], has_default=False)
    second = search.study.get_trials(deepcopy=False)[1]
    for values in ({**second.params, "n": 0}, {"x": second.params["x"]}):
        search.study.set_user_attr(DEFAULT, values)
        assert said(search).startswith("the default config was no trial of this search")
    search.study.set_user_attr(DEFAULT, dict(reversed(second.params.items())))
    assert said(search).startswith("30.00 points above the default config (trial 1, val_accuracy")
    assert compared_with(search, search.study.best_trial) == {"default_trial": 1}


def test_of_what_older_code_enqueued_nothing_is_said(tmp_path: Path) -> None:
    search = make_search(tmp_path, confirm=0)
    search.study.enqueue_trial({"x": 0.5, "n": 3})
    search.study.tell(search.asker.ask().number, 0.5)
    assert gain_lines(search) == []


def test_a_default_config_that_is_paused_is_compared_as_far_as_it_was_trained(
    tmp_path: Path,
) -> None:
    search = searched(tmp_path, [0.8, 0.97])
    first, best = search.study.get_trials(deepcopy=False)
    first.state, first.values = TrialState.RUNNING, None
    first.intermediate_values = {1: 0.79, 2: 0.8}
    first.user_attrs[PAUSED] = 2
    best.intermediate_values = {1: 0.6, 2: 0.9, 3: 0.97}
    line = said(search)
    assert line.startswith(
        "10.00 points above the default config (trial 0, val_accuracy 0.8, the winner's then 0.9) "
        "when it was paused"
    )
    assert " paused after 2 of 3 epochs, 95 % interval" in line
    assert "more than chance" in line


@pytest.mark.parametrize(
    ("values", "shown"),
    [([0.75, 0.875], "12.50 points above"), ([75.0, 87.5], "12.5 above")],
)
def test_another_apps_accuracy_may_be_a_share_or_in_percent_already(
    values: list[Any], shown: str, tmp_path: Path
) -> None:
    """As the report has it: by name and values."""
    search = searched(tmp_path, values)
    search.plan = replace(search.plan, objectives=("val/acc",))
    assert said(search).startswith(f"{shown} the default config (trial 0, val/acc {values[0]:g})")


@pytest.mark.parametrize(
    ("default", "wanted"),
    [
        (
            {1: math.nan, 2: 0.8},
            "10.00 points above the default config (trial 0, val_accuracy 0.8, the winner's then",
        ),
        ({1: math.nan}, "paused after 2 of 3 epochs: what the winner gained over it is unknown"),
    ],
)
def test_epochs_without_a_number_are_no_value_of_a_paused_default_config(
    default: dict[int, float], wanted: str, tmp_path: Path
) -> None:
    search = searched(tmp_path, [0.8, 0.97])
    first, best = search.study.get_trials(deepcopy=False)
    first.state, first.values, first.intermediate_values = TrialState.RUNNING, None, default
    first.user_attrs[PAUSED] = 2
    best.intermediate_values = {1: 0.6, 2: 0.9, 3: 0.97}
    assert wanted in said(search)
