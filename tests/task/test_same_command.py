"""Resuming takes the options of a recorded command, and tells the very same command."""

import shutil
from pathlib import Path
from random import Random

import pytest
import yaml

from cnnsweep.folders.run_folder import RunFolder
from cnnsweep.task.recorded_command import is_same_command
from tests.command import QUICK, cnnsweep, complaint_of, succeeded
from tests.run_files import result
from tests.sweep.sweep_commands import study
from tests.task.test_command_again import MINE

WORDS = (
    *("model=lenet", "+model.dropout=0.2", "~scheduler", "hydra.sweeper.n_trials=3", "epochs=2"),
    *("from=old", "optim.lr=0.1,0.01", "search=sgd", "optim.momentum={space: 'a,b', when: {c: d}}"),
)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with configs of somebody's own in `mine`."""
    for group, text in {"search": MINE, "experiment": "# @package _global_\nepochs: 3\n"}.items():
        (tmp_path / "mine" / group).mkdir(parents=True)
        (tmp_path / "mine" / group / "own.yaml").write_text(text)
    return tmp_path


def test_a_search_of_ones_own_config_folder_is_resumed_with_it_typed_or_not(place: Path) -> None:
    typed = ("--multirun", "search=own", *QUICK, "scheduler=step", "hydra.sweeper.n_jobs=1")
    succeeded(cnnsweep(*typed, "--config-dir", "mine", "hydra.sweeper.n_trials=1", cwd=place))
    (folder,) = [path.parent for path in place.glob("multirun/*/*/multirun.yaml")]
    for number, words in enumerate((["resume=latest", "-cd", "mine"], [f"resume={folder}"]), 2):
        succeeded(cnnsweep(*words, f"hydra.sweeper.n_trials={number}", cwd=place))
        assert len(study(folder).trials) == number
    (place / "mine").rename(place / "moved")
    line = complaint_of(cnnsweep(f"resume={folder}", "hydra.sweeper.n_trials=4", cwd=place))
    assert f"--config-dir {place / 'mine'}, which is not there" in line


@pytest.mark.parametrize("is_just_begun", [False, True])
def test_a_run_of_ones_own_config_folder_is_resumed_without_it(
    place: Path, is_just_begun: bool
) -> None:
    typed = (*QUICK[:2], "pictures=false", "threads=1", "experiment=own", "--config-dir", "mine")
    succeeded(cnnsweep(*typed, "hydra.run.dir=R", cwd=place))
    (place / "R" / "result.json").unlink()
    record = place / "R" / ".hydra" / "command.yaml"
    kept = record.read_text()
    if is_just_begun:  # killed before Hydra has written its part
        shutil.rmtree(place / "R" / ".hydra")
        record.parent.mkdir()
        record.write_text(kept)
    succeeded(cnnsweep("resume=R", cwd=place))
    assert (result(place / "R")["status"], result(place / "R")["epochs"]) == ("completed", 3)


def test_a_run_of_a_recorded_config_is_resumed_in_its_folder(tmp_path: Path) -> None:
    succeeded(cnnsweep(*QUICK, "hydra.run.dir=R", cwd=tmp_path))
    recorded = ("--config-path", str(tmp_path / "R" / ".hydra"))
    succeeded(cnnsweep(*recorded, "hydra.run.dir=again", cwd=tmp_path))
    for words in (["resume=again"], [*recorded, "resume=again"]):
        (tmp_path / "again" / "result.json").unlink()
        succeeded(cnnsweep(*words, cwd=tmp_path))
        assert result(tmp_path / "again")["status"] == "completed"
    assert not (tmp_path / "outputs").exists()
    shutil.copytree(tmp_path / "R" / ".hydra", tmp_path / "own")
    line = complaint_of(cnnsweep("--config-path", str(tmp_path / "own"), "resume=R", cwd=tmp_path))
    assert "resume=R: this config has no hydra.callbacks.folders" in line
    assert "type hydra.run.dir=FOLDER" in line


@pytest.mark.parametrize("seed", range(20))
def test_the_same_command_is_told_from_any_other(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    draw = Random(seed)
    words = draw.sample(WORDS, draw.randint(0, len(WORDS)))
    run = RunFolder(tmp_path / "run")
    recorded = {"overrides": [*words, "hydra.run.dir=run"], "choices": {}, "options": []}
    (run.path / ".hydra").mkdir(parents=True)
    (run.path / ".hydra" / "command.yaml").write_text(yaml.safe_dump(recorded))
    assert not is_same_command(run.path, words)  # nothing was begun there
    run.write_config({"seed": 0})
    typed = draw.sample([*words, "resume=latest"], len(words) + 1)
    assert is_same_command(run.path, typed)
    other = draw.choice([word for word in [*WORDS, "seed=7"] if word not in words])
    assert not is_same_command(run.path, [*typed, other])
    if words and not any(word.startswith("from=") for word in words):
        typed.remove(draw.choice(words))
        assert not is_same_command(run.path, typed)
