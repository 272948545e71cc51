"""Trials of earlier sweeps: the samplers know them, and nobody else does."""

import random
import shutil
from pathlib import Path
from typing import Any

import optuna
import pytest
from omegaconf import OmegaConf
from optuna.distributions import FloatDistribution, IntDistribution
from optuna.trial import TrialState

from cnnsweep.report import load
from cnnsweep.sweep.earlier.warm_start import RUN, WARM, earlier_trials
from cnnsweep.sweep.spec.samplers import Sampling
from cnnsweep.sweep.spec.space.search_space import SearchSpace
from cnnsweep.sweep.study.ask import Asker
from tests.sweep.study.studies import SPACE, make_study, sampler
from tests.sweep.sweep_commands import (
    OURS,
    Done,
    command,
    kill_in_training,
    study,
    sweep,
    table,
    to_its_end,
)

BEST = {"x": 0.3, "n": 1}


def plain(number: int, status: str = "completed") -> dict[str, Any]:
    """A trial of an earlier sweep of a parabola, the better the nearer to BEST."""
    draw = random.Random(number)
    params = {"x": round(draw.random(), 3), "n": draw.randint(1, 9)}
    value = (params["x"] - 0.3) ** 2 + params["n"]
    is_over = status == "completed"
    curve = {} if is_over else {"1": value + 1, "2": value}
    values = [value] if is_over else None
    return {"params": params, "status": status, "values": values, "curve": curve, RUN: f"/{number}"}


def with_earlier(count: int) -> optuna.Study:
    made = make_study()
    statuses = ("completed", "completed", "paused", "pruned")
    trials = [plain(number, statuses[number % 4]) for number in range(count)]
    made.set_user_attr(WARM, {"old": trials})
    return made


def asker(made: optuna.Study, name: str, **keys: Any) -> Asker:
    sampling = Sampling(sampler(name, **keys), 0, SPACE, 20)
    nothing = OmegaConf.create({})
    return Asker(
        made,
        sampling,
        SPACE,
        None,
        nothing,
        20,
        None,
        earlier=earlier_trials(made, SearchSpace(SPACE, ())),
    )


def proposals(made: optuna.Study, name: str, count: int, **keys: Any) -> list[dict[str, Any]]:
    """Each asked by an asker of its own, as after a kill."""
    for _ in range(count):
        trial = asker(made, name, **keys).ask()
        made.tell(trial.number, (trial.params["x"] - 0.3) ** 2 + trial.params["n"])
    return [trial.params for trial in made.trials]


@pytest.mark.parametrize(
    ("name", "keys", "count"),
    [
        ("TPESampler", {"multivariate": True, "constant_liar": True}, 4),
        ("TPESampler", {"multivariate": False}, 4),
        ("GPSampler", {"n_startup_trials": 10}, 1),
        ("NSGAIISampler", {"population_size": 10}, 4),
    ],
    ids=["tpe", "tpe apart", "gp", "nsgaii"],
)
@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
def test_samplers_learn_from_the_first_trial_on(
    name: str, keys: dict[str, Any], count: int
) -> None:
    """Small values of n are far better: who knows that proposes them, chance does not."""
    informed = proposals(with_earlier(40), name, count, **keys)
    ignorant = proposals(make_study(), name, count, **keys)
    assert [params["n"] for params in informed] != [params["n"] for params in ignorant]
    assert sum(p["n"] for p in informed) < sum(p["n"] for p in ignorant)
    assert informed == proposals(with_earlier(40), name, count, **keys)
    kept = with_earlier(40)
    one = asker(kept, name, **keys)
    for _ in range(count):
        trial = one.ask()
        kept.tell(trial.number, (trial.params["x"] - 0.3) ** 2 + trial.params["n"])
    assert [trial.params for trial in kept.trials] == informed


def test_what_was_drawn_there_is_drawn_anew_here() -> None:
    """The same seed draws the same first points, as long as the sampler knows too few trials."""
    first = proposals(make_study(), "TPESampler", 3, n_startup_trials=10)
    again = make_study()
    trials = [plain(number) | {"params": params} for number, params in enumerate(first)]
    again.set_user_attr(WARM, {"old": trials})
    second = proposals(again, "TPESampler", 3, n_startup_trials=10)
    assert all(params not in first for params in second)


def test_they_are_none_of_the_studys_trials() -> None:
    made = with_earlier(8)
    proposals(made, "TPESampler", 2)
    assert [trial.number for trial in made.trials] == [0, 1]
    assert made.best_trial.number in (0, 1)


def test_those_that_later_bounds_leave_out_are_left_out_and_keep_their_numbers() -> None:
    made = with_earlier(8)
    whole = {
        trial.user_attrs[RUN]: trial.number
        for trial in earlier_trials(made, SearchSpace(SPACE, ()))
    }
    narrow = {"x": FloatDistribution(0.0, 0.5), "n": IntDistribution(1, 9)}
    left = earlier_trials(made, SearchSpace(narrow, ()))
    assert 0 < len(left) < len(whole) == 8
    assert all(whole[trial.user_attrs[RUN]] == trial.number < 0 for trial in left)
    assert [trial.number for trial in left] == sorted(trial.number for trial in left)
    states = {trial.state for trial in earlier_trials(made, SearchSpace(SPACE, ()))}
    assert states == {TrialState.COMPLETE, TrialState.PRUNED, TrialState.RUNNING}


SETTINGS = ("model=simple", "data.train_limit=200", "hydra.sweeper.n_jobs=1")
LR = "optim.lr=tag(log, interval(0.001, 0.1))"


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three trials of one epoch: the second of them with a momentum of its own."""
    folder = tmp_path_factory.mktemp("earlier") / "old"
    done = sweep(
        *(OURS, folder, *SETTINGS, "epochs=1", "hydra.sweeper.n_trials=3", LR),
        "optim.momentum=choice(0.9, 0.5)",
    )
    assert done.code == 0, done.text
    return folder


def warm(folder: Path, old: Path, *overrides: str) -> Done:
    typed = f"hydra.sweeper.warm_start=[{old}]"
    return sweep(OURS, folder, *SETTINGS, "hydra.sweeper.n_trials=3", LR, typed, *overrides)


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (("epochs=2",), "for epochs (1 then, 2 now)"),
        (("epochs=1", "objective=val_loss"), "3 for objective=val_accuracy, not val_loss"),
        (
            ("epochs=1", "hydra.sweeper.direction=minimize"),
            "3 for direction maximize, not minimize",
        ),
        (("epochs=1", "data.val_fraction=0.2"), "data.val_fraction (0.1 then, 0.2 now)"),
        (("epochs=1", "hydra/sweeper/sampler=random"), "RandomSampler learns nothing"),
        (("epochs=1", "hydra.sweeper.warm_start=gone"), "gone: there is no such folder"),
        (("epochs=1", "hydra.sweeper.warm_start=docs"), "docs holds no sweep"),
        (("epochs=1", "hydra.sweeper.warm_start=7"), "hydra.sweeper.warm_start=7 is out of range"),
    ],
)
def test_what_is_not_comparable_is_refused_in_a_line(
    old: Path, overrides: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    done = warm(tmp_path / "new", old, *overrides)
    assert done.code == 1
    assert said in done.text.splitlines()[-1]
    assert not (tmp_path / "new").exists()


def test_a_run_and_the_sweep_itself_are_no_earlier_sweeps(old: Path, tmp_path: Path) -> None:
    assert "is the folder of a run" in warm(tmp_path / "new", old / "0", "epochs=1").text
    itself = warm(old, old, "epochs=1", "optim.momentum=choice(0.9, 0.5)")
    assert "is the folder of this sweep itself" in itself.text


def test_known_trials_outlive_their_folder_and_kills(old: Path, tmp_path: Path) -> None:
    copy = tmp_path / "old"
    shutil.copytree(old, copy)
    settings = (
        *(*SETTINGS, "epochs=1", "hydra.sweeper.n_trials=3", LR),
        *("optim.momentum=choice(0.9, 0.5)", f"hydra.sweeper.warm_start={copy}"),
    )
    whole = sweep(OURS, tmp_path / "whole", *settings)
    assert whole.code == 0, whole.text
    assert f"hydra.sweeper.warm_start: the sampler knows 3 of 3 trials of {copy}" in whole.text
    assert "(best of 3 trials" in whole.text
    line = command(OURS, tmp_path / "killed", *settings)
    draw = random.Random(0)
    assert kill_in_training(line, tmp_path / "killed", draw, whom="parent", most_seconds=0.1)
    shutil.rmtree(copy)
    done = to_its_end(line)
    assert done.code == 0, done.text
    assert (
        f"hydra.sweeper.warm_start: the sampler knows 3 trials of {copy} (by now there is no such "
        "folder), as an earlier launch recorded"
    ) in done.text
    assert table(tmp_path / "killed") == table(tmp_path / "whole")
    recorded = study(tmp_path / "killed").user_attrs[WARM][str(copy)]
    assert [Path(trial[RUN]).name for trial in recorded] == ["0", "1", "2"]
    assert len(load(tmp_path / "killed")) == 3
    for name in ("whole", "killed"):
        results = OmegaConf.load(tmp_path / name / "optimization_results.yaml")
        assert results.warm_start == {str(copy): 3}
        assert "knew 3 trials of" in (tmp_path / name / "report" / "report.md").read_text()


def test_a_parameter_that_was_fixed_is_taken_from_the_config(old: Path, tmp_path: Path) -> None:
    """And one that is drawn no more leaves those out that have another value of it."""
    momenta = [trial.params["optim.momentum"] for trial in study(old).trials]
    done = warm(tmp_path / "new", old, "epochs=1", "optim.weight_decay=interval(0, 0.1)")
    assert done.code == 0, done.text
    fitting = momenta.count(0.9)
    line = f"the sampler knows {fitting} of 3 trials of {old}"
    if fitting < 3:
        line += f"; left out: {3 - fitting} for optim.momentum (0.5 then, 0.9 now)"
    assert line in done.text
