"""Sweeps of another app, as a person starts them, from a folder that is not ours."""

import json
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.sweep.launch.strangers import stranger
from tests.sweep.sweep_commands import (
    command,
    end_all,
    finish,
    kill_in_training,
    start,
    start_in,
    study,
    sweep,
    table,
)

TINY = Path(__file__).parent / "tiny" / "train.py"
APP = ("tests.other_apps.tiny.train",)


@pytest.fixture(autouse=True)
def _none_left() -> Iterator[None]:
    yield
    end_all()


def done(folder: Path, *words: str) -> str:
    ended = sweep(APP, folder, *words)
    assert ended.code == 0, ended.text
    return ended.text


def results(folder: Path) -> list[dict[str, Any]]:
    runs = sorted(folder.glob("[0-9]*"), key=lambda path: int(path.name))
    return [json.loads((run / "result.json").read_text()) for run in runs]


def best(folder: Path) -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((folder / "optimization_results.yaml").read_text())
    return {key: value for key, value in read.items() if key != "best_folder"}


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("unbroken") / "sweep"
    ended = finish(start(command(APP, folder)))  # not forked: its last line is what was typed
    assert ended.code == 0, ended.text
    return folder, ended.text


def test_trials_pause_and_the_winner_is_trained_to_its_end(unbroken: tuple[Path, str]) -> None:
    folder, text = unbroken
    states = [one["status"] for one in results(folder)]
    assert set(states) == {"completed", "paused"}
    winner = results(folder)[best(folder)["best_trial"]]
    assert (winner["status"], winner["epochs"]) == ("completed", 6)
    assert winner["objective"] == best(folder)["best_value"]
    again = f"-m {APP[0]} --multirun hydra.sweep.dir={folder} hydra.sweeper.pruner.budget=1\n"
    assert again in text  # as it was typed, and one word more
    trained = [(folder / str(n) / "epochs.txt").read_text().split() for n in range(len(states))]
    for epochs, one in zip(trained, results(folder), strict=True):  # none of them twice
        assert epochs == [str(n) for n in range(1, one["epochs"] + 1)]


def test_the_report_knows_winner_settings_and_curves(unbroken: tuple[Path, str]) -> None:
    folder, text = unbroken
    assert f"report: {folder}/report/index.html" in text
    page = (folder / "report" / "index.html").read_text(encoding="utf-8")
    said = (folder / "report" / "report.md").read_text(encoding="utf-8").replace("\\", "")
    assert f"trial {best(folder)['best_trial']} won with lr=" in said
    assert "records no outcome" not in said
    assert "6 runs: " in said
    assert "Learning curves" in page
    assert "half" in page


def test_it_was_paused_trials_go_on_with_a_larger_budget(unbroken: tuple[Path, str]) -> None:
    folder, _ = unbroken
    before = best(folder)
    done(folder, "hydra.sweeper.pruner.budget=1")
    assert {one["status"] for one in results(folder)} == {"completed"}
    trained = [(run / "epochs.txt").read_text().split() for run in folder.glob("[0-9]*")]
    assert trained == [["1", "2", "3", "4", "5", "6"]] * 6
    assert best(folder)["best_value"] <= before["best_value"]


def test_nan_in_its_config_is_no_other_config(tmp_path: Path) -> None:
    words = ("+scale=nan", "+more={low:[nan,1]}", "+mode=choice(nan,1)", "epochs=3")
    done(tmp_path / "s", *words)
    assert "paused" in {one["status"] for one in results(tmp_path / "s")}
    text = done(tmp_path / "s", *words, "hydra.sweeper.pruner.budget=1")
    assert {one["status"] for one in results(tmp_path / "s")} == {"completed"}
    assert "space changed" not in text


def test_nan_in_a_grid_is_no_other_config(tmp_path: Path) -> None:
    app = ("tests.other_apps.tiny.train", "--config-name=grid", "+scale=nan", "+more=[nan,1]")
    for grid in ("lr=0.1,0.01", "lr=0.1,0.01,0.2"):
        ended = sweep(app, tmp_path / "s", grid)
        assert ended.code == 0, ended.text
    assert "3 of 3 completed" in ended.text


def test_killed_at_random_it_ends_as_if_nothing_had_happened(tmp_path: Path) -> None:
    slow = ("epoch_seconds=0.1", "epochs=4", "hydra.sweeper.n_trials=4")
    folder = tmp_path / "k"
    done(tmp_path / "whole", *slow)
    draw = random.Random(5)
    kills = [
        kill_in_training(command(APP, folder, *slow), folder, draw, whom=w, most_seconds=0.5)
        for w in ("parent", "worker")
    ]
    assert any(kills)
    done(folder, *slow)
    assert table(folder) == table(tmp_path / "whole")
    assert best(folder) == best(tmp_path / "whole")


def test_two_launches_are_one_longer_one(tmp_path: Path) -> None:
    words = ("hydra/sweeper/sampler=random", "hydra/sweeper/pruner=none", "epochs=2")
    done(tmp_path / "two", *words, "hydra.sweeper.n_trials=2")
    done(tmp_path / "two", *words, "hydra.sweeper.n_trials=4")
    done(tmp_path / "one", *words, "hydra.sweeper.n_trials=4")
    assert table(tmp_path / "two") == table(tmp_path / "one")


def test_without_a_checkpoint_trials_are_pruned_and_never_paused(tmp_path: Path) -> None:
    done(tmp_path / "s", "hydra.sweeper.checkpoint=null", "hydra.sweeper.n_trials=8")
    assert {one["status"] for one in results(tmp_path / "s")} <= {"completed", "pruned"}
    trained = [(run / "epochs.txt").read_text().split() for run in (tmp_path / "s").glob("[0-9]")]
    assert len(trained) == 8
    assert all(len(set(epochs)) == len(epochs) for epochs in trained)


@pytest.mark.parametrize("mishap", ["catches_errors", "catches_all"])
def test_a_loop_that_catches_everything_is_pruned_all_the_same(tmp_path: Path, mishap: str) -> None:
    words = ("hydra/sweeper/pruner=threshold", "hydra.sweeper.pruner.upper=1")
    done(tmp_path / "s", *words, "hydra.sweeper.pruner.n_warmup_steps=0", f"mishap={mishap}")
    trials = study(tmp_path / "s").trials
    ends = {t.number: t.state.name for t in trials}
    assert "PRUNED" in ends.values()
    for number, one in enumerate(results(tmp_path / "s")):
        assert one["status"] == {"COMPLETE": "completed", "PRUNED": "pruned"}[ends[number]]
    pruned = next(number for number, end in ends.items() if end == "PRUNED")
    trained = (tmp_path / "s" / str(pruned) / "epochs.txt").read_text().split()
    assert (len(trained) == 6) == (mishap == "catches_all")  # whatever it trains on, it is pruned


def test_a_task_that_returns_nothing_has_its_best_epoch(tmp_path: Path) -> None:
    done(tmp_path / "s", "returns=nothing", "momentum=1", "hydra/sweeper/pruner=none")
    trials = study(tmp_path / "s").trials
    assert trials
    for trial in trials:
        assert trial.value == min(trial.intermediate_values.values())


def test_a_metric_that_is_not_reported_ends_the_sweep(tmp_path: Path) -> None:
    words = ("hydra.sweeper.metric=val_los", "hydra.sweeper.direction=minimize")
    ended = sweep(APP, tmp_path / "s", *words)
    assert ended.code == 1
    said = f"hydra.sweeper.metric=val_los was not reported: epoch 1 in {tmp_path / 's' / '0'} has "
    assert f"{said}val_loss, half. Type one of these, and another hydra.sweep.dir\n" in ended.text
    assert "to go on" not in ended.text
    assert [trial.state.name for trial in study(tmp_path / "s").trials] == ["RUNNING"]


def test_a_task_that_returns_nothing_says_so_where_no_metric_is_named(tmp_path: Path) -> None:
    words = ("hydra.sweeper.metric=null", "hydra.sweeper.checkpoint=null", "epochs=1")
    ended = sweep(APP, tmp_path / "s", *words, "returns=nothing", "hydra.sweeper.n_trials=1")
    assert ended.code == 1
    assert (
        "the task returned nothing: it must return its objective, or hydra.sweeper.metric=… "
        in (ended.text)
    )


def test_a_search_whose_trials_all_failed_says_how_to_have_more(tmp_path: Path) -> None:
    words = ("mishap=raises", "epochs=2", "hydra/sweeper/pruner=none", "hydra.sweeper.n_jobs=1")
    for _ in range(2):  # the same command once more does nothing, and says so
        ended = sweep(APP, tmp_path / "s", *words, "hydra.sweeper.n_trials=2")
        assert ended.code == 1
        last = ended.text.splitlines()[-1]
        assert "none is left to begin (RuntimeError: a mishap). Failed trials are not" in last
        assert "hydra.sweeper.n_trials=4 has as many new ones, and another hydra.sweep.dir" in last
        assert "to go on" not in last
    sweep(APP, tmp_path / "s", *words, "hydra.sweeper.n_trials=4")
    assert [trial.state.name for trial in study(tmp_path / "s").trials] == ["FAIL"] * 4


def test_an_app_that_reports_nothing_has_its_outcomes_in_the_report(tmp_path: Path) -> None:
    words = ("hydra/sweeper=cnnsweep", "x=interval(0,2)", "hydra.sweeper.n_trials=3")
    ended = sweep(stranger(tmp_path / "app"), tmp_path / "s", *words)
    assert ended.code == 0, ended.text
    values = [trial.value for trial in study(tmp_path / "s").trials]
    assert [one["objective"] for one in results(tmp_path / "s")] == values
    assert {one["status"] for one in results(tmp_path / "s")} == {"completed"}
    assert all(one["started"] <= one["ended"] for one in results(tmp_path / "s"))
    said = finish(start_in(tmp_path, [sys.executable, "-m", "cnnsweep.report", "s"])).text
    assert "3 runs: 3 completed" in said
    assert "trial " in said
    assert "records no outcome" not in said


def test_points_of_a_folder_are_refused_since_its_runs_are_not_ours(tmp_path: Path) -> None:
    (tmp_path / "before").mkdir()
    ended = sweep(APP, tmp_path / "s", f"hydra.sweeper.points={tmp_path / 'before'}")
    assert ended.code == 1
    assert "must be cnnsweep's own, and these are another app's; allowed is a file" in ended.text
    assert not (tmp_path / "s").exists()


def test_where_no_metric_is_named_a_line_says_so_once(tmp_path: Path) -> None:
    words = ("hydra.sweeper.metric=null", "hydra.sweeper.checkpoint=null")
    text = done(tmp_path / "s", *words, "hydra.sweeper.n_trials=2")
    note = "no trial is pruned or paused by what its epochs report (val_loss, half)"
    assert text.count(note) == 1
    assert {one["status"] for one in results(tmp_path / "s")} == {"completed"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["hydra.sweeper.metric=f1"], "hydra.sweeper.direction=minimize or maximize says which"),
        (["hydra.sweeper.metric=''"], "hydra.sweeper.metric="),
        (["hydra.sweeper.checkpoint=../last.pt"], "allowed is null, or a file's name"),
        (["hydra.sweeper.checkpoint=/last.pt"], "allowed is null, or a file's name"),
    ],
)
def test_bad_values_are_refused_before_anything_is_made(
    tmp_path: Path, words: list[str], said: str
) -> None:
    ended = sweep(APP, tmp_path / "s", *words)
    assert ended.code == 1
    assert said in ended.text
    assert not (tmp_path / "s").exists()


@pytest.mark.parametrize(
    ("mishap", "said"),
    [
        ("keeps_nothing", "hydra.sweeper.checkpoint=state.json: after epoch 1 there is no such"),
        ("diverges", "val_loss is NaN after epoch 1: the run diverged"),
    ],
)
def test_a_run_that_cannot_go_on_fails_with_the_reason(
    tmp_path: Path, mishap: str, said: str
) -> None:
    ended = sweep(APP, tmp_path / "s", f"mishap={mishap}", "hydra.sweeper.n_trials=1")
    assert ended.code == 1
    assert said in ended.text
    assert said in results(tmp_path / "s")[0]["error"]


def test_a_trial_that_begins_anew_though_it_was_paused_fails(tmp_path: Path) -> None:
    ended = sweep(APP, tmp_path / "s", "mishap=begins_anew")
    assert ended.code == 1 or "failed" in ended.text
    assert "the run does not go on from state.json as it was" in ended.text


def test_a_folder_with_runs_of_another_sweep_is_not_gone_on_with(tmp_path: Path) -> None:
    line = [sys.executable, str(TINY), "lr=0.7", f"hydra.run.dir={tmp_path / 's' / '0'}"]
    assert finish(start_in(tmp_path, line)).code == 0
    ended = sweep(APP, tmp_path / "s", "hydra.sweeper.n_trials=1")
    assert ended.code == 1
    assert "has trial 0, and the study 'cnnsweep' knows nothing of that" in ended.text


def test_seeds_and_confirmation_name_what_they_measure(tmp_path: Path) -> None:
    text = done(tmp_path / "s", "+seed=0", "hydra.sweeper.confirm=2", "hydra.sweeper.n_trials=3")
    assert "· fresh seeds " in text
    assert text.count("confirm/") == 2


def test_a_trial_of_several_seeds_is_their_mean(tmp_path: Path) -> None:
    words = ("+seed=0", "hydra.sweeper.seeds=2", "hydra.sweeper.n_trials=2")
    done(tmp_path / "s", *words, "hydra/sweeper/pruner=none")
    paths = sorted((tmp_path / "s" / "0").glob("seed_*/result.json"))
    runs = [json.loads(path.read_text()) for path in paths]
    assert results(tmp_path / "s")[0]["objective"] == sum(r["objective"] for r in runs) / 2
    assert len(runs) == 2


def test_a_grid_of_another_app_shows_its_objectives(tmp_path: Path) -> None:
    app = ("tests.other_apps.tiny.train", "--config-name=grid")
    ended = sweep(app, tmp_path / "s", "lr=0.1,0.01")
    assert ended.code == 0, ended.text
    assert "2 of 2 completed" in ended.text
    assert "lr    runs  objective" in ended.text
    assert {one["status"] for one in results(tmp_path / "s")} == {"completed"}


def test_a_single_run_leaves_the_same_files_and_prints_nothing(tmp_path: Path) -> None:
    ran = finish(start_in(tmp_path, [sys.executable, str(TINY), "hydra.run.dir=r"]))
    assert (ran.code, ran.text) == (0, "")
    wanted = {"app": "train", "status": "completed", "epochs": 6}
    read = json.loads((tmp_path / "r" / "result.json").read_text())
    assert read.items() >= wanted.items()
    assert len((tmp_path / "r" / "metrics.csv").read_text().splitlines()) == 7


def test_a_process_of_another_rank_leaves_nothing(tmp_path: Path) -> None:
    line = [sys.executable, str(TINY), "hydra.run.dir=r"]
    assert finish(start_in(tmp_path, line, LOCAL_RANK="1")).code == 0
    assert not (tmp_path / "r" / "metrics.csv").exists()


def test_a_run_that_fails_says_so_in_its_folder(tmp_path: Path) -> None:
    line = [sys.executable, str(TINY), "hydra.run.dir=r", "mishap=raises"]
    assert finish(start_in(tmp_path, line)).code == 1
    end = json.loads((tmp_path / "r" / "result.json").read_text())
    assert (end["status"], end["error"], end["epochs"]) == ("failed", "RuntimeError: a mishap", 2)
