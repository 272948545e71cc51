"""A small discrete space is gone through once, whatever happens on the way."""

import random
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from cnnsweep.sweep.spec.space.points import identity
from tests.sweep.sweep_commands import (
    TOY,
    command,
    kill_in_training,
    study,
    sweep,
    table,
    to_its_end,
)

SIX = ("lr=0.02,0.1,0.05", "momentum=choice(0.9, 0.5)", "epochs=3", "epoch_seconds=0.01")
TWENTY = ("hydra.sweeper.n_trials=20", "hydra.sweeper.n_jobs=1")


def points(folder: Path) -> list[str]:
    return [identity(trial.params) for trial in study(folder).trials]


@pytest.mark.parametrize(
    "settings",
    [
        ("hydra.sweeper.n_jobs=3", "hydra/sweeper/sampler=random"),
        ("hydra.sweeper.n_jobs=1", "hydra.sweeper.seeds=2", "hydra/sweeper/sampler=qmc"),
        ("hydra.sweeper.n_jobs=1", "objective=[val_loss,momentum]", "hydra/sweeper/sampler=nsgaii"),
        ("hydra.sweeper.n_jobs=2", "hydra/sweeper/sampler=grid"),
    ],
    ids=["workers", "seeds", "objectives", "grid"],
)
def test_twenty_trials_over_six_points_are_six(settings: tuple[str, ...], tmp_path: Path) -> None:
    done = sweep(TOY, tmp_path / "sweep", *SIX, "hydra.sweeper.n_trials=20", *settings)
    assert done.code == 0, done.text
    assert len(points(tmp_path / "sweep")) == len(set(points(tmp_path / "sweep"))) == 6
    assert "6 trials over lr, momentum; in " in done.text
    said = "the space has 6 points: each is tried once, then the search ends"
    assert (said in done.text) == ("hydra/sweeper/sampler=grid" not in settings)


def test_what_a_sampler_learns_is_said_where_one_chooses(tmp_path: Path) -> None:
    conditional = '+hydra.sweeper.params.momentum={space: "0.5, 0.9", when: {lr: 0.1}}'
    words = ("lr=0.1,0.2", conditional, "hydra/sweeper/sampler=gp", "hydra.sweeper.dry_run=true")
    for n_trials, learns in ((2, True), (3, False)):
        done = sweep(TOY, tmp_path / "sweep", *words, f"hydra.sweeper.n_trials={n_trials}")
        assert done.code == 0, done.text
        assert ("momentum is drawn at random" in done.text) == learns
        assert ("the space has 3 points: each is tried once" in done.text) == (not learns)


def test_fewer_trials_than_points_say_nothing_and_more_go_on_to_the_end(tmp_path: Path) -> None:
    folder = tmp_path / "sweep"
    few = sweep(TOY, folder, *SIX, "hydra.sweeper.n_trials=4")
    assert (few.code, len(set(points(folder)))) == (0, 4), few.text
    assert "the space has" not in few.text
    more = sweep(TOY, folder, *SIX, *TWENTY)
    assert (more.code, len(points(folder)), len(set(points(folder)))) == (0, 6, 6), more.text
    wider = sweep(TOY, folder, *SIX, "hydra.sweeper.n_trials=30")
    assert (wider.code, len(points(folder))) == (0, 6), wider.text


def test_killed_and_resumed_it_ends_with_the_table_of_an_unbroken_one(tmp_path: Path) -> None:
    assert sweep(TOY, tmp_path / "whole", *SIX, *TWENTY).code == 0
    line = command(TOY, tmp_path / "killed", *SIX, *TWENTY)
    draw = random.Random(3)
    for whom in ("parent", "worker"):
        kill_in_training(line, tmp_path / "killed", draw, whom=whom, most_seconds=0.3)
    done = to_its_end(line)
    assert done.code == 0, done.text
    assert table(tmp_path / "killed") == table(tmp_path / "whole")


def test_a_failed_point_is_not_tried_again_and_null_is_first(tmp_path: Path) -> None:
    folder = tmp_path / "sweep"
    done = sweep(TOY, folder, "mishap=none,raise", "hold=/nowhere,null", *TWENTY, "epochs=2")
    assert done.code == 0, done.text
    assert len(set(points(folder))) == len(points(folder)) == 4
    assert study(folder).trials[0].params == {"mishap": "none", "hold": "null"}
    results = OmegaConf.load(folder / "optimization_results.yaml")
    assert results.best_params == {"mishap": "none", "hold": None}


def test_points_of_a_function_end_when_it_draws_no_new_one(tmp_path: Path) -> None:
    name = "tests.sweep.toy.spaces.draw_coarsely"
    function = (f"hydra.sweeper.custom_search_space={name}", "epochs=2")
    done = sweep(TOY, tmp_path / "sweep", "lr=0.1,0.02", *function, *TWENTY, CNNSWEEP_ALLOW=name)
    assert done.code == 0, done.text
    assert len(set(points(tmp_path / "sweep"))) == 5  # four, and the trial that found none
    assert "trial 4: every point that the samplers find was tried: the search ends" in done.text
