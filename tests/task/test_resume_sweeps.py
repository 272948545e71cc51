"""The line that a stopped sweep prints goes on with it, whatever swept it."""

import re
import shlex
import shutil
import signal
import time
from pathlib import Path

import pytest

from tests.command import TINY, cnnsweep, complaint_of, start, succeeded
from tests.run_files import result
from tests.sweep.sweep_commands import study
from tests.test_recorded_folders import copied

RUNS = (*TINY, "epochs=40", "pictures=false")
GRID = ("--multirun", *RUNS, "seed=0,1")
SEARCH = (
    *("--multirun", *RUNS, "search=sgd", "hydra/sweeper/pruner=none"),
    *("hydra.sweeper.n_trials=2", "hydra.sweeper.n_jobs=1"),
)


def stopped(cwd: Path, *arguments: str) -> tuple[Path, list[str]]:
    """Ctrl-C after an epoch; the sweep's folder, and the words of the line that it printed."""
    process = start(*arguments, cwd=cwd)
    while not (lasts := list(cwd.glob("multirun/*/*/*/last.pt"))):
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 130, output + errors
    line = re.search(r"stopped; to resume: python -m cnnsweep (.*)", errors)
    assert line is not None, errors
    return lasts[0].parent.parent, shlex.split(line[1])


@pytest.mark.parametrize("command", [GRID, SEARCH], ids=["grid", "search"])
def test_the_line_that_a_stop_prints_resumes(command: tuple[str, ...], tmp_path: Path) -> None:
    folder, line = stopped(tmp_path, *command)
    assert line == [*command, f"resume={folder.relative_to(tmp_path)}"]
    begun = (folder / "0" / "metrics.csv").read_text()
    succeeded(cnnsweep(*line, cwd=tmp_path))
    assert list(tmp_path.glob("multirun/*/*")) == [folder]
    assert [result(folder / job)["status"] for job in "01"] == ["completed"] * 2
    assert (folder / "0" / "metrics.csv").read_text().startswith(begun)
    if command is SEARCH:
        assert len(study(folder).trials) == 2
        shutil.rmtree(folder / "report")  # killed before it was written
        over = succeeded(cnnsweep(*command, "resume=latest", cwd=tmp_path))
        assert f"report: {folder / 'report' / 'index.html'}" in over
        assert (folder / "report" / "index.html").exists()
    else:
        over = succeeded(cnnsweep(*command, "resume=latest", cwd=tmp_path))
        assert "2 of 2 completed" in over
        again = complaint_of(cnnsweep("--multirun", "resume=latest", cwd=tmp_path))
        assert "no multirun/<date>/<time> is unfinished" in again


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(GRID, id="grid"),
        pytest.param(SEARCH, id="search", marks=pytest.mark.slow),
    ],
)
def test_the_same_command_again_names_the_line_that_resumes(
    command: tuple[str, ...], tmp_path: Path
) -> None:
    folder, line = stopped(tmp_path, *command)
    process = start(*command, cwd=tmp_path, PYTHONUNBUFFERED="1")
    assert process.stdout is not None
    said = [process.stdout.readline().strip() for _ in range(2)]
    process.kill()
    process.communicate()
    place = folder.relative_to(tmp_path)
    assert said[0] == f"{place} is unfinished; to resume it instead of starting anew:"
    assert shlex.split(said[1]) == ["python", "-m", "cnnsweep", *line]


def test_a_folder_in_which_nothing_was_recorded_is_no_default_run(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    line = complaint_of(cnnsweep("resume=empty", cwd=tmp_path))
    assert "resume=empty: it holds nothing that can be resumed" in line
    assert "type the whole command with hydra.run.dir=empty" in line
    assert list((tmp_path / "empty").iterdir()) == []


def test_a_folder_with_an_odd_name_is_resumed(tmp_path: Path) -> None:
    odd = "it's a, b=c {d}"
    shutil.copytree(copied("grid", tmp_path), tmp_path / odd)
    quoted = "resume='it\\'s a, b=c {d}'"
    succeeded(cnnsweep("--multirun", quoted, "logger=none", cwd=tmp_path))
    assert result(tmp_path / odd / "2")["status"] == "completed"
    assert not (tmp_path / "multirun").exists()


def test_a_runs_folder_is_not_a_sweeps(tmp_path: Path) -> None:
    copied("run", tmp_path)
    line = complaint_of(cnnsweep("--multirun", "resume=old", "seed=0,1", cwd=tmp_path))
    assert "resume=old is a run: leave --multirun out" in line
    shutil.copytree(copied("grid", tmp_path / "sweep"), tmp_path / "grid")
    line = complaint_of(cnnsweep("resume=grid", "--run", cwd=tmp_path))
    assert "resume=grid is a sweep: it needs --multirun" in line


def test_two_grids_begun_at_once_never_share_a_folder(tmp_path: Path) -> None:
    arguments = ("--multirun", *TINY, "epochs=1", "pictures=false", "seed=0,1")
    processes = [start(*arguments, cwd=tmp_path) for _ in range(2)]
    for process in processes:
        output, errors = process.communicate()
        assert process.returncode == 0, output + errors
    folders = list(tmp_path.glob("multirun/*/*/multirun.yaml"))
    results = list(tmp_path.glob("multirun/*/*/[01]/result.json"))
    assert (len(folders), len(results)) == (2, 4)
