"""metrics.csv and result.json of another app's run, whatever is reported in which order."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from cnnsweep.epoch_reporter import Paused, Pruned
from cnnsweep.errors import UserError
from cnnsweep.other_apps.metrics import checked_row
from cnnsweep.other_apps.run_record import RunRecord, finished_epochs
from cnnsweep.report.read.find import find
from cnnsweep.report.read.parse_run import read_run


def opened(folder: Path, **more: Any) -> RunRecord:
    record = RunRecord(folder, "mine", "loss", "minimize", **more)
    record.open()
    return record


def heard(record: RunRecord, epoch: int, loss: float, **more: float) -> list[int | float | None]:
    return [row["epoch"] for row in record.add(checked_row(epoch, {"loss": loss, **more}))]


def result(folder: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((folder / "result.json").read_text())
    return read


def test_a_run_has_a_row_an_epoch_and_says_how_it_ended(tmp_path: Path) -> None:
    record = opened(tmp_path)
    assert result(tmp_path)["status"] == "running"
    for epoch, loss in enumerate((0.5, 0.1, 0.3), start=1):
        assert heard(record, epoch, loss) == [epoch]
    assert (tmp_path / "metrics.csv").read_text() == "epoch,loss\n1,0.5\n2,0.1\n3,0.3\n"
    record.close(0.3, None)
    end = result(tmp_path)
    wanted = {"app": "mine", "status": "completed", "objective": 0.3, "epochs": 3}
    assert end.items() >= (wanted | {"best_epoch": 2, "loss": 0.1, "error": None}).items()
    assert finished_epochs(tmp_path) == (
        [{"epoch": n, "loss": loss} for n, loss in ((1, 0.5), (2, 0.1), (3, 0.3))],
        0.3,
    )


def test_a_run_that_goes_on_ends_with_the_same_bytes(tmp_path: Path) -> None:
    unbroken, broken = tmp_path / "a", tmp_path / "b"
    losses = [1 / 3, 2 / 7, math.nan, 0.1 + 0.2, 1e-300]
    for folder in (unbroken, broken):
        folder.mkdir()
    record = opened(unbroken)
    for epoch, loss in enumerate(losses, start=1):
        record.add(checked_row(epoch, {"loss": loss}))
    for done in range(1, len(losses) + 1):  # each epoch in a process of its own
        record = opened(broken, checkpoint="last.pt")
        if done > 1:
            assert heard(record, done - 1, losses[done - 2]) == list(range(1, done))
        assert heard(record, done, losses[done - 1])[-1] == done
    assert (broken / "metrics.csv").read_bytes() == (unbroken / "metrics.csv").read_bytes()


def test_a_sweep_hears_of_former_epochs_though_the_run_does_not_report_them_again(
    tmp_path: Path,
) -> None:
    record = opened(tmp_path)
    heard(record, 1, 0.5)
    heard(record, 2, 0.4)
    assert heard(opened(tmp_path), 3, 0.3) == [1, 2, 3]


def test_epochs_come_in_their_order(tmp_path: Path) -> None:
    record = opened(tmp_path)
    heard(record, 1, 0.5)
    assert heard(record, 1, 0.5) == [1]
    with pytest.raises(UserError, match=r"report_epoch\(3, …\) came after epoch 1"):
        heard(record, 3, 0.5)
    with pytest.raises(UserError, match=r"epoch 1 was reported before with loss 0.5"):
        heard(record, 1, 0.4)


def test_a_run_that_does_not_go_on_from_its_checkpoint_is_refused(tmp_path: Path) -> None:
    heard(opened(tmp_path), 1, 0.5)
    record = opened(tmp_path, checkpoint="last.pt")
    with pytest.raises(UserError, match=r"the run does not go on from last.pt as it was"):
        heard(record, 1, 0.4)
    assert (tmp_path / "metrics.csv").read_text() == "epoch,loss\n1,0.5\n"


def test_a_run_without_a_checkpoint_begins_anew(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    record = opened(tmp_path)
    heard(record, 1, 0.5)
    heard(record, 2, 0.4)
    assert heard(opened(tmp_path), 1, 0.45) == [1]
    assert (tmp_path / "metrics.csv").read_text() == "epoch,loss\n1,0.45\n"
    assert "epochs from 1 on are trained again" in caplog.text


def test_an_epoch_that_a_kill_kept_from_being_reported_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    heard(opened(tmp_path), 1, 0.5)
    assert heard(opened(tmp_path), 3, 0.3) == [1, 3]
    assert "epochs 2 to 2 were never reported" in caplog.text


def test_metrics_may_come_and_go(tmp_path: Path) -> None:
    record = opened(tmp_path)
    heard(record, 1, 0.5)
    heard(record, 2, 0.4, more=1)
    heard(record, 3, 0.3)
    assert (tmp_path / "metrics.csv").read_text() == (
        "epoch,loss,more\n1,0.5,\n2,0.4,1.0\n3,0.3,\n"
    )


@pytest.mark.parametrize("name", ["metrics.csv", "result.json"])
def test_files_of_other_programs_stay_as_they_are(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text('{"accuracy": 1}')
    with pytest.raises(UserError, match=f"keeps {name} in the run's folder, and .* is another"):
        opened(tmp_path)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {name: '{"accuracy": 1}'}


def test_a_result_that_the_app_writes_itself_stays(tmp_path: Path) -> None:
    record = opened(tmp_path)
    heard(record, 1, 0.5)
    (tmp_path / "result.json").write_text('{"accuracy": 1}')
    record.close(0.5, None)
    assert (tmp_path / "result.json").read_text() == '{"accuracy": 1}'


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (RuntimeError("a\nb"), "failed"),
        (KeyboardInterrupt(), "interrupted"),
        (Pruned(), "pruned"),
        (Paused(), "paused"),
    ],
)
def test_each_end_has_its_status(tmp_path: Path, error: BaseException, status: str) -> None:
    record = opened(tmp_path)
    heard(record, 1, 0.5)
    record.close(None, error)
    assert result(tmp_path)["status"] == status
    assert result(tmp_path)["objective"] is None
    run = read_run(find([tmp_path]).runs[0])
    assert (run.status, run.ours, run.app, run.metrics["loss"]) == (status, False, "mine", [0.5])
    assert finished_epochs(tmp_path) is None


def test_a_paused_run_stays_paused_until_it_has_another_end(tmp_path: Path) -> None:
    record = opened(tmp_path)
    heard(record, 1, 0.5)
    record.close(None, Paused())
    assert heard(opened(tmp_path), 2, 0.4) == [1, 2]
    assert result(tmp_path)["status"] == "paused"


def test_a_run_that_was_killed_is_unfinished_for_the_report(tmp_path: Path) -> None:
    heard(opened(tmp_path), 1, 0.5)
    run = read_run(find([tmp_path]).runs[0])
    assert (run.status, run.problems, run.epochs_done) == ("unfinished", [], 0)


@pytest.mark.parametrize(("way", "best"), [("minimize", 0.1), ("maximize", 0.5), (None, None)])
def test_where_nothing_is_returned_the_best_value_counts(
    tmp_path: Path, way: Any, best: float | None
) -> None:
    record = RunRecord(tmp_path, "mine", "loss", way)
    record.open()
    for epoch, loss in enumerate((0.5, math.nan, 0.1), start=1):
        heard(record, epoch, loss)
    assert record.objective(None) == best
    assert record.objective(0.7) == 0.7
