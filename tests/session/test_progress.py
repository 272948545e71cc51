"""What a run says of itself where nobody watches a terminal."""

from pathlib import Path

import pytest
from rich.console import Console

from cnnsweep.folders.result import Outcome
from cnnsweep.folders.run_folder import RunFolder
from cnnsweep.session import progress
from cnnsweep.session.progress import Bars, Lines

ROW = {
    "epoch": 3,
    "train_loss": 0.5,
    "train_accuracy": 0.75,
    "val_loss": 0.25,
    "val_accuracy": 0.875,
    "images_per_second": 12345.6,
}


def test_an_epoch_is_a_line_with_the_time_left(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([100.0, 110.0])
    monkeypatch.setattr(progress, "monotonic", lambda: next(clock))
    lines = Lines()
    lines.started(images=1000, epochs_behind=2, epochs=6)
    lines.epoch_ended(ROW)
    assert capsys.readouterr().out == (
        "epoch 3/6  loss 0.5000  accuracy 0.7500  val_loss 0.2500  val_accuracy 0.8750  "
        "12,346 images/s  30 s left\n"
    )


def test_without_a_validation_split_its_metrics_are_left_out(
    capsys: pytest.CaptureFixture[str],
) -> None:
    lines = Lines()
    lines.started(images=1000, epochs_behind=0, epochs=6)
    lines.epoch_ended(ROW | {"val_loss": None, "val_accuracy": None})
    assert "val_" not in capsys.readouterr().out


@pytest.mark.parametrize("kind", ["lines", "bars"])
def test_the_outcome_names_every_split_that_was_read_and_the_folder(
    tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    outcome = Outcome(
        seed=0, device="cpu", precision="float32", threads=2, epochs=6, best_epoch=4,
        parameters=421642,
    )  # fmt: skip
    outcome.train_loss, outcome.train_accuracy = 0.5, 0.75
    outcome.test_loss, outcome.test_accuracy = 0.25, 0.875
    outcome.train_seconds, outcome.images_per_second = 12.34, 5678.9
    shown = Lines() if kind == "lines" else Bars(Console(width=200))
    shown.outcome(outcome, RunFolder(tmp_path / "run"))
    text = " ".join(capsys.readouterr().out.replace(":", "").split())
    assert "epochs 6 (best 4)" in text
    assert "train accuracy 0.7500 loss 0.5000 test accuracy 0.8750 loss 0.2500" in text
    assert "parameters 421,642" in text
    assert "training 12.3 s, 5,679 images/s (cpu, float32, 2 threads)" in text
    assert text.endswith(f"results {tmp_path / 'run'}")
    outcome.threads = 1
    shown.outcome(outcome, RunFolder(tmp_path / "run"))
    assert "(cpu, float32, 1 thread)" in capsys.readouterr().out


@pytest.mark.parametrize("kind", ["lines", "bars"])
def test_whether_it_learned_is_said_where_it_did_not_or_cannot_be_told(
    tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def said(learned: bool | None) -> str:
        outcome = Outcome(
            seed=0, device="cpu", precision="float32", threads=2, parameters=1,
            images_per_second=1.0, test_balanced_accuracy=0.975, learned=learned,
        )  # fmt: skip
        shown = Lines() if kind == "lines" else Bars(Console(width=200))
        shown.outcome(outcome, RunFolder(tmp_path / "run"))
        return capsys.readouterr().out

    assert "did not learn: test balanced accuracy 0.9750 is no better" in said(False)
    assert "whether it learned cannot be told: too few test images of a class" in said(None)
    learned = said(True)
    assert "did not learn" not in learned
    assert "cannot be told" not in learned
