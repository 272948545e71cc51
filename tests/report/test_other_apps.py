"""Reports of another app's searches, as its runs record them: what decides, and what it took."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from cnnsweep.metric_names import Direction
from cnnsweep.other_apps.run_record import RunRecord
from cnnsweep.report.answer.analysis import Answer, answer
from cnnsweep.report.output.tables import headline
from cnnsweep.report.read.load_runs import gather
from cnnsweep.report.stats.options import Question

VALUES = {"val_loss": (0.63, 0.71, 0.69), "val_acc": (0.55, 0.6, 0.5), "f1": (0.2, 0.4, 0.3)}


def make_search(
    folder: Path,
    metric: str | None,
    way: Direction | None,
    *,
    returns: str = "",
    fails: bool = False,
) -> Path:
    """A search of three trials of two epochs, whose task returns a metric, a number, or nothing."""
    for number in range(3):
        place = folder / str(number)
        hydra = place / ".hydra"
        hydra.mkdir(parents=True)
        (hydra / "config.yaml").write_text(yaml.safe_dump({"lr": 0.1 * (number + 1), "epochs": 2}))
        (hydra / "hydra.yaml").write_text("hydra:\n  mode: MULTIRUN\n  job:\n    name: train\n")
        record = RunRecord(place, "train", metric, way)
        record.open()
        values = {name: column[number] for name, column in VALUES.items()}
        for epoch in (1, 2) if not fails else ():
            record.add({"epoch": epoch, **values})
        given = {"": None, "number": 0.9 + number}.get(returns, values.get(returns))
        record.close(given, RuntimeError("a mishap") if fails else None)
    sweeper = {"n_trials": 3, "metric": metric, "direction": way}
    (folder / "multirun.yaml").write_text(yaml.safe_dump({"hydra": {"sweeper": sweeper}}))
    return folder


def answered(folder: Path, **asked: Any) -> Answer:
    return answer(gather([folder]), Question(**asked))


@pytest.mark.parametrize("returns", ["", "metric"])
@pytest.mark.parametrize("way", ["minimize", "maximize"])
@pytest.mark.parametrize("metric", VALUES)
def test_the_sweepers_metric_decides_whatever_others_are_named(
    metric: str, way: Direction, returns: str, tmp_path: Path
) -> None:
    folder = make_search(tmp_path, metric, way, returns=metric if returns else "")
    found = answered(folder)
    assert (found.metric.name, found.metric.maximize) == (metric, way == "maximize")
    (winner,) = found.winners
    best = (min if way == "minimize" else max)(VALUES[metric])
    assert (winner.objective, winner.best) == (found.metric, best)
    assert f"best {metric} {found.metric.show(best)}" in winner.sentence()
    assert f"best {metric} " in answered(folder, metric="val_loss").winners[0].sentence()


@pytest.mark.parametrize("metric", [None, "val_loss"])
def test_a_value_that_is_no_reported_metric_is_called_objective(
    metric: str | None, tmp_path: Path
) -> None:
    found = answered(make_search(tmp_path, metric, None, returns="number"))
    (winner,) = found.winners
    assert (winner.objective.name, winner.objective.maximize) == ("objective", False)
    assert (found.metric.name, winner.best) == ("objective", 0.9)
    assert "best objective 0.9 (" in winner.sentence()


@pytest.mark.parametrize(("metric", "named"), [("val_loss", "val_loss"), (None, "objective")])
def test_where_all_failed_no_metric_of_ours_decides(
    metric: str | None, named: str, tmp_path: Path
) -> None:
    found = answered(make_search(tmp_path / "s", metric, "minimize", fails=True))
    assert f"{named} decides (lower is better)" in headline(found)
    assert "None" not in " ".join(found.tuning.reasons)


def as_before(folder: Path, metric: str) -> Path:
    """A search as it was recorded before results said what their objective is."""
    for number in range(3):
        result = folder / str(number) / "result.json"
        content = json.loads(result.read_text())
        del content["objective_is"]
        result.write_text(json.dumps(content))
        settings = (
            f"  sweeper:\n    _target_: cnnsweep.sweep.sweeper.CnnSweeper\n    metric: {metric}\n"
        )
        with (folder / str(number) / ".hydra" / "hydra.yaml").open("a") as file:
            file.write(f"{settings}    direction: null\n")
    return folder


def test_runs_recorded_before_tell_it_by_their_sweepers_settings(tmp_path: Path) -> None:
    folder = as_before(make_search(tmp_path, "val_loss", "minimize"), "val_loss")
    assert answered(folder).metric.name == answered(folder).winners[0].objective.name == "val_loss"


@pytest.mark.parametrize(("metric", "best"), [("val_loss", "0"), ("val_acc", "2")])
def test_their_other_value_is_better_as_the_metric_that_the_sweeper_knew(
    metric: str, best: str, tmp_path: Path
) -> None:
    folder = as_before(make_search(tmp_path, metric, None, returns="number"), metric)
    (winner,) = answered(folder).winners
    assert (winner.objective.name, winner.trial.folder.name) == ("objective", best)


def test_training_time_is_that_of_the_processes(tmp_path: Path) -> None:
    found = answered(make_search(tmp_path, "val_loss", None))
    assert found.cost.seconds > 0
    assert all(run.metric("train_seconds") is not None for run in found.runs)
