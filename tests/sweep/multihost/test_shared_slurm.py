"""Two launches on one sweep, each with jobs of its own in one real SLURM."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sweep.cluster.slurm_cluster import Cluster, missing
from tests.sweep.multihost.several_hosts import (
    assert_whole,
    end_all,
    hosts_of,
    launch,
    over,
    results,
    until,
)
from tests.sweep.sweep_commands import study

pytest.importorskip("hydra_plugins.hydra_submitit_launcher", reason="needs the extra slurm")
pytestmark = [
    pytest.mark.slurm,
    pytest.mark.skipif(bool(missing()), reason=f"this machine lacks {', '.join(missing())}"),
]
SETTINGS = (
    *("hydra/launcher=submitit_slurm", "hydra.sweeper.n_jobs=2"),
    *("hydra.sweeper.n_trials=24", "epoch_seconds=0.3"),
)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    (tmp_path / "slurm").mkdir()
    cluster = Cluster(tmp_path / "slurm")
    try:
        cluster.start()
        yield cluster
    finally:
        end_all()
        cluster.stop()


def test_neither_cancels_the_others_jobs(cluster: Cluster, tmp_path: Path) -> None:
    folder = tmp_path / "sweep"
    first = launch(folder, 0, *SETTINGS, prefix=(), **cluster.environment)
    until(lambda: over(folder) >= 2, "two trials over")
    second = launch(folder, 1, *SETTINGS, prefix=(), **cluster.environment)
    ends = [one.end() for one in (first, second)]
    assert [end.code for end in ends] == [0, 0], ends
    assert results(ends[0]) == results(ends[1])
    assert all("its job was preempted" not in end.text for end in ends)
    assert all("are missing" not in end.text for end in ends)
    found = study(folder)
    assert_whole(folder, found, 24)
    assert len(hosts_of(found)) == 2
