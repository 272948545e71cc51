"""What runs and sweeps record of their commands, and what resuming takes of it."""

import json
import shlex
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from threading import Barrier

import pytest
import yaml
from omegaconf import OmegaConf

from cnnsweep.folders.run_folder import RunFolder
from cnnsweep.folders.sweep_folder import SweepFolder
from cnnsweep.task.recorded_command import is_same_command, record_sweep
from tests.command import QUICK, cnnsweep, complaint_of, succeeded
from tests.forked_commands import Commands, Ended, forked_commands
from tests.run_files import result
from tests.sweep.sweep_commands import study
from tests.task.test_command_again import MINE

LAUNCHES = 4
WORDS = (
    *("model=lenet", "+model.dropout=0.2", "~scheduler", "hydra.sweeper.n_trials=3", "epochs=2"),
    *("from=old", "optim.lr=0.1,0.01", "search=sgd", "optim.momentum={space: 'a,b', when: {c: d}}"),
)


def test_launches_that_begin_a_shared_sweep_at_once_leave_one_whole_record(tmp_path: Path) -> None:
    sweeper = {"_target_": "cnnsweep.sweep.sweeper.CnnSweeper", "n_trials": 3, "storage": None}
    overrides = {"hydra": ["hydra.sweeper.shared=true"], "task": ["optim.lr=interval(0.1, 1)"]}
    config = OmegaConf.create({"hydra": {"sweeper": sweeper, "overrides": overrides}})

    def record(folder: Path, all_there: Barrier) -> None:
        all_there.wait()
        record_sweep(folder, config)

    with ThreadPoolExecutor(LAUNCHES) as launches:
        for number in range(50):
            folder, all_there = tmp_path / str(number), Barrier(LAUNCHES)
            folder.mkdir()
            list(launches.map(record, [folder] * LAUNCHES, [all_there] * LAUNCHES))
            assert OmegaConf.load(SweepFolder(folder).config) == config
            assert list(folder.iterdir()) == [SweepFolder(folder).config]


INTERPOLATED = (
    "+my.rate=0.2", "optim.lr=${my.rate}", "+my.sibling=${.rate}", "+my.all=${optim}",
    "+my.key=${oc.env:MY_SECRET}",
)  # fmt: skip
TINY = (
    "model.channels=[2,4]", "model.hidden=8", "data.train_limit=100", "pictures=false", "epochs=1",
    "threads=1",
)  # fmt: skip


@pytest.fixture(scope="module")
def commands() -> Iterator[Commands]:
    with forked_commands(MY_SECRET="hush") as running:
        yield running


def worked(ended: Ended) -> None:
    assert ended.code == 0, ended.out + ended.err


def test_a_run_records_its_words_as_they_were_typed(commands: Commands, tmp_path: Path) -> None:
    """What they are computed to is no word: it would not be computed again, and may be secret."""
    worked(commands.run([*TINY, *INTERPOLATED, "hydra.run.dir=a"], tmp_path))
    recorded = yaml.safe_load((tmp_path / "a" / ".hydra" / "command.yaml").read_text())
    assert recorded["overrides"] == ["hydra.run.dir=a", *TINY, *INTERPOLATED]
    line = json.loads((tmp_path / "a" / "result.json").read_text())["command"]
    assert shlex.split(line)[3:] == [*TINY, *INTERPOLATED]
    (tmp_path / "a" / "result.json").unlink()
    (tmp_path / "a" / ".hydra" / "hydra.yaml").write_text("hydra:\n")  # killed as Hydra began
    worked(commands.run(["resume=a"], tmp_path))


def test_sweeps_take_words_that_mean_something_in_their_place_only(
    commands: Commands, tmp_path: Path
) -> None:
    words = ["-m", *TINY, *INTERPOLATED, "seed=0,1", "hydra.sweep.dir=g"]
    subdir = "hydra.sweep.subdir=job_${hydra.job.num}"
    worked(commands.run([*words, subdir], tmp_path))
    worked(commands.run([*words, subdir], tmp_path))  # which is the same sweep
    assert sorted(p.parent.name for p in (tmp_path / "g").glob("*/result.json")) == [
        "job_0", "job_1",
    ]  # fmt: skip
    search = [*words[:-2], "hydra/sweeper=optuna", "optim.momentum=choice(0.1,0.2)"]
    search += ["hydra.sweeper.n_trials=1", "hydra.sweep.dir=s"]
    worked(commands.run(search, tmp_path))
    assert "hush" not in "".join(
        path.read_text() for path in (tmp_path / "s").glob("*.yaml") if path.is_file()
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
