"""Studies that plain Optuna began: its trials stay, and the end says whose trial won."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import optuna
import pytest
from omegaconf import OmegaConf
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.storages import RDBStorage
from optuna.trial import TrialState, create_trial

from cnnsweep.errors import UserError
from cnnsweep.sweep.earlier.others import better_of_others, take_over
from cnnsweep.sweep.freeze_thaw.curves import curves_of
from cnnsweep.sweep.freeze_thaw.known import Knowledge, known
from cnnsweep.sweep.journal.theirs import THEIRS, is_theirs, ours
from cnnsweep.sweep.results import result_lines, write_results
from cnnsweep.sweep.spec.space.in_words import drawn_from
from cnnsweep.sweep.spec.space.search_space import SearchSpace
from cnnsweep.sweep.study.confirmation import winner
from cnnsweep.sweep.study.coordination import not_in_hand
from tests.sweep.study.in_process import Parts, make
from tests.sweep.sweep_commands import (
    TOY,
    TOY_SPACE,
    Done,
    begin,
    command,
    finish,
    sweep,
    to_its_end,
)

X = FloatDistribution(0.0, 1.0)
QUICK = (*TOY_SPACE, "epochs=1", "epoch_seconds=0")


def add(parts: Parts, value: float | None, state: str = "COMPLETE", **params: float) -> None:
    """A trial of others."""
    parts.search.study.add_trial(
        create_trial(
            state=TrialState[state],
            value=value,
            params=params,
            distributions={name: FloatDistribution(-9.0, 9.0) for name in params},
            intermediate_values={1: 0.0} if state != "FAIL" else None,
        )
    )


def taken_over(folder: Path, n_trials: int = 9) -> tuple[Parts, list[str]]:
    """Trials 0 to 4 are others': a winner, one outside the space, a failed, a pruned, a running."""
    parts, said = make(folder, n_trials=n_trials), list[str]()
    add(parts, -5.0, x=0.5)
    add(parts, 1.0, x=7.0)
    add(parts, None, "FAIL", x=0.1)
    add(parts, None, "PRUNED", x=0.2)
    parts.search.study.ask({"x": X})
    take_over(parts.search.study, parts.search.plan, said.append)
    return parts, said


def test_their_trials_are_counted_and_left_alone(tmp_path: Path) -> None:
    parts, said = taken_over(tmp_path)
    study = parts.search.study
    assert said == [
        "study 'test' has 5 trials that cnnsweep did not run: they stay as they are, and "
        "hydra.sweeper.n_trials=9 counts them; the sampler knows 3 of them, those whose parameters "
        "fit this space; 1 still running elsewhere: left alone"
    ]
    assert study.user_attrs[THEIRS] == [0, 1, 2, 3, 4]
    assert list(not_in_hand(study, ())) == []
    assert parts.search.resume_trials() == 0
    take_over(study, parts.search.plan, said.append)
    assert len(said) == 1
    assert curves_of(study, lambda _: 4) == []


def test_of_trials_that_fit_nothing_none_is_known_and_directions_are_words(tmp_path: Path) -> None:
    parts, said = make(tmp_path), list[str]()
    parts.search.study.ask({"other": X})
    parts.search.study.tell(0, 1.0)
    take_over(parts.search.study, parts.search.plan, said.append)
    assert "the sampler knows none of them, for none fits this space" in said[0]
    plan = replace(parts.search.plan, directions=("minimize",))
    now, then = "minimize", parts.search.plan.directions[0]
    if then == now:
        plan, now = replace(plan, directions=("maximize",)), "maximize"
    again = make(tmp_path / "again")
    again.search.study.ask({"x": X})
    with pytest.raises(UserError, match=f"was begun with direction {then}, not {now}; choose"):
        take_over(again.search.study, plan, said.append)


def test_samplers_see_those_that_fit_with_this_spaces_distributions(tmp_path: Path) -> None:
    parts, _ = taken_over(tmp_path)
    seen = known(
        parts.search.study, knowledge=Knowledge(space=SearchSpace({"x": X}, ()))
    ).get_trials()
    assert [t.number for t in seen] == [0, 2, 3, 4]
    assert {t.distributions["x"] for t in seen} == {X}


def test_the_winner_is_ours_and_theirs_is_named(tmp_path: Path) -> None:
    parts, _ = taken_over(tmp_path)
    study = parts.search.study
    assert winner(study) is None
    better = better_of_others(study)
    assert better is not None
    assert better.number == 0
    assert result_lines([parts.search])[:1] == [
        "best: trial 0, which cnnsweep did not run: val_loss -5 (x=0.5); none of ours was completed"
    ]
    for value in (3.0, 2.0):
        study.tell(parts.search.asker.ask().number, value)
    best = winner(study)
    assert best is not None
    assert best.number == 6
    first = result_lines([parts.search])[0]
    assert first.startswith(
        "best: trial 0, which cnnsweep did not run: val_loss -5 (x=0.5); best of ours: trial 6 (x="
    )
    write_results(tmp_path, [parts.search])
    results = OmegaConf.load(tmp_path / "optimization_results.yaml")
    assert (results.best_trial, results.best_value) == (6, 2.0)
    assert results.best_folder == str(tmp_path / "6")
    elsewhere = {"value": -5.0, "params": {"x": 0.5}, "trial": 0, "folder": None}
    assert results.better_elsewhere == elsewhere
    assert [t.number for t in ours(study).get_trials()] == [4, 5, 6]


def test_a_better_one_of_ours_is_the_best_of_all(tmp_path: Path) -> None:
    parts, _ = taken_over(tmp_path)
    parts.search.study.tell(parts.search.asker.ask().number, -5.0)
    assert better_of_others(parts.search.study) is None
    assert result_lines([parts.search])[0].startswith("best: trial 5 (x=")
    write_results(tmp_path, [parts.search])
    assert "better_elsewhere" not in OmegaConf.load(tmp_path / "optimization_results.yaml")


@pytest.mark.parametrize(
    "theirs",
    [IntDistribution(0, 1), CategoricalDistribution([0, 1]), FloatDistribution(1, 2, log=True)],
)
def test_what_optuna_would_refuse_later_is_refused_before(
    theirs: FloatDistribution, tmp_path: Path
) -> None:
    parts = make(tmp_path)
    parts.search.study.add_trial(
        create_trial(value=1.0, params={"x": 1}, distributions={"x": theirs})
    )
    with pytest.raises(
        UserError, match="trial 0 of study 'test', which cnnsweep did not run, has x"
    ) as refused:
        take_over(parts.search.study, parts.search.plan, print)
    assert f" from {drawn_from(theirs)}, and this search from " in str(refused.value)
    assert "Distribution" not in str(refused.value)
    assert THEIRS not in parts.search.study.user_attrs


def test_more_of_theirs_than_trials_in_all_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="has 5 trials that cnnsweep did not run, and hydra"):
        taken_over(tmp_path, n_trials=5)


def in_database(folder: Path, *overrides: str) -> Done:
    return sweep(TOY, folder / "sweep", *QUICK, *stored(folder), *overrides)


def stored(folder: Path) -> tuple[str, str]:
    return f"hydra.sweeper.storage=sqlite:///{folder}/study.db", "hydra.sweeper.study_name=old"


@pytest.fixture
def old_study(tmp_path: Path) -> Iterator[optuna.Study]:
    """A study of plain Optuna in a database, with a trial that nobody beats; closed after."""
    storage = RDBStorage(f"sqlite:///{tmp_path}/study.db")
    study = optuna.create_study(storage=storage, study_name="old")
    study.optimize(lambda trial: trial.suggest_float("lr", 0.001, 1, log=True) - 9, n_trials=2)
    yield study
    storage.remove_session()
    storage.engine.dispose()


def test_a_study_in_a_database_is_taken_over_and_goes_on(
    old_study: optuna.Study, tmp_path: Path
) -> None:
    before = old_study.trials
    refused = in_database(tmp_path, "hydra.sweeper.direction=maximize")
    assert refused.code == 1
    assert "was begun with direction minimize, not maximize; choose" in refused.text
    assert not (tmp_path / "sweep").exists()
    settings = (*TOY_SPACE, "epochs=2", "epoch_seconds=0.1", *stored(tmp_path))
    line = command(TOY, tmp_path / "sweep", *settings, "hydra.sweeper.n_trials=4")
    killed = begin(line)
    while not list((tmp_path / "sweep").glob("2/*")) and killed.poll() is None:
        time.sleep(0.05)
    killed.kill()
    finish(killed)
    done = to_its_end(line)
    assert done.code == 0, done.text
    best = f"best: trial {old_study.best_trial.number}, which cnnsweep did not run: val_loss -8."
    assert best in done.text
    assert "best of ours: trial" in done.text
    trials = old_study.trials
    assert [t.state.name for t in trials] == ["COMPLETE"] * 4
    assert [(t.params, t.values, t.user_attrs) for t in trials[:2]] == [
        (t.params, t.values, t.user_attrs) for t in before
    ]
    assert [is_theirs(t) for t in trials] == [True, True, False, False]
    assert {path.name for path in (tmp_path / "sweep").iterdir() if path.name.isdecimal()} == {
        "2",
        "3",
    }
