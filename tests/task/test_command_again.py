"""The line in result.json, pasted into a shell, makes the same run again, to the byte."""

import json
import re
from pathlib import Path

import pytest

from tests.command import cnnsweep, pasted, succeeded
from tests.run_files import metrics, tensors

TINY = (
    "model.channels=[2,4]", "model.hidden=8", "data.train_limit=100", "pictures=false", "epochs=1",
)  # fmt: skip
OWN = """
from cnnsweep.models.simple import Simple

class Net(Simple):
    def __init__(self, *, note, **sizes):
        super().__init__(**sizes)
        self.note = note
"""
TRIAL = (
    "search=mine", "hydra.sweeper.n_trials=2", "hydra.sweeper.n_jobs=1",
    "hydra.searchpath=[file://more]",
)  # fmt: skip
MINE = """\
# @package _global_
defaults:
  - override /hydra/sweeper: optuna
  - override /optim: adam
epochs: 2
scheduler:
  gamma: 0.5
hydra:
  sweeper:
    params:
      optim.lr: tag(log, interval(1e-3, 1e-1))
      data.batch_size: choice(16, 32)
"""
RUNS = {
    "a single run": (TINY, ()),
    "odd values": (
        (*TINY, "+model.note='a b\"c ~ $HOME ü'", "model._target_=own_net.Net",
         "scheduler=step", "logger=none", "seed=3"),
        (),
    ),
    "a job of a grid": (("-m", *TINY, "model.dropout=0.0,0.25", "seed=0,5"), ("3",)),
    "a trial": (("-m", *TINY[:4], "scheduler=step", *TRIAL), ("1",)),
    "a trial of a search of ours": (
        ("-m", *TINY, "search=sgd", "hydra.sweeper.n_trials=2", "hydra.sweeper.n_jobs=1"),
        ("1",),
    ),
    "a confirmation": (
        ("-m", *TINY, "search=adam", "hydra.sweeper.n_trials=1", "hydra.sweeper.confirm=1"),
        ("confirm/1",),
    ),
    "a config of one's own": ((*TINY, "--config-dir", "more", "+mine=some"), ()),
}  # fmt: skip


def make_own_files(place: Path) -> None:
    (place / "own_net.py").write_text(OWN)
    (place / "more" / "search").mkdir(parents=True)
    (place / "more" / "mine").mkdir(parents=True)
    (place / "more" / "search" / "mine.yaml").write_text(MINE)
    (place / "more" / "mine" / "some.yaml").write_text("# @package _global_\nseed: 7\n")


NOT_EVERY_DAY = ("a trial", "a confirmation")


@pytest.mark.parametrize(
    "kind",
    [pytest.param(k, marks=pytest.mark.slow if k in NOT_EVERY_DAY else ()) for k in RUNS],
)
def test_the_line_makes_the_same_run_again(tmp_path: Path, kind: str) -> None:
    make_own_files(tmp_path)
    typed, jobs = RUNS[kind]
    where = ["hydra.sweep.dir=old", "keep=all"] if "-m" in typed else ["hydra.run.dir=old"]
    succeeded(cnnsweep(*typed, *where, cwd=tmp_path, CNNSWEEP_ALLOW="own_net.*"))
    for job in jobs or (".",):
        folder = tmp_path / "old" / job
        result = json.loads((folder / "result.json").read_text())
        line = result["command"]
        assert "\n" not in line
        assert "search=" not in line.replace("hydra.searchpath=", "")
        new = tmp_path / "new" / job.replace("/", "-")
        pasted(f"{line} hydra.run.dir={new}", tmp_path)
        assert tensors(new / "best.pt") == tensors(folder / "best.pt")
        assert metrics(new) == metrics(folder)
        again = json.loads((new / "result.json").read_text())
        figures = ("objective", "test_accuracy", "val_loss", "epochs", "parameters", "data")
        assert {key: again[key] for key in figures} == {key: result[key] for key in figures}
        # The new run's own line says the same.
        assert re.sub(r"( threads=1)+", " threads=1", again["command"]) == re.sub(
            r"( threads=1)+", " threads=1", line
        )
