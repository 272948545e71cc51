"""A search of an earlier one's best points for longer trains only the epochs that are new."""

from pathlib import Path

from cnnsweep.folders.run_folder import RunFolder
from cnnsweep.sweep.freeze_thaw.paused import is_paused
from tests.command import cnnsweep, complaint_of, pasted, succeeded
from tests.run_files import metrics, tensors
from tests.sweep.sweep_commands import study

SEARCH = (
    "--multirun", "hydra/sweeper=optuna", "hydra/sweeper/pruner=none", "hydra.sweeper.n_trials=3",
    "optim.lr=interval(0.01,0.1)", "model=simple", "data.train_limit=100", "threads=1",
    "hydra.sweeper.n_jobs=1", "hydra.sweeper.keep_best=2",
)  # fmt: skip


def test_the_line_that_a_refusal_names(tmp_path: Path) -> None:
    succeeded(cnnsweep(*SEARCH, "epochs=1", "hydra.sweep.dir=search", cwd=tmp_path))
    line = complaint_of(cnnsweep("resume=search", "epochs=2", cwd=tmp_path))
    command = line[line.index("python -m") :].replace("n_trials=5", "n_trials=3")
    pasted(f"{command} hydra.sweep.dir=longer > output", tmp_path)
    output = (tmp_path / "output").read_text()
    assert output.count("its first 1 epochs are those of search/") == 2
    taken = 0
    for number in "012":
        run = tmp_path / "longer" / number
        taken += "resuming after epoch 1" in (run / "cnnsweep.log").read_text()
        lr = (RunFolder(run).read_config() or {})["optim"]["lr"]
        words = (*SEARCH[5:8], f"optim.lr={lr}", "epochs=2", "pictures=false", "test=false")
        succeeded(cnnsweep(*words, f"hydra.run.dir=anew_{number}", cwd=tmp_path))
        assert metrics(run) == metrics(tmp_path / f"anew_{number}")
        if (run / "last.pt").exists():
            assert tensors(run / "last.pt") == tensors(tmp_path / f"anew_{number}" / "last.pt")
    assert taken == 2


def test_a_trial_that_has_epochs_is_paused_after_them(tmp_path: Path) -> None:
    succeeded(cnnsweep(*SEARCH, "epochs=2", "hydra.sweep.dir=search", cwd=tmp_path))
    words = [word for word in SEARCH if "pruner" not in word]
    longer = ("epochs=6", "hydra.sweeper.points=search", "hydra.sweeper.default_first=false")
    budget = ("hydra.sweeper.pruner.budget=0.5", "hydra.sweep.dir=longer")
    output = succeeded(cnnsweep(*words, *longer, *budget, cwd=tmp_path))
    for trial in study(tmp_path / "longer").trials:
        run = RunFolder(tmp_path / "longer" / str(trial.number))
        rows = run.read_metrics()
        assert {row["epoch"]: row["val_accuracy"] for row in rows} == trial.intermediate_values
        if is_taken := f"longer/{trial.number}: its first 2 epochs are those of search/" in output:
            assert len(rows) >= 2
        if is_paused(trial):
            (line,) = [x for x in output.splitlines() if x.startswith(f"trial {trial.number}: ")]
            assert f" after epoch {2 if is_taken else 1}, paused" in line
    assert output.count("after epoch 2, paused") == 2
