"""One folder becomes one run, whoever wrote it and however it ended."""

import json
from pathlib import Path

import pytest

from cnnsweep.report.read.find import find
from cnnsweep.report.read.parse_run import read_run
from cnnsweep.report.read.run_record import Run
from tests.report.made_runs import Job, make_run


def _read(folder: Path) -> Run:
    (found,) = find([folder]).runs
    return read_run(found)


@pytest.mark.parametrize("status", ["completed", "pruned", "failed", "interrupted", "unfinished"])
def test_the_status_is_that_of_result_json(tmp_path: Path, status: str) -> None:
    run = _read(make_run(tmp_path / "run", Job(status=status, error=None)))
    assert run.status == status
    assert run.problems == []
    assert run.epochs_done == len(run.metrics["epoch"])


def test_the_choice_of_each_group_is_a_column(tmp_path: Path) -> None:
    run = _read(make_run(tmp_path / "run", Job("resnet", changes={"optim.lr": 0.5})))
    assert run.value("model") == "resnet"
    assert run.value("data") == "digits"
    assert run.value("optim.lr") == 0.5
    assert run.value("experiment") is None


def test_without_hydras_settings_the_target_names_the_model(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run", Job("resnet"))
    (folder / ".hydra" / "hydra.yaml").unlink()
    assert _read(folder).value("model") == "ResNet"


HYDRAS = "hydra:\n  job:\n    name: {}\n  runtime:\n    choices:\n      model: {}\n"


@pytest.mark.parametrize(
    ("target", "name"),
    [
        ("cnnsweep.models.simple.Simple", "simple"),
        ("my.Net", "Net"),
        ("cnnsweep.models.lenet.LeNet", "LeNet"),
    ],
)
def test_a_network_of_ones_own_goes_by_its_target(tmp_path: Path, target: str, name: str) -> None:
    run = _read(make_run(tmp_path / "run", Job(changes={"model._target_": target})))
    assert run.value("model") == name


def test_an_option_of_ones_own_and_another_apps_keep_their_names(tmp_path: Path) -> None:
    own = make_run(tmp_path / "own", Job("mynet", changes={"model._target_": "my.Net"}))
    assert _read(own).value("model") == "mynet"
    other = _other_app(tmp_path / "other")
    (other / ".hydra" / "config.yaml").write_text("model: {_target_: their.Net}\n")
    (other / ".hydra" / "hydra.yaml").write_text(HYDRAS.format("train", "simple"))
    assert _read(other).value("model") == "simple"


def test_a_job_that_has_just_begun_is_ours(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run", Job(status="unfinished"))
    for name in ("config.yaml", "cnnsweep.log", "metrics.csv"):
        (folder / name).unlink()
    (folder / ".hydra" / "hydra.yaml").write_text(HYDRAS.format("cnnsweep", "simple"))
    run = _read(folder)
    assert (run.ours, run.status) == (True, "unfinished")
    (folder / ".hydra" / "hydra.yaml").write_text(HYDRAS.format("train", "simple"))
    assert not _read(folder).ours


def test_a_figure_wins_over_a_config_key_of_its_name(tmp_path: Path) -> None:
    run = _read(make_run(tmp_path / "run", Job(epochs=6, status="pruned")))
    assert (run.value("epochs"), run.value("config.epochs")) == (3, 6)


@pytest.mark.parametrize("name", ["result.json", "config.yaml", ".hydra/hydra.yaml"])
@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"{", b"[1, 2]", b"\x00" * 100])
def test_a_damaged_file_costs_one_row_and_one_line(
    tmp_path: Path, name: str, content: bytes
) -> None:
    folder = make_run(tmp_path / "run", Job())
    (folder / name).write_bytes(content)
    run = _read(folder)
    if name == ".hydra/hydra.yaml" and content != b"\xff\xfe\x00":
        assert (run.status, run.problems) == ("completed", [])  # lines on choices alone matter
        assert run.value("model") == "Simple"
        return
    assert run.status == "damaged"
    assert len(run.problems) == 1
    assert run.problems[0].startswith(str(folder / name))


def test_damaged_metrics_cost_a_line_but_not_the_result(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run", Job())
    (folder / "metrics.csv").write_text("epoch,val_accuracy\n1\n2,0.5\n")
    run = _read(folder)
    assert run.status == "completed"
    assert run.problems == [f"{folder / 'metrics.csv'}: line 2 has 1 cells, the header 2"]


def test_a_figure_that_is_no_number_is_named_and_not_averaged(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run", Job())
    result = json.loads((folder / "result.json").read_text())
    (folder / "result.json").write_text(json.dumps(result | {"test_accuracy": "0.99"}))
    run = _read(folder)
    assert run.metric("test_accuracy") is None
    assert "test_accuracy is '0.99', no number" in run.problems[0]


def _other_app(folder: Path) -> Path:
    (folder / ".hydra").mkdir(parents=True)
    (folder / ".hydra" / "config.yaml").write_text("model: {width: 3}\ntrainer: {max_epochs: 2}\n")
    return folder


def test_another_apps_csv_gives_metrics_and_its_last_values(tmp_path: Path) -> None:
    folder = _other_app(tmp_path / "run")
    (folder / "log.csv").write_text("epoch,loss,acc\n0,1.0,0.5\n1,0.5,0.7\n")
    run = _read(folder)
    assert (run.status, run.ours) == ("completed", False)
    assert run.metrics == {"epoch": [0, 1], "loss": [1.0, 0.5], "acc": [0.5, 0.7]}
    assert run.value("acc") == 0.7
    assert run.value("model.width") == 3


def test_lightnings_logger_writes_deeper_and_on_alternate_rows(tmp_path: Path) -> None:
    folder = _other_app(tmp_path / "run")
    (folder / "csv" / "version_0").mkdir(parents=True)
    (folder / "csv" / "version_0" / "metrics.csv").write_text(
        "epoch,step,train/loss,val/acc\n0,9,0.9,\n0,9,,0.5\n1,19,0.4,\n1,19,,0.8\n"
    )
    run = _read(folder)
    assert run.metrics["val/acc"] == [0.5, 0.8]
    assert run.metrics["train/loss"] == [0.9, 0.4]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("results.json", '{"test": {"acc": 0.9}}'),
        ("final.yaml", "test:\n  acc: 0.9\n"),
        ("result.json", '{"test": {"acc": 0.9}}'),
    ],
)
def test_another_apps_final_figures_are_read(tmp_path: Path, name: str, text: str) -> None:
    folder = _other_app(tmp_path / "run")
    (folder / name).write_text(text)
    run = _read(folder)
    assert run.value("test.acc") == 0.9
    assert run.status == "completed"


def test_another_apps_run_without_figures_is_unfinished(tmp_path: Path) -> None:
    run = _read(_other_app(tmp_path / "run"))
    assert run.status == "unfinished"
