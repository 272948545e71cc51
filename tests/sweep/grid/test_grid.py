"""Grids by the real command line: workers, failures, resume, folders, the last lines."""

import random
import re
import shutil
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from cnnsweep.folders.run_folder import RunFolder
from tests.command import TINY, cnnsweep, succeeded
from tests.sweep.sweep_commands import (
    begin,
    command,
    finish,
    metrics,
    start,
    study,
    sweep,
    workers,
)

TOY = ("tests.sweep.toy.app", "hydra/sweeper=grid")
FAST = ("epochs=3", "epoch_seconds=0")
SLOW = ("epochs=6", "epoch_seconds=0.05")


def outcomes(folder: Path) -> dict[str, Any]:
    """What a grid leaves, without times: by folder the objective and the epochs."""
    found = {}
    for run in sorted(folder.glob("[0-9]*")):
        result = RunFolder(run).read_result()
        assert result is not None, run
        toy = run / "toy.json"
        epochs = toy.read_text() if toy.exists() else metrics(run)
        found[run.name] = (result["status"], result["objective"], epochs)
    return found


def test_a_grid_has_workers_lines_a_table_and_a_study(tmp_path: Path) -> None:
    done = cnnsweep(
        *("-m", *TINY, "model=simple,lenet", "seed=0,1,2", "pictures=false"),
        *("hydra.sweep.dir=grid", "hydra.sweeper.n_jobs=2"),
        cwd=tmp_path,
    )
    lines = succeeded(done).splitlines()
    assert lines[0].startswith("2 workers of 1 thread: hydra.sweeper.n_jobs=2")
    assert lines[1] == f"6 jobs over model, seed; in {tmp_path / 'grid'}"
    said = [line for line in lines if line.startswith("job ")]
    assert sorted(line.split(":")[0] for line in said) == [f"job {n}" for n in range(6)]
    assert all("(model=" in line and "val_accuracy " in line for line in said)
    end = lines.index("6 of 6 completed")
    final = "  python -m cnnsweep from=grid data.train_limit=null data.val_fraction=0"
    assert lines[end + 2] == final
    assert lines[end + 3].startswith("grid: the best of 2 settings by val_accuracy is model=")
    assert lines[-1] == f"report: {tmp_path / 'grid/report/index.html'}"
    heading, *rows = lines[end - 4 : end - 1]
    assert lines[end - 1] == "± is half of the 95 % interval of the mean"
    assert re.split(r"\s{2,}", heading) == [
        *("model", "runs", "val_accuracy, mean", "test_accuracy, mean", "time a run")
    ]
    assert {tuple(row.split()[:2]) for row in rows} == {("simple", "3"), ("lenet", "3")}
    assert all("±" in row for row in rows)
    results = [RunFolder(tmp_path / "grid" / str(n)).read_result() for n in range(6)]
    assert [r and r["status"] for r in results] == ["completed"] * 6
    assert all(r is not None and r["test_accuracy"] is not None for r in results)
    trials = study(tmp_path / "grid").trials
    assert sorted(t.values for t in trials) == sorted([r["objective"]] for r in results if r)
    of_report = (tmp_path / "grid/report/runs.csv").read_text().splitlines()
    assert all(row.startswith("completed,grid,") for row in of_report[1:])
    told = (tmp_path / "grid/report/report.md").read_text()
    assert not any(words in told for words in ("of searches", "no confirmation run"))


MISHAPS = ("raise", "SIGKILL", "exit", "memory", "hang")


def test_each_bad_job_costs_one_job_and_the_exit_code(tmp_path: Path) -> None:
    done = sweep(
        *(TOY, tmp_path / "grid", *FAST, f"mishap=none,{','.join(MISHAPS)}", "seed=0,1"),
        *("hydra.sweeper.n_jobs=2", "hydra.sweeper.trial_timeout=8"),
    )
    assert done.code == 1, done.text
    last = done.text.splitlines()[-1]
    assert "2 of 12 completed, 10 failed: job " in last
    assert f" hydra.sweep.dir={tmp_path / 'grid'}" in last  # the app's own command
    for number, mishap in enumerate(MISHAPS, start=1):
        for seed in range(2):
            begins = f"job {2 * number + seed}: failed: "
            (said,) = [line for line in done.text.splitlines() if line.startswith(begins)]
            assert said.endswith(f" (mishap={mishap}, seed={seed})")
    states = [outcomes(tmp_path / "grid")[str(n)][0] for n in range(12)]
    assert states == ["completed"] * 2 + ["failed"] * 10


def test_ten_failures_in_a_row_end_no_grid(tmp_path: Path) -> None:
    done = sweep(TOY, tmp_path / "grid", *FAST, "mishap=raise,none", "seed=range(10)")
    assert done.code == 1
    assert "10 of 20 completed, 10 failed: job 0, job 1" in done.text.splitlines()[-1]


def test_the_same_command_tries_failed_jobs_again_and_no_other(tmp_path: Path) -> None:
    folder, gate = tmp_path / "grid", tmp_path / "gate"
    hold = ("hydra.sweeper.n_jobs=1", "hydra.sweeper.trial_timeout=2", "lr=0.1,0.2", *FAST)
    gate.touch()  # until it goes, jobs hang
    assert sweep(TOY, folder, *hold, f"hold={gate}").code == 1
    gate.unlink()
    again = sweep(TOY, folder, *hold, f"hold={gate}")
    assert again.code == 0, again.text
    assert "resuming: 0 of 2 jobs are over" in again.text
    before = {run: (run / "epochs.txt").read_text() for run in folder.glob("[0-9]*")}
    third = sweep(TOY, folder, *hold, f"hold={gate}")
    assert "resuming: 2 of 2 jobs are over" in third.text
    assert before == {run: (run / "epochs.txt").read_text() for run in folder.glob("[0-9]*")}


def test_a_value_added_to_any_axis_keeps_the_numbers_that_are_there(tmp_path: Path) -> None:
    folder = tmp_path / "grid"
    assert sweep(TOY, folder, *FAST, "lr=0.1,0.2", "seed=5,6").code == 0
    before = outcomes(folder)
    done = sweep(TOY, folder, *FAST, "lr=0.3,0.1,0.2", "seed=5,4,6", "momentum=0.5")
    assert done.code == 0, done.text
    after = outcomes(folder)
    assert {name: after[name] for name in before} == before
    assert sorted(map(int, after)) == list(range(9))


def test_a_job_of_any_returned_value_is_completed(tmp_path: Path) -> None:
    done = sweep(TOY, tmp_path / "grid", *FAST, "mishap=none,no_number", "objective=val_loss")
    assert done.code == 0, done.text
    assert done.text.splitlines()[-1] == "2 of 2 completed"


def test_a_run_without_a_validation_split_is_completed(tmp_path: Path) -> None:
    done = cnnsweep(
        *("-m", *TINY, "data.val_fraction=0,0.1", "pictures=false", "hydra.sweep.dir=grid"),
        cwd=tmp_path,
    )
    lines = succeeded(done).splitlines()
    assert "job 0: completed (data.val_fraction=0)" in lines
    assert "2 of 2 completed" in lines


def test_folders_may_be_named_by_their_values(tmp_path: Path) -> None:
    named = ("hydra.sweep.subdir=${hydra.job.override_dirname}", "lr=0.1,0.2", "seed=0,1", *FAST)
    done = sweep(TOY, tmp_path / "grid", *named)
    assert done.code == 0, done.text
    names = {p.parent.name for p in (tmp_path / "grid").rglob("result.json")}
    assert len(names) == 4
    assert any("lr=0.1" in name and "seed=1" in name for name in names)
    again = sweep(TOY, tmp_path / "grid", *named)
    assert "resuming: 4 of 4 jobs are over" in again.text


def test_two_launches_share_a_grid_and_train_no_job_twice(tmp_path: Path) -> None:
    folder = tmp_path / "grid"
    axes = (*SLOW, "seed=range(8)", "hydra.sweeper.shared=true", "hydra.sweeper.n_jobs=1")
    both = [begin(command(TOY, folder, *axes)) for _ in range(2)]
    done = [finish(process) for process in both]
    assert [one.code for one in done] == [0, 0], done
    assert all(one.text.splitlines()[-1] == "8 of 8 completed" for one in done)
    assert epochs(folder) == 8 * 6
    assert sum(one.text.count("\njob ") for one in done) == 8


def test_a_launcher_brings_a_grids_workers(tmp_path: Path) -> None:
    pytest.importorskip("hydra_plugins.hydra_joblib_launcher")
    line = (*FAST, "lr=0.1,0.2", "seed=0,1", "hydra/launcher=joblib")
    assert sweep(TOY, tmp_path / "plain", *line[:-1]).code == 0
    done = sweep(TOY, tmp_path / "grid", *line)
    assert done.code == 0, done.text
    assert outcomes(tmp_path / "grid") == outcomes(tmp_path / "plain")


@pytest.mark.parametrize(
    ("subdir", "said"),
    [
        ("${lr}", "puts two jobs into {}/0.1: lr=0.1 seed=0, and lr=0.1 seed=1;"),
        ("''", "puts the job lr=0.1 seed=0 into {};"),
        ("../x${seed}", "allowed are folders below {}, other than report"),
        ("report/${lr}_${seed}", "other than report"),
    ],
)
def test_each_job_has_a_folder_of_its_own(subdir: str, said: str, tmp_path: Path) -> None:
    named = (f"hydra.sweep.subdir={subdir}", "lr=0.1,0.2", "seed=0,1")
    done = sweep(TOY, tmp_path / "grid", *named)
    assert done.code == 1
    (line,) = [line for line in done.text.splitlines() if "hydra.sweep.subdir puts" in line]
    assert said.format(tmp_path / "grid") in line
    assert not (tmp_path / "grid").exists()


def test_a_job_whose_result_is_gone_runs_again(tmp_path: Path) -> None:
    folder, words = tmp_path / "grid", ("lr=0.1,0.2,0.3", *FAST)
    assert sweep(TOY, folder, *words).code == 0
    before = outcomes(folder)
    shutil.rmtree(folder / "1")
    (folder / "2/result.json").unlink()
    again = sweep(TOY, folder, *words)
    assert again.code == 0, again.text
    assert f"no longer there: the results of 1, 2 in {folder}; these jobs run again" in again.text
    assert "resuming: 1 of 3 jobs are over" in again.text
    assert outcomes(folder) == before
    assert "resuming: 3 of 3 jobs are over" in sweep(TOY, folder, *words).text


def test_a_grid_goes_on_without_its_journal(tmp_path: Path) -> None:
    words = ("-m", *TINY, "pictures=false", "hydra.sweep.dir=grid")
    succeeded(cnnsweep(*words, "seed=0,1", cwd=tmp_path))
    (tmp_path / "grid/study.journal").unlink()
    assert "3 of 3 completed" in succeeded(cnnsweep(*words, "seed=1,0,2", cwd=tmp_path))
    configs = [RunFolder(tmp_path / "grid" / str(n)).read_config() for n in range(3)]
    assert [config and config["seed"] for config in configs] == [0, 1, 2]


def test_a_timeout_begins_no_more_jobs_and_says_how_many_wait(tmp_path: Path) -> None:
    line = ("seed=range(6)", "epochs=4", "epoch_seconds=0.4", "hydra.sweeper.n_jobs=1")
    done = sweep(TOY, tmp_path / "grid", *line, "hydra.sweeper.timeout=2")
    assert done.code == 0, done.text
    assert "not begun: hydra.sweeper.timeout was over" in done.text
    assert sweep(TOY, tmp_path / "grid", *line).text.splitlines()[-1] == "6 of 6 completed"


KILLS = [pytest.param(2, id="2 kills"), pytest.param(20, id="20 kills", marks=pytest.mark.slow)]


@pytest.mark.parametrize("most", KILLS)
def test_a_grid_killed_often_ends_with_the_outcomes_of_an_unbroken_one(
    most: int, tmp_path: Path
) -> None:
    draw = random.Random(most)
    axes: tuple[str, ...] = (*SLOW, "lr=0.1,0.2,0.3", "seed=range(4)", "hydra.sweeper.n_jobs=2")
    if most > 2:  # work enough for all of them
        axes = (*axes, "seed=range(8)", "epochs=15", "epoch_seconds=0.1")
    whole = sweep(TOY, tmp_path / "whole", *axes)
    assert whole.code == 0, whole.text
    line = command(TOY, tmp_path / "killed", *axes)
    stops = [ended_in_training(line, tmp_path / "killed", turn, draw) for turn in range(most)]
    done = finish(start(line))
    assert done.code == 0, done.text
    print(f"{sum(stops)} of {most} stops amid training")
    assert sum(stops) >= most // 2
    assert outcomes(tmp_path / "killed") == outcomes(tmp_path / "whole")
    table = [text.splitlines()[-5:-1] for text in (whole.text, done.text)]
    assert table[0] == table[1]


def ended_in_training(line: list[str], folder: Path, turn: int, draw: random.Random) -> bool:
    """Kill a launch, often a worker before it, or press Ctrl-C, a moment after an epoch ended.

    Returns whether it came to that before the grid was over.
    """
    process, before = start(line), epochs(folder)
    while epochs(folder) == before and process.poll() is None:
        time.sleep(0.01)
    time.sleep(draw.uniform(0, 0.2))
    if process.poll() is not None:
        finish(process)
        return False
    if turn % 2:
        process.send_signal(signal.SIGINT)
    else:
        if (at_work := workers(process)) and draw.random() < 0.4:
            draw.choice(at_work).send_signal(signal.SIGKILL)
            time.sleep(draw.uniform(0, 1))  # its job may be on the way to another by then
        process.send_signal(signal.SIGKILL)
    finish(process)
    return True


def epochs(folder: Path) -> int:
    return sum(len(trace.read_text().splitlines()) for trace in folder.glob("*/epochs.txt"))
