"""What counts as a trial, as finished, and as one cause."""

import sys
from collections.abc import Iterator
from pathlib import Path

import optuna
import pytest
from omegaconf import OmegaConf
from optuna.storages import RDBStorage

from cnnsweep.errors import UserError
from cnnsweep.rules import choice, whole
from cnnsweep.sweep.results import result_lines, write_results
from cnnsweep.sweep.spec.formatting import cause_of
from cnnsweep.sweep.spec.plan import FOLDER
from cnnsweep.sweep.spec.samplers import Space
from tests.sweep.study.in_process import Parts, make
from tests.sweep.sweep_commands import OURS, TOY, TOY_SPACE, Done, finish, start_in, study, sweep

QUICK = (*TOY_SPACE, "epochs=1", "epoch_seconds=0")


def in_database(folder: Path, *overrides: str) -> Done:
    url = f"sqlite:///{folder}/study.db"
    return sweep(TOY, folder / "sweep", *QUICK, f"hydra.sweeper.storage={url}", *overrides)


@pytest.fixture
def old_study(tmp_path: Path) -> Iterator[optuna.Study]:
    """A study of plain Optuna in the database, which is closed after the test."""
    storage = RDBStorage(f"sqlite:///{tmp_path}/study.db")
    yield optuna.create_study(storage=storage, study_name="old")
    storage.remove_session()
    storage.engine.dispose()


def test_what_others_enqueued_is_run_and_what_they_add_later_is_counted(
    old_study: optuna.Study, tmp_path: Path
) -> None:
    old_study.enqueue_trial({"lr": 0.25, "momentum": 0.5})
    ours = ("hydra.sweeper.study_name=old", "hydra.sweeper.n_trials=2")
    done = in_database(tmp_path, *ours)
    assert done.code == 0, done.text
    assert old_study.trials[0].params == {"lr": 0.25, "momentum": 0.5}
    old_study.add_trial(
        optuna.trial.create_trial(
            value=-1.0,
            params={"lr": 0.5},
            distributions={"lr": old_study.trials[1].distributions["lr"]},
        )
    )
    again = in_database(tmp_path, *ours)
    assert again.code == 0, again.text
    assert "3 trials are over, more than hydra.sweeper.n_trials=2" in again.text
    results = OmegaConf.load(tmp_path / "sweep/optimization_results.yaml")
    assert "best: trial 2, which cnnsweep did not run: val_loss -1 (lr=0.5)" in again.text
    assert results.best_folder == str(tmp_path / "sweep" / str(results.best_trial))


def told(parts: Parts, *ends: str) -> None:
    for end in ends:
        trial = parts.search.asker.ask()
        state = optuna.trial.TrialState[end]
        parts.search.study.tell(trial.number, 0.5 if end == "COMPLETE" else None, state)


def test_a_winner_is_the_best_of_the_trials_that_have_a_value(tmp_path: Path) -> None:
    parts = make(tmp_path, n_trials=4)
    told(parts, "COMPLETE", "PRUNED", "FAIL", "FAIL")
    line = result_lines([parts.search])[1]
    assert line == "validation best 0.5 (best of 1 trial; 1 pruned, 2 failed)"


@pytest.mark.parametrize(("n_trials", "ended_by"), [(1, "n_trials"), (2, "timeout")])
def test_results_say_what_ended_the_search(tmp_path: Path, n_trials: int, ended_by: str) -> None:
    parts = make(tmp_path, n_trials=n_trials)
    told(parts, "COMPLETE")
    write_results(tmp_path, [parts.search])
    assert OmegaConf.load(tmp_path / "optimization_results.yaml").ended_by == ended_by


def test_parameters_are_named_in_the_space_s_order(tmp_path: Path) -> None:
    names = ("z", "a", "m")
    space: Space = {name: optuna.distributions.FloatDistribution(0, 1) for name in names}
    parts = make(tmp_path, n_trials=1, space=space)
    trial = optuna.trial.create_trial(
        params=dict.fromkeys(sorted(names), 0.5),
        distributions=space,
        value=0.0,
        user_attrs={FOLDER: "0"},
    )
    assert list(parts.search.plan.params(trial)) == list(names)
    parts.search.study.add_trial(trial)
    assert result_lines([parts.search])[0] == "best: trial 0 (z=0.5, a=0.5, m=0.5)"
    write_results(tmp_path, [parts.search])
    results = OmegaConf.load(tmp_path / "optimization_results.yaml")
    assert list(results.best_params) == list(names)


def cause(error: Exception) -> str:
    with pytest.raises(type(error)) as raised:
        raise error
    return cause_of(raised.value)


def refusal(rule: object, value: object) -> str:
    try:
        rule.check(value)  # type: ignore[attr-defined]
    except UserError as error:
        return cause_of(error)
    raise AssertionError


def test_a_cause_is_a_message_without_its_numbers() -> None:
    one, other = ("the loss became nan at rate 0.1", "the loss became nan at rate 2.5e-05")
    assert cause(ValueError(one)) == cause(ValueError(other))
    assert cause(ValueError(one)) != cause(ArithmeticError(one))
    assert refusal(whole("epochs", 1), 0) == refusal(whole("epochs", 1), -3)
    assert refusal(whole("epochs", 1), 0) != refusal(whole("threads", 1), 0)
    assert refusal(choice("a", "x"), "y") != refusal(choice("b", "x"), "y")


def test_a_search_that_chooses_by_the_test_split_is_warned_of(tmp_path: Path) -> None:
    few = ("model=lenet", "data.train_limit=100", "epochs=1", "hydra.sweeper.n_trials=1")
    line = ("search=sgd", "objective=test_accuracy", "test=true", *few)
    done = sweep(OURS, tmp_path / "sweep", *line)
    assert done.code == 0, done.text
    assert "warning: this search chooses by test_accuracy" in done.text


def test_a_search_that_its_timeout_ended_is_unfinished_and_a_finished_one_gets_more_trials(
    tmp_path: Path,
) -> None:
    def latest(*words: str) -> Done:
        few = ("model=lenet", "data.train_limit=400", "epochs=1", "hydra/sweeper/pruner=none")
        line = [sys.executable, "-m", "cnnsweep", *words]
        if "search=sgd" in words:
            line += [*few, "--multirun", "hydra.sweeper.n_jobs=1"]
        return finish(start_in(tmp_path, line))

    timed = latest("search=sgd", "hydra.sweeper.n_trials=24", "hydra.sweeper.timeout=2.5")
    assert timed.code == 0, timed.text
    (folder,) = tmp_path.glob("multirun/*/*")
    assert len(study(folder).trials) < 24
    assert (
        "hydra.sweeper.timeout was over before the search had all trials; to go on:" in timed.text
    )
    more = latest("-m", "resume=latest", "hydra.sweeper.timeout=null")
    assert (more.code, len(study(folder).trials)) == (0, 24), more.text
    over = latest("-m", "resume=latest")
    assert over.code == 1
    assert "no multirun/<date>/<time> is unfinished" in over.text
    run = latest("model=lenet", "data.train_limit=100", "epochs=1")
    assert run.code == 0, run.text
    grown = latest("hydra.sweeper.n_trials=26", "resume=latest")
    assert (grown.code, len(study(folder).trials)) == (0, 26), grown.text
    none = latest("-m", "hydra.sweeper.n_trials=26", "resume=latest")
    assert none.code == 1
    assert none.text.splitlines() == [
        "error: resume=latest: no multirun/<date>/<time> is unfinished, or a search of fewer than "
        "26 trials; leave resume out to start anew, or name a folder"
    ]
    assert list(tmp_path.glob("multirun/*/*")) == [folder]
