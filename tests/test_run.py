import csv
import json
from pathlib import Path

import pytest
import yaml

from tests.command import QUICK, cnnsweep, complaint_of, succeeded
from tests.run_files import assert_same, metrics, result

FIELDS = (
    "status objective epochs best_epoch train_loss train_accuracy val_loss val_accuracy test_loss "
    "test_accuracy parameters train_seconds images_per_second device precision threads seed "
    "versions commit error classes data hardware commit_of_folder changes started ended command "
    "earlier val_balanced_accuracy test_balanced_accuracy learned stack lengthened"
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
    # code.patch is there where this checkout has changes that are not committed.
    assert {path.name for path in tiny_run.iterdir()} - {"code.patch"} == FILES
    content = json.loads((tiny_run / "result.json").read_text())
    assert list(content) == FIELDS.split()
    assert content["status"] == "completed"
    assert content["error"] is None
    assert content["objective"] == content["val_accuracy"]
    assert content["parameters"] == 61_728
    assert (content["device"], content["precision"], content["threads"]) == ("cpu", "float32", 1)
    assert {"python", "torch", "numpy", "hydra-core", "cnnsweep"} <= set(content["versions"])
    assert yaml.safe_load((tiny_run / "config.yaml").read_text())["data"]["train_limit"] == 200


def test_the_figures_are_those_of_the_best_epoch(tiny_run: Path) -> None:
    rows, content = metrics(tiny_run), result(tiny_run)
    assert [row["epoch"] for row in rows] == ["1", "2"]
    best = max(rows, key=lambda row: float(row["val_accuracy"]))
    assert content["best_epoch"] == int(best["epoch"])
    names = ("train_loss", "train_accuracy", "val_loss", "val_accuracy", "val_balanced_accuracy")
    for name in names:
        assert content[name] == float(best[name])
    assert list(rows[0])[-1] == "val_balanced_accuracy"


def test_the_predictions_add_up_to_the_test_accuracy(tiny_run: Path) -> None:
    with (tiny_run / "test_predictions.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["index"]) for row in rows] == list(range(359))
    right = sum(row["label"] == row["prediction"] for row in rows)
    assert right / len(rows) == result(tiny_run)["test_accuracy"]
    assert all(0.1 <= float(row["confidence"]) <= 1 for row in rows)


def test_balanced_accuracy_is_the_mean_of_the_classes_shares(tiny_run: Path) -> None:
    right: dict[str, list[bool]] = {}
    with (tiny_run / "test_predictions.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            right.setdefault(row["label"], []).append(row["label"] == row["prediction"])
    shares = [sum(hits) / len(hits) for hits in right.values()]
    found = result(tiny_run)
    assert found["test_balanced_accuracy"] == pytest.approx(sum(shares) / len(shares))
    assert found["learned"] is True


def test_a_run_that_never_learned_says_so(tmp_path: Path) -> None:
    command = (*QUICK, "optim.lr=1e-9", "hydra.run.dir=run")
    output = succeeded(cnnsweep(*command, cwd=tmp_path))
    assert result(tmp_path / "run")["learned"] is False
    assert "did not learn: test balanced accuracy 0." in output
    blind = (*command[:-1], "test=false", "data.val_fraction=0", "hydra.run.dir=blind")
    assert "did not learn" not in succeeded(cnnsweep(*blind, cwd=tmp_path))
    assert result(tmp_path / "blind")["learned"] is None


def test_balanced_accuracy_is_an_objective(tmp_path: Path) -> None:
    objective = "objective=[val_balanced_accuracy,test_balanced_accuracy]"
    stop = "early_stopping.patience=1"
    succeeded(cnnsweep(*QUICK, objective, stop, "hydra.run.dir=run", cwd=tmp_path))
    found = result(tmp_path / "run")
    best = max(float(row["val_balanced_accuracy"]) for row in metrics(tmp_path / "run"))
    assert found["objective"] == [best, found["test_balanced_accuracy"]]


@pytest.mark.parametrize("loss", ["cross_entropy", "mse"])
def test_weights_change_what_is_trained_and_equal_ones_do_not(loss: str, tmp_path: Path) -> None:
    command = (*QUICK, f"loss={loss}", "epochs=1")
    alike, uneven = str([2] * 10), str([1] * 9 + [9])
    for name, weight in (("plain", "null"), ("alike", alike), ("uneven", uneven)):
        words = (f"loss.weight={weight.replace(' ', '')}", f"hydra.run.dir={name}")
        succeeded(cnnsweep(*command, *words, cwd=tmp_path))
    plain, same, other = (
        metrics(tmp_path / n)[0]["train_loss"] for n in ("plain", "alike", "uneven")
    )
    assert float(same) == pytest.approx(float(plain), rel=1e-3)
    assert float(other) != pytest.approx(float(plain), rel=1e-3)


def test_a_loss_without_weights_refuses_them(tmp_path: Path) -> None:
    own = ("loss._target_=torch.nn.MultiMarginLoss", "loss._target_=torch.nn.MultiLabelMarginLoss")
    words = ("loss.weight=balanced", "hydra.run.dir=run")
    succeeded(cnnsweep(*QUICK, own[0], *words, cwd=tmp_path))
    line = complaint_of(cnnsweep(*QUICK, own[1], *words[:1], cwd=tmp_path))
    assert "torch.nn.MultiLabelMarginLoss has no weight" in line


def test_the_log_lists_each_layers_shape(tiny_run: Path) -> None:
    log = (tiny_run / "cnnsweep.log").read_text()
    assert "61,728" in log
    assert "[1, 16, 10, 10]" in log


@pytest.mark.parametrize(
    "arguments",
    [
        QUICK,
        (*QUICK, "augment=light", "model.dropout=0.3", "precision=bfloat16", "optim=adam"),
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
    succeeded(cnnsweep(*QUICK, "seed=1", "hydra.run.dir=run", cwd=tmp_path))
    assert metrics(tmp_path / "run") != metrics(tiny_run)


def test_without_a_validation_split_the_last_weights_count(tmp_path: Path) -> None:
    output = succeeded(
        cnnsweep(*QUICK, "data.val_fraction=0", "keep=none", "hydra.run.dir=run", cwd=tmp_path)
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
            *QUICK,
            "test=false",
            "objective=[val_loss,parameters]",
            "keep=best",
            "hydra.run.dir=run",
            cwd=tmp_path,
        )
    )
    content = result(tmp_path / "run")
    assert content["test_loss"] is content["test_accuracy"] is None
    assert content["objective"] == [content["val_loss"], 61_728]
    assert not (tmp_path / "run" / "test_predictions.csv").exists()
    assert [path.name for path in (tmp_path / "run").glob("*.pt")] == ["best.pt"]
