"""Sweeps on a real Ray cluster of several nodes: what dies costs time, and nothing else."""

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from cnnsweep.folders.run_folder import RunFolder
from tests.sweep.sweep_commands import OURS, TOY, command, finish, start, study, sweep, table

pytest.importorskip("ray", reason="needs the extra ray")
pytest.importorskip("hydra_plugins.hydra_ray_launcher", reason="needs the extra ray")
from tests.sweep.cluster.ray_cluster import (
    RELAY,
    Nodes,
    blind_node,
    nodes_up,
    processes,
    wait_until,
    workers,
)

pytestmark = [
    pytest.mark.ray,
    pytest.mark.timeout(600),
    # Ray's Cluster forgets the processes of a node that it killed.
    pytest.mark.filterwarnings("default::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("default::ResourceWarning"),
]

RAY = ("hydra/launcher=ray",)
SPACE = ("lr=tag(log, interval(0.001, 0.1))", "momentum=interval(0, 1)")
RANDOM = ("hydra/sweeper/sampler=random", "hydra/sweeper/pruner=none")
TEN = (*SPACE, *RANDOM, "hydra.sweeper.n_trials=10", "epochs=8", "epoch_seconds=0.25")
ENDLESS = (*SPACE, *RANDOM, "epochs=5000", "epoch_seconds=0.1")


@pytest.fixture(scope="module")
def cluster() -> Iterator[Nodes]:
    with nodes_up() as nodes:
        yield nodes
        address = nodes.address
    wait_until(lambda: not processes(address) and not processes(RELAY), 30)


@pytest.fixture(autouse=True)
def _address(cluster: Nodes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", cluster.address)


@pytest.fixture(scope="module")
def one_machine(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, object]]:
    folder = tmp_path_factory.mktemp("one_machine")
    assert sweep(TOY, folder, *TEN, "epoch_seconds=0.01").code == 0
    return table(folder)


def test_a_sweep_on_a_cluster_ends_with_the_table_of_one_machine(
    cluster: Nodes, tmp_path: Path, one_machine: list[dict[str, object]]
) -> None:
    cluster.have(2)
    done = sweep(TOY, tmp_path / "sweep", *TEN, *RAY)
    assert done.code == 0, done.text
    assert table(tmp_path / "sweep") == one_machine
    assert not (tmp_path / "sweep/.workers").exists()
    assert "ray" not in done.text.lower(), "the terminal stays ours"


def test_our_trainings_have_the_same_bits_on_a_cluster(cluster: Nodes, tmp_path: Path) -> None:
    cluster.have(2)
    settings = ("search=sgd", "model=lenet", "data.train_limit=200", "epochs=2", *RANDOM)
    few = ("hydra.sweeper.n_trials=3", "threads=1")
    assert sweep(OURS, tmp_path / "here", *settings, *few).code == 0
    done = sweep(OURS, tmp_path / "there", *settings, *few, *RAY)
    assert done.code == 0, done.text
    assert table(tmp_path / "there") == table(tmp_path / "here")


def test_a_dead_node_costs_its_trials_nothing_but_time(
    cluster: Nodes, tmp_path: Path, one_machine: list[dict[str, object]]
) -> None:
    cluster.have(3)
    process = start(command(TOY, tmp_path / "sweep", *TEN, *RAY, "hydra.sweeper.n_jobs=3"))
    wait_until(lambda: len(workers()) == 3)
    cluster.kill_one()
    wait_until(lambda: len(workers()) == 2)
    cluster.have(3)
    wait_until(lambda: len(workers()) == 3 or process.poll() is not None)
    done = finish(process)
    assert done.code == 0, done.text
    assert "was lost; resumes from its last epoch" in done.text
    assert table(tmp_path / "sweep") == one_machine
    assert not any("deaths" in trial.user_attrs for trial in study(tmp_path / "sweep").trials)


def test_a_node_that_falls_silent_is_given_up(
    cluster: Nodes, tmp_path: Path, one_machine: list[dict[str, object]]
) -> None:
    cluster.have(2)
    folder = tmp_path / "sweep"
    process = start(command(TOY, folder, *TEN, *RAY))
    wait_until(lambda: in_mid_trial(folder) is not None)
    worker = in_mid_trial(folder)
    assert worker is not None
    frozen = [worker, worker.parent()]
    for one in frozen:
        assert one is not None
        one.suspend()
    try:
        done = finish(process)
        before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
        with contextlib.suppress(psutil.NoSuchProcess):  # it went with its nanny
            worker.resume()  # it is killed before it does anything
            worker.wait(10)
    finally:
        for one in frozen:
            if one is not None and one.is_running():
                one.kill()
    assert done.code == 0, done.text
    assert "says nothing any more; resumes from its last epoch" in done.text
    assert "this run waits until then, and others go first" in done.text
    assert table(folder) == one_machine
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def in_mid_trial(folder: Path) -> psutil.Process | None:
    """A worker that has trained two epochs of its trial, and has four or more to go."""
    for trace in folder.glob("*/epochs.txt"):
        epoch, pid = trace.read_text(encoding="utf-8").splitlines()[-1].split()
        if 2 <= int(epoch) <= 4:
            return next((one for one in workers() if one.pid == int(pid)), None)
    return None


def test_after_sigkill_nothing_runs_on_and_the_same_command_goes_on(
    cluster: Nodes, tmp_path: Path, one_machine: list[dict[str, object]]
) -> None:
    cluster.have(2)
    line = command(TOY, tmp_path / "sweep", *TEN, *RAY)
    process = start(line)
    wait_until(lambda: len(list((tmp_path / "sweep").glob("*/result.json"))) >= 2)
    process.kill()
    finish(process)
    wait_until(lambda: not workers() and not processes(RELAY), 15)
    done = finish(start(line))
    assert done.code == 0, done.text
    assert "resuming: " in done.text
    assert table(tmp_path / "sweep") == one_machine


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_leaves_nothing_running_in_the_cluster(
    cluster: Nodes, tmp_path: Path, sent: signal.Signals, code: int
) -> None:
    cluster.have(2)
    settings = ("search=sgd", "model=lenet", "epochs=5000", "hydra.sweeper.n_jobs=3", *RAY)
    process = start(command(OURS, tmp_path / "sweep", *settings))  # the third one finds no room
    wait_until(lambda: len(list((tmp_path / "sweep").glob("*/last.pt"))) == 2)
    process.send_signal(sent)
    done = finish(process, seconds=30)
    assert done.code == code, done.text
    assert not workers()
    wait_until(lambda: not processes(RELAY), 5)
    statuses = [RunFolder(tmp_path / "sweep" / n).read_result() for n in ("0", "1")]
    assert [s and s["status"] for s in statuses] == ["interrupted", "interrupted"]


def test_workers_get_the_cpus_and_gpus_that_ray_gave_them(cluster: Nodes, tmp_path: Path) -> None:
    cluster.clear()
    cluster.add(num_cpus=4, num_gpus=2)
    asked = ("hydra.launcher.ray.remote.num_cpus=2", "hydra.launcher.ray.remote.num_gpus=1")
    grid = ("hydra/sweeper/sampler=grid", "lr=0.01,0.02", "epoch_seconds=1", "others=0")
    done = sweep(TOY, tmp_path / "sweep", *grid, *asked, *RAY, "mishap=tell_device")
    cluster.clear()
    assert done.code == 0, done.text
    assert {(tmp_path / f"sweep/{n}/device").read_text() for n in (0, 1)} == {"0", "1"}
    results = [RunFolder(tmp_path / "sweep" / n).read_result() for n in ("0", "1")]
    assert [r and r["threads"] for r in results] == [2, 2]


@pytest.mark.skipif(os.geteuid() != 0, reason="a mount of its own needs root")
def test_a_node_that_does_not_see_the_sweep_folder_is_refused(
    cluster: Nodes, tmp_path: Path
) -> None:
    cluster.clear()
    shared = tmp_path / "shared"
    shared.mkdir()
    with blind_node(cluster.address, shared):
        done = sweep(TOY, shared / "sweep", *TEN, *RAY, "hydra.sweeper.n_jobs=1")
    assert done.code != 0
    assert done.text.splitlines()[-1].count("does not see the sweep folder") == 1, done.text
    assert not (shared / "sweep/0/result.json").exists()


def test_a_launcher_that_fails_ends_the_sweep_in_one_line(tmp_path: Path) -> None:
    wrong = "+hydra.launcher.ray.init.colour=red"
    done = sweep(TOY, tmp_path / "sweep", *TEN, *RAY, wrong)
    assert done.code != 0
    last = done.text.splitlines()[-1]
    assert "the launcher brings no workers" in last, done.text
    assert "colour" in last
