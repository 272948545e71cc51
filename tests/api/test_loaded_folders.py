"""Folders as objects, whoever left them: old code, a killed run, a comparison."""

import json
import shutil
from pathlib import Path

import pytest

from cnnsweep.api import Run, Sweep, UserError
from cnnsweep.folders.run_folder import RunFolder
from tests.test_recorded_folders import RECORDED


def test_a_run_of_old_code() -> None:
    old = Run.load(RECORDED / "run")
    assert old.result.status == "completed"
    recorded = json.loads((RECORDED / "run" / "result.json").read_text())
    assert old.result.metrics["test_accuracy"] == recorded["test_accuracy"]
    assert old.result.metrics["val_balanced_accuracy"] is None  # not measured then
    assert all(name.endswith(("loss", "accuracy")) for name in old.result.metrics)
    assert old.result.command is None
    assert len(old.metrics) == old.config.epochs
    weights = old.model().network.state_dict()  # as old code has written them
    assert sum(tensor.numel() for tensor in weights.values()) >= int(old.result.parameters or 0)


def test_sweeps_of_old_code() -> None:
    grid, search = Sweep.load(RECORDED / "grid"), Sweep.load(RECORDED / "search")
    assert (grid.kind, search.kind) == ("grid", "search")
    assert len(grid.table) == len(grid.runs) > 0
    assert len(grid.failed) == 0
    assert search.settings == {}  # it is not over
    assert search.best.folder == RECORDED / "search" / "1"  # the best so far


def test_a_run_that_is_not_over() -> None:
    killed = Run.load(RECORDED / "unfinished_run")
    assert len(killed.metrics) == 2
    assert len(killed.predictions) == 0
    assert list(killed.predictions.columns)[:3] == ["index", "label", "prediction"]
    assert "not over" in repr(killed)
    with pytest.raises(UserError, match="the run is not over"):
        _ = killed.result


def test_what_is_no_run_or_sweep(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no such folder"):
        Run.load(tmp_path / "nowhere")
    with pytest.raises(UserError, match="holds neither a run nor a sweep"):
        Run.load(tmp_path)
    with pytest.raises(UserError, match="holds no sweep"):
        Sweep.load(RECORDED / "run")


def test_names_of_classes_stay_text(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    run.write_config({"seed": 0})
    run.write_test_predictions([(0, 1, 0.5)], ["None", "12"], ["nan/NA.png"])
    row = Run.load(tmp_path).predictions.iloc[0]
    assert (row["label_name"], row["prediction_name"], row["file"]) == ("None", "12", "nan/NA.png")


def test_predict_names_what_it_cannot_read(tiny_run: Path, tmp_path: Path) -> None:
    from PIL import Image

    Image.new("L", (8, 8), 255).save(tmp_path / "white.png")
    run = Run.load(tiny_run)
    (answer,) = run.predict(str(tmp_path / "white.png"), invert=True)
    assert sum(share for _, share in answer.classes) == pytest.approx(1)
    with pytest.raises(UserError, match=r"absent\.png: there is no such image"):
        run.predict(tmp_path / "absent.png")


def test_nothing_is_lost_of_the_result(tiny_run: Path) -> None:
    result = Run.load(tiny_run).result
    assert result.recorded == json.loads((tiny_run / "result.json").read_text())
    assert result.seconds == result.recorded["train_seconds"]


@pytest.mark.parametrize("typed", ["../there/out", "./out", "../there/../there/out", "{}/../out"])
def test_folders_are_whole_however_they_were_named(
    typed: str, tiny_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep = tmp_path / "there" / "out"
    shutil.copytree(tiny_run, sweep / "0")
    (sweep / "multirun.yaml").write_text("hydra:\n  sweeper: {}\n")
    monkeypatch.chdir(tmp_path / "there")
    folder = typed.format(sweep)
    found = Sweep.load(folder)
    assert [str(found.folder), *(str(run.folder) for run in found.runs)] == [
        str(sweep.resolve()),
        str(sweep.resolve() / "0"),
    ]
    assert str(Run.load(f"{folder}/0").folder) == str(sweep.resolve() / "0")
