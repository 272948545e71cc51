"""Workers as jobs of a real SLURM: requeued, cancelled, at their time limit, and left alone."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from cnnsweep.folders.run_folder import RunFolder
from tests.sweep.cluster.slurm_cluster import Cluster, missing
from tests.sweep.sweep_commands import (
    OURS,
    ROOT,
    TOY,
    TOY_SPACE,
    Done,
    command,
    finish,
    metrics,
    start,
    study,
    sweep,
    table,
    wait_for_training,
)

pytest.importorskip("hydra_plugins.hydra_submitit_launcher", reason="needs the extra slurm")
pytestmark = [
    pytest.mark.slurm,
    pytest.mark.skipif(bool(missing()), reason=f"this machine lacks {', '.join(missing())}"),
]
RANDOM = (*TOY_SPACE, "hydra/sweeper/sampler=random", "hydra.sweeper.retries=0")
LONG = (*RANDOM, "hydra.sweeper.n_trials=2", "hydra.sweeper.n_jobs=1", "epochs=20")
SLURM = ("hydra/launcher=submitit_slurm", "hydra.launcher.max_num_timeout=9")
SCRIPT = ROOT / "docs/slurm/run.sh"
SLOWLY = "epoch_seconds=0.3"
TOLD = "its job was preempted"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    cluster = Cluster(tmp_path_factory.mktemp("slurm"))
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sweep of LONG on this machine, from start to end."""
    folder = tmp_path_factory.mktemp("unbroken")
    assert sweep(TOY, folder, *LONG).code == 0
    return folder


def begin(cluster: Cluster, folder: Path, *more: str) -> "subprocess.Popen[str]":
    """LONG over SLURM, once a trial is in training."""
    line = command(TOY, folder, *LONG, *SLURM, SLOWLY, *more)
    process = start(line, **cluster.environment)
    assert wait_for_training(process, folder), finish(process).text
    return process


def assert_nothing_lost(done: Done, folder: Path, unbroken: Path) -> None:
    """No trial, no epoch, no count."""
    assert done.code == 0, done.text
    assert table(folder) == table(unbroken)
    assert all("deaths" not in trial.user_attrs for trial in study(folder).trials)


def test_slurms_workers_find_what_one_machine_finds(cluster: Cluster, tmp_path: Path) -> None:
    # A pruner would judge by whoever happens to be over.
    fixed = ("hydra/sweeper/sampler=random", "hydra/sweeper/pruner=none")
    settings = (*TOY_SPACE, *fixed, "hydra.sweeper.n_trials=6")
    here = sweep(TOY, tmp_path / "here", *settings)
    there = sweep(TOY, tmp_path / "there", *settings, *SLURM, **cluster.environment)
    assert (here.code, there.code) == (0, 0), there.text
    assert table(tmp_path / "there") == table(tmp_path / "here")
    assert "submitit" not in there.text.lower()  # what it says is in a log
    assert not (tmp_path / "there/.submitit").exists()


@pytest.mark.parametrize("way", ["requeue", "preempt", "notice"])
def test_a_requeued_job_goes_on_with_its_trial(
    cluster: Cluster, tmp_path: Path, unbroken: Path, way: str
) -> None:
    folder = tmp_path / "sweep"
    process = begin(cluster, folder)
    (job,) = cluster.jobs()
    if way == "requeue":
        cluster.ask("scontrol", "requeue", job)
    elif way == "preempt":
        cluster.preempt(job)
    else:  # what SLURM sends ahead of a time limit; submitit requeues
        cluster.ask("scancel", "--signal=USR2", job)
    cluster.start_again_now(job)
    done = finish(process)
    assert TOLD in done.text
    assert "missing" not in done.text  # the same job came again
    assert_nothing_lost(done, folder, unbroken)


def test_a_cancelled_job_costs_time_alone(cluster: Cluster, tmp_path: Path, unbroken: Path) -> None:
    folder = tmp_path / "sweep"
    process = begin(cluster, folder)
    cluster.ask("scancel", *cluster.jobs())
    done = finish(process)
    assert TOLD in done.text
    assert "1 of 1 workers are missing: asked for new ones" in done.text
    assert_nothing_lost(done, folder, unbroken)


def test_a_job_killed_without_notice_costs_time_alone(
    cluster: Cluster, tmp_path: Path, unbroken: Path
) -> None:
    folder = tmp_path / "sweep"
    process = begin(cluster, folder)
    cluster.ask("scancel", "--signal=KILL", *cluster.jobs())
    assert_nothing_lost(finish(process), folder, unbroken)


@pytest.mark.slow
def test_a_time_limit_is_no_limit_for_a_trial(cluster: Cluster, tmp_path: Path) -> None:
    """A hundred seconds of training in jobs of one minute."""
    folder = tmp_path / "sweep"
    one_minute = ("hydra.launcher.timeout_min=1", "hydra.launcher.signal_delay_s=20")
    process = begin(cluster, folder, *one_minute, "hydra.sweeper.n_trials=1", "epoch_seconds=5")
    (job,) = cluster.jobs()
    cluster.start_again_now(job)
    done = finish(process)
    assert done.code == 0, done.text
    assert f"{TOLD} (SIGUSR2)" in done.text
    assert len(table(folder)[0]["epochs"]) == 20


def test_jobs_end_when_the_launching_process_is_killed_and_the_same_command_goes_on(
    cluster: Cluster, tmp_path: Path, unbroken: Path
) -> None:
    folder = tmp_path / "sweep"
    process = begin(cluster, folder)
    process.kill()
    finish(process)
    cluster.wait_for_jobs(0)
    again = start(command(TOY, folder, *LONG, *SLURM, SLOWLY), **cluster.environment)
    assert_nothing_lost(finish(again), folder, unbroken)


def test_ctrl_c_ends_jobs_that_run_and_jobs_that_wait(cluster: Cluster, tmp_path: Path) -> None:
    folder = tmp_path / "sweep"
    process = begin(cluster, folder, "hydra.sweeper.n_jobs=6", "hydra.sweeper.n_trials=20")
    cluster.wait_for_jobs(2, "PENDING")  # of six, on four CPUs
    process.send_signal(signal.SIGINT)
    finish(process, seconds=30)
    assert cluster.wait_for_jobs(0) == []
    statuses = [RunFolder(run).read_result() for run in folder.glob("[0-9]*")]
    assert "interrupted" in [s["status"] for s in statuses if s is not None]


def submit(cluster: Cluster, log: Path, *arguments: str) -> str:
    """The documented script as a job; its number."""
    python = str(Path(sys.executable).parent)
    return subprocess.run(
        ["sbatch", "--parsable", f"--output={log}", str(SCRIPT), *arguments],
        env={**os.environ, **cluster.environment, "PATH": f"{python}:{os.environ['PATH']}"},
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()


@pytest.mark.parametrize("way", ["limit", "requeue"])
def test_a_run_in_a_job_goes_on_when_the_job_starts_again(
    cluster: Cluster, tmp_path: Path, way: str
) -> None:
    settings = ("model=lenet", "epochs=20", "threads=1")
    run, log = tmp_path / "run", tmp_path / "log"
    job = submit(cluster, log, *settings, f"hydra.run.dir={run}")
    wait_for_lines(run / "metrics.csv", 3)
    if way == "limit":  # SIGTERM, as --signal=TERM@60 has it sent before the limit
        cluster.ask("scancel", "--signal=TERM", job)
    else:
        cluster.ask("scontrol", "requeue", job)
    cluster.start_again_now(job)
    cluster.wait_for_jobs(0)
    result = RunFolder(run).read_result()
    assert result is not None, log.read_text()
    assert (result["status"], result["epochs"]) == ("completed", 20), log.read_text()
    assert [row["epoch"] for row in metrics(run)] == [str(epoch) for epoch in range(1, 21)]


def test_a_sweep_in_a_job_goes_on_when_the_job_starts_again(
    cluster: Cluster, tmp_path: Path
) -> None:
    folder, log = tmp_path / "sweep", tmp_path / "log"
    few = ("epochs=20", "hydra.sweeper.n_trials=3", "hydra.sweeper.retries=0")
    sweeping = ("--multirun", "search=sgd", "model=lenet", *few)
    job = submit(cluster, log, *sweeping, f"hydra.sweep.dir={folder}")
    wait_for_lines(folder / "0/metrics.csv", 3)
    cluster.ask("scontrol", "requeue", job)
    cluster.start_again_now(job)
    cluster.wait_for_jobs(0)
    assert "resuming: " in log.read_text()
    trials = study(folder).trials
    assert [t.number for t in trials if t.state.name in ("COMPLETE", "PRUNED")] == [0, 1, 2]


def wait_for_lines(path: Path, count: int) -> None:
    deadline = time.monotonic() + 120
    while not path.exists() or len(path.read_text().splitlines()) < count:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_partition_that_is_not_there_is_said_on_one_line(
    cluster: Cluster, tmp_path: Path
) -> None:
    settings = ("search=sgd", "model=lenet", *SLURM, "hydra.launcher.partition=nonesuch")
    done = sweep(OURS, tmp_path / "sweep", *settings, **cluster.environment)
    assert done.code == 1
    assert "invalid partition" in done.text.splitlines()[-1]


def test_without_slurm_one_line_says_what_to_choose(tmp_path: Path) -> None:
    settings = ("search=sgd", "model=lenet", *SLURM)
    done = sweep(OURS, tmp_path / "sweep", *settings, PATH="/nowhere")
    assert done.code == 1
    assert "no sbatch on this machine" in done.text
    assert len(done.text.splitlines()) == 1
    assert not (tmp_path / "sweep").exists()


def test_submitit_works_without_slurm_too(tmp_path: Path) -> None:
    settings = (*RANDOM, "hydra.sweeper.n_trials=4")
    here = sweep(TOY, tmp_path / "here", *settings)
    there = sweep(TOY, tmp_path / "there", *settings, "hydra/launcher=submitit_local")
    assert (here.code, there.code) == (0, 0), there.text
    assert table(tmp_path / "there") == table(tmp_path / "here")
    left = [p for p in psutil.process_iter(["cmdline"]) if f"{tmp_path}" in str(p.info["cmdline"])]
    assert left == []
