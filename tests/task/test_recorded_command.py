"""What runs and sweeps record of their commands."""

import json
import shlex
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
import yaml
from omegaconf import OmegaConf

from cnnsweep.folders.sweep_folder import SweepFolder
from cnnsweep.task.recorded_command import record_sweep
from tests.forked_commands import Commands, Ended, forked_commands

LAUNCHES = 4


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


def succeeded(ended: Ended) -> None:
    assert ended.code == 0, ended.out + ended.err


def test_a_run_records_its_words_as_they_were_typed(commands: Commands, tmp_path: Path) -> None:
    """What they are computed to is no word: it would not be computed again, and may be secret."""
    succeeded(commands.run([*TINY, *INTERPOLATED, "hydra.run.dir=a"], tmp_path))
    recorded = yaml.safe_load((tmp_path / "a" / ".hydra" / "command.yaml").read_text())
    assert recorded["overrides"] == ["hydra.run.dir=a", *TINY, *INTERPOLATED]
    line = json.loads((tmp_path / "a" / "result.json").read_text())["command"]
    assert shlex.split(line)[3:] == [*TINY, *INTERPOLATED]
    (tmp_path / "a" / "result.json").unlink()
    (tmp_path / "a" / ".hydra" / "hydra.yaml").write_text("hydra:\n")  # killed as Hydra began
    succeeded(commands.run(["resume=a"], tmp_path))


def test_sweeps_take_words_that_mean_something_in_their_place_only(
    commands: Commands, tmp_path: Path
) -> None:
    words = ["-m", *TINY, *INTERPOLATED, "seed=0,1", "hydra.sweep.dir=g"]
    subdir = "hydra.sweep.subdir=job_${hydra.job.num}"
    succeeded(commands.run([*words, subdir], tmp_path))
    succeeded(commands.run([*words, subdir], tmp_path))  # which is the same sweep
    assert sorted(p.parent.name for p in (tmp_path / "g").glob("*/result.json")) == [
        "job_0", "job_1",
    ]  # fmt: skip
    search = [*words[:-2], "hydra/sweeper=optuna", "optim.momentum=choice(0.1,0.2)"]
    search += ["hydra.sweeper.n_trials=1", "hydra.sweep.dir=s"]
    succeeded(commands.run(search, tmp_path))
    assert "hush" not in "".join(
        path.read_text() for path in (tmp_path / "s").glob("*.yaml") if path.is_file()
    )
