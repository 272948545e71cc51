import csv
import json
from pathlib import Path

import pytest
import yaml

from tests.command import TINY, cnnsweep, succeeded
from tests.run_files import assert_same, metrics, result

FIELDS = (
    "status objective epochs best_epoch train_loss train_accuracy val_loss val_accuracy test_loss "
    "test_accuracy parameters train_seconds images_per_second device precision threads seed "
    "versions commit error"
)
FILES = {
    ".hydra",
    ".lock",
    "best.pt",
    "cnnsweep.log",
    "config.yaml",
    "confusion.png",
    "curves.png",
    "last.pt",
    "metrics.csv",
    "predictions.png",
    "result.json",
    "test_predictions.csv",
}


def test_a_run_leaves_the_whole_folder(tiny_run: Path) -> None:
    assert {path.name for path in tiny_run.iterdir()} == FILES
    content = json.loads((tiny_run / "result.json").read_text())
    assert list(content) == FIELDS.split()
    assert content["status"] == "completed"
    assert content["error"] is None
    assert content["objective"] == content["val_accuracy"]
    assert content["parameters"] == 61_706
    assert (content["device"], content["precision"], content["threads"]) == ("cpu", "float32", 1)
    assert set(content["versions"]) == {"python", "torch", "cnnsweep"}
    assert yaml.safe_load((tiny_run / "config.yaml").read_text())["data"]["train_limit"] == 200


def test_the_figures_are_those_of_the_best_epoch(tiny_run: Path) -> None:
    rows, content = metrics(tiny_run), result(tiny_run)
    assert [row["epoch"] for row in rows] == ["1", "2"]
    best = max(rows, key=lambda row: float(row["val_accuracy"]))
    assert content["best_epoch"] == int(best["epoch"])
    for name in ("train_loss", "train_accuracy", "val_loss", "val_accuracy"):
        assert content[name] == float(best[name])


def test_the_predictions_add_up_to_the_test_accuracy(tiny_run: Path) -> None:
    with (tiny_run / "test_predictions.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["index"]) for row in rows] == list(range(359))
    right = sum(row["label"] == row["prediction"] for row in rows)
    assert right / len(rows) == result(tiny_run)["test_accuracy"]
    assert all(0.1 <= float(row["confidence"]) <= 1 for row in rows)


def test_the_log_lists_each_layers_shape(tiny_run: Path) -> None:
    log = (tiny_run / "cnnsweep.log").read_text()
    assert "61,706" in log
    assert "[1, 16, 10, 10]" in log


@pytest.mark.parametrize(
    "arguments",
    [
        TINY,
        (*TINY, "augment=light", "model.dropout=0.3", "precision=bfloat16", "optim=adam"),
    ],
    ids=["plain", "everything that draws"],
)
def test_the_same_command_twice_leaves_the_same_bytes(
    arguments: tuple[str, ...], tmp_path: Path
) -> None:
    for name in ("one", "other"):
        succeeded(cnnsweep(*arguments, f"hydra.run.dir={name}", cwd=tmp_path))
    assert_same(tmp_path / "one", tmp_path / "other")


def test_another_seed_leaves_other_figures(tiny_run: Path, tmp_path: Path) -> None:
    succeeded(cnnsweep(*TINY, "seed=1", "hydra.run.dir=run", cwd=tmp_path))
    assert metrics(tmp_path / "run") != metrics(tiny_run)


def test_without_a_validation_split_the_last_weights_count(tmp_path: Path) -> None:
    output = succeeded(
        cnnsweep(*TINY, "data.val_fraction=0", "keep=none", "hydra.run.dir=run", cwd=tmp_path)
    )
    content = result(tmp_path / "run")
    assert content["best_epoch"] == content["epochs"] == 2
    assert content["val_loss"] is content["val_accuracy"] is content["objective"] is None
    assert {row["val_loss"] for row in metrics(tmp_path / "run")} == {""}
    assert not list((tmp_path / "run").glob("*.pt"))
    assert "results: run" in output


def test_a_search_trial_leaves_the_test_split_alone(tmp_path: Path) -> None:
    succeeded(
        cnnsweep(
            *TINY,
            "test=false",
            "objective=[val_loss,parameters]",
            "keep=best",
            "hydra.run.dir=run",
            cwd=tmp_path,
        )
    )
    content = result(tmp_path / "run")
    assert content["test_loss"] is content["test_accuracy"] is None
    assert content["objective"] == [content["val_loss"], 61_706]
    assert not (tmp_path / "run" / "test_predictions.csv").exists()
    assert [path.name for path in (tmp_path / "run").glob("*.pt")] == ["best.pt"]
