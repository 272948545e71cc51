"""A real Ray cluster of several nodes on this machine, and what runs in it."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from ray.cluster_utils import Cluster

WORKER, RELAY = "cnnsweep.sweep.workers.worker_main", "ray::_run_job"
_MARK = "CNNSWEEP_TEST_CLUSTER"  # in the environment of all that runs in our cluster


class Nodes:
    """A head that runs nothing, and nodes of one CPU each."""

    def __init__(self) -> None:
        head = {"num_cpus": 0, "include_dashboard": False}
        self._cluster: Any = Cluster(initialize_head=True, head_node_args=head)
        self.address = str(self._cluster.address)
        self._nodes: list[Any] = []

    def have(self, count: int) -> None:
        """Just so many, whatever an earlier test left."""
        while len(self._nodes) > count:
            self.kill_one()
        while len(self._nodes) < count:
            self.add(num_cpus=1)

    def add(self, **resources: int) -> None:
        self._nodes.append(self._cluster.add_node(**resources))

    def kill_one(self) -> None:
        """As a power cut would, but for the network that says so."""
        self._cluster.remove_node(self._nodes.pop(0), allow_graceful=False)

    def clear(self) -> None:
        while self._nodes:
            self.kill_one()

    def close(self) -> None:
        self._cluster.shutdown()


@contextmanager
def nodes_up() -> Iterator[Nodes]:
    """A cluster for the length of a block; nothing of it is left afterwards."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv(_MARK, str(os.getpid()))
        nodes = Nodes()
        try:
            yield nodes
        finally:
            nodes.close()


@contextmanager
def blind_node(address: str, hidden: Path) -> Iterator[None]:
    """A node that has a disk of its own where all others see ``hidden``."""
    ray = [sys.executable, "-m", "ray.scripts.scripts", "start", f"--address={address}"]
    inner = f'mount -t tmpfs none "{hidden}" && exec "$@"'
    line = ["unshare", "-m", "sh", "-c", inner, "sh", *ray, "--num-cpus=1", "--block"]
    environment = os.environ | {"RAY_USAGE_STATS_ENABLED": "0"}
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(line, env=environment, stdout=quiet, stderr=quiet)
    try:
        yield
    finally:
        tree = psutil.Process(process.pid).children(recursive=True)
        process.terminate()
        process.wait()
        psutil.wait_procs(tree, timeout=10)


def workers() -> list[psutil.Process]:
    """The living workers in our cluster, orphans among them."""
    ours = []
    for process in processes(WORKER):
        with contextlib.suppress(psutil.NoSuchProcess):
            if process.environ().get(_MARK) == str(os.getpid()):
                ours.append(process)
    return ours


def processes(marker: str) -> list[psutil.Process]:
    """Living processes whose command line holds ``marker``."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.NoSuchProcess):
            if process.status() != psutil.STATUS_ZOMBIE and marker in " ".join(process.cmdline()):
                found.append(process)
    return found


def wait_until(holds: Callable[[], object], seconds: float = 60) -> None:
    """Fails where it does not come to that in time."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.1)
