"""The study is open while it runs and after: to Optuna and to its dashboard."""

import json
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from optuna_dashboard import save_note  # type: ignore[import-untyped]
from optuna_dashboard._note import get_note_from_system_attrs  # type: ignore[import-untyped]

from tests.sweep.study.dashboards import ask, dashboard
from tests.sweep.sweep_commands import ROOT, TOY, TOY_SPACE, command, finish, start, study, sweep


def ask_until_none_runs(address: str) -> list[dict[str, Any]]:
    """The trials of a study; the dashboard reads its storage again after some seconds."""
    while True:
        trials: list[dict[str, Any]] = ask(address)["trials"]
        if "Running" not in {trial["state"] for trial in trials} and len(trials) == 3:
            return trials
        time.sleep(0.5)


def test_the_dashboard_shows_a_sweep_that_runs_and_one_that_is_over(tmp_path: Path) -> None:
    folder, hold = tmp_path / "sweep", tmp_path / "hold"
    hold.touch()
    settings = (*TOY_SPACE, "hydra.sweeper.n_trials=3", "epochs=2", f"hold={hold}")
    process = start(command(TOY, folder, *settings))
    while not (folder / "0").exists():
        time.sleep(0.05)
    with dashboard(folder / "study.journal", tmp_path / "dashboard.log") as address:
        (summary,) = ask(f"{address}/api/studies")["study_summaries"]
        assert summary["study_name"] == "cnnsweep"
        detail = f"{address}/api/studies/{summary['study_id']}"
        assert "Running" in {trial["state"] for trial in ask(detail)["trials"]}
        assert str(folder) in ask(detail)["note"]["body"]
        hold.unlink()
        done = finish(process)
        assert done.code == 0, done.text
        trials = ask_until_none_runs(detail)
    assert {trial["state"] for trial in trials} <= {"Complete", "Pruned"}
    folders = [{a["key"]: a["value"] for a in trial["user_attrs"]}["folder"] for trial in trials]
    assert [folder.strip('"') for folder in folders] == ["0", "1", "2"]
    check_that_folders_and_trials_know_each_other(folder)
    for trial in trials:
        check_note(trial["note"]["body"], folder / str(trial["number"]), tmp_path)


def check_that_folders_and_trials_know_each_other(folder: Path) -> None:
    for trial in study(folder).trials:
        run = folder / trial.user_attrs["folder"]
        assert run.name == str(trial.number)
        overrides = (run / ".hydra/overrides.yaml").read_text()
        assert f"lr={trial.params['lr']}" in overrides


def check_note(note: str, run: Path, folder: Path) -> None:
    """That it names the outcome and the folder, and that its command does what the trial did."""
    value = json.loads((run / "result.json").read_text())["objective"]
    assert note.startswith(f"**completed**, val_loss {value:.4g}, epochs ")
    assert f"\n    {run}\n" in note
    typed = shlex.split(note.partition("again:\n\n")[2].replace("\\\n", ""))
    assert typed[:3] == ["python", "-m", TOY[0]]
    again = folder / f"again{run.name}"
    words = [sys.executable, *typed[1:], f"hydra.run.dir={again}"]
    subprocess.run(words, check=True, cwd=ROOT, timeout=60)
    assert (again / "toy.json").read_text() == (run / "toy.json").read_text()


def test_a_trial_that_failed_says_why_and_a_persons_note_stays(tmp_path: Path) -> None:
    folder = tmp_path / "sweep"
    settings = (*TOY_SPACE, "mishap=raise")
    assert sweep(TOY, folder, *settings, "hydra.sweeper.n_trials=1").code == 1
    save_note(study(folder), "Mine")
    assert sweep(TOY, folder, *settings, "hydra.sweeper.n_trials=2").code == 1
    kept = study(folder)
    attributes = kept._storage.get_study_system_attrs(kept._study_id)
    assert get_note_from_system_attrs(attributes, None)["body"].endswith("\n---\n\nMine")
    for trial in kept.trials:
        body = get_note_from_system_attrs(attributes, trial._trial_id)["body"]
        assert body.startswith("**failed**, val_loss ")
        assert f"\n\n    RuntimeError: a mishap at lr {trial.params['lr']}" in body
