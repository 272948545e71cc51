"""The two example apps of docs/other_apps, from a folder of somebody's own."""

import json
import random
import shutil
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.command import REPOSITORY
from tests.sweep.sweep_commands import (
    end_all,
    finish,
    kill_in_training,
    start_in,
    study,
    table,
)

EXAMPLES = REPOSITORY / "docs" / "other_apps"
needs_lightning = pytest.mark.skipif(
    find_spec("lightning") is None, reason="Lightning is not installed: the extra lightning"
)
both = pytest.mark.parametrize(
    "name", ["plain_pytorch", pytest.param("lightning", marks=needs_lightning)]
)


@pytest.fixture(autouse=True)
def _none_left() -> Iterator[None]:
    yield
    end_all()


def copied(name: str, folder: Path) -> Path:
    return shutil.copytree(EXAMPLES / name, folder / "app") / "train.py"


def search(script: Path, folder: Path, *words: str) -> list[str]:
    """The command line of a search by an example, with one worker."""
    more = (f"hydra.sweep.dir={folder}", "hydra.sweeper.n_jobs=1", *words)
    return [sys.executable, str(script), "--multirun", *more]


def done(line: list[str], cwd: Path) -> str:
    ended = finish(start_in(cwd, line))
    assert ended.code == 0, ended.text
    return ended.text


def test_the_plain_loop_runs_and_is_searched_over_from_any_folder(tmp_path: Path) -> None:
    script = copied("plain_pytorch", tmp_path)
    done([sys.executable, str(script), "hydra.run.dir=one", "epochs=2"], tmp_path)
    result = json.loads((tmp_path / "one" / "result.json").read_text())
    assert (result["status"], result["epochs"]) == ("completed", 2)
    folder = tmp_path / "sweep"
    text = done(search(script, folder, "hydra.sweeper.n_trials=4", "epochs=3"), tmp_path)
    assert "paused" in text
    assert "report: " in text
    report = (folder / "report" / "report.md").read_text(encoding="utf-8").replace("\\", "")
    assert " won with lr=" in report
    assert "val_accuracy" in report


@pytest.mark.slow
@both
def test_an_example_killed_at_random_ends_as_if_nothing_had_happened(
    tmp_path: Path, name: str
) -> None:
    script, draw = copied(name, tmp_path), random.Random(3)
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    done(search(script, whole), tmp_path)
    line = search(script, killed)
    kills = [
        kill_in_training(line, killed, draw, whom=whom, most_seconds=0.2)
        for whom in ("parent", "worker", "parent", "parent")
    ]
    print(f"{sum(kills)} kills of {name}")
    done(line, tmp_path)
    assert table(killed) == table(whole)
    assert any(t.user_attrs.get("paused") for t in study(whole).trials)


@pytest.mark.slow
@both
def test_an_example_goes_on_with_more_and_is_pruned(tmp_path: Path, name: str) -> None:
    script, folder = copied(name, tmp_path), tmp_path / "sweep"
    words = ("hydra/sweeper/sampler=random", "hydra/sweeper/pruner=median")
    early = ("hydra.sweeper.pruner.n_startup_trials=1", "hydra.sweeper.pruner.n_warmup_steps=0")
    done(search(script, folder, *words, *early, "hydra.sweeper.n_trials=2"), tmp_path)
    done(search(script, folder, *words, *early, "hydra.sweeper.n_trials=6"), tmp_path)
    ends = [trial.state.name for trial in study(folder).trials]
    assert len(ends) == 6
    assert set(ends) == {"COMPLETE", "PRUNED"}
    for trial, end in enumerate(ends):
        result = json.loads((folder / str(trial) / "result.json").read_text())
        assert result["status"] == {"COMPLETE": "completed", "PRUNED": "pruned"}[end]
    said = done([sys.executable, "-m", "cnnsweep.report", "sweep"], tmp_path)
    assert "6 runs: " in said


STOPS = """
import sys
import lightning, torch
from lightning.pytorch.callbacks import Checkpoint, EarlyStopping, ModelCheckpoint
from omegaconf import OmegaConf
from pathlib import Path
from train import Digits, Report


class Stop(Exception):
    pass


class StopsAfter(Checkpoint):  # comes after Report
    def on_train_epoch_end(self, trainer, *_):
        seen.append((trainer.current_epoch, trainer.callback_metrics["val_loss"].item(),
                     trainer.optimizers[0].param_groups[0]["lr"]))
        if stops:
            raise Stop


class Scheduled(Digits):
    def configure_optimizers(self):
        optimizer = super().configure_optimizers()
        plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=0)
        schedule = {"scheduler": plateau, "monitor": "val_loss"}
        return {"optimizer": optimizer, "lr_scheduler": schedule}


def run(folder):
    last = Path(folder) / "last.ckpt"
    kept = ModelCheckpoint(dirpath=folder, monitor="val_loss")
    early = EarlyStopping("val_loss", patience=2)
    trainer = lightning.Trainer(max_epochs=14, accelerator="cpu", logger=False,
        callbacks=[kept, early, Report(last), StopsAfter()], num_sanity_val_steps=0,
        reload_dataloaders_every_n_epochs=1, enable_progress_bar=False)
    lightning.seed_everything(0)
    config = OmegaConf.create({"lr": 1.5, "width": 16, "seed": 0})
    trainer.fit(Scheduled(config), ckpt_path=last if last.exists() else None)
    return kept.best_model_path


seen, stops = [], False
best = run("whole")
whole = list(seen)
seen, stops = [], True
for _ in range(20):
    try:
        other = run("stopped")
        break
    except Stop:
        pass
assert len({lr for *_, lr in whole}) > 1, "no plateau was reached"
assert len(whole) < 14, "EarlyStopping did not end the run"
assert seen == whole, (seen, whole)
assert Path(other).name == Path(best).name
print("same", len(whole), "epochs")
"""


@pytest.mark.slow
@needs_lightning
def test_lightnings_plateaus_early_stopping_and_best_checkpoint_outlive_a_stop_after_each_epoch(
    tmp_path: Path,
) -> None:
    script = copied("lightning", tmp_path).with_name("stops.py")
    script.write_text(STOPS, encoding="utf-8")
    assert "same" in done([sys.executable, "-W", "ignore", str(script)], tmp_path)
