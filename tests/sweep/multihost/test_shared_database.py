"""Two hosts that share nothing but a database and the sweep folder, through every mishap."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState
from sqlalchemy.pool import NullPool

from cnnsweep.sweep.multihost.membership import GONE_SECONDS
from tests.sweep.cluster import namespaces
from tests.sweep.cluster.namespaces import Namespace, two_namespaces
from tests.sweep.multihost.postgresql import Server
from tests.sweep.multihost.several_hosts import (
    Launch,
    assert_secret,
    assert_whole,
    end_all,
    hosts_of,
    launch,
    over,
    results,
    until,
)
from tests.sweep.ports import free_port

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(600)]

N_TRIALS = 40
SETTINGS = (f"hydra.sweeper.n_trials={N_TRIALS}", "epochs=8", "epoch_seconds=0.3")
OUTAGE_SECONDS = 20
PROXY_PORT = free_port()


@pytest.fixture(scope="module")
def hosts() -> Iterator[list[Namespace]]:
    if not namespaces.can_be_made():
        pytest.skip("network namespaces need root and ip")
    with two_namespaces() as hosts:
        assert all(host.reaches(host.gateway) for host in hosts)
        assert not hosts[0].reaches(hosts[1].address)
        yield hosts


def start(server: Server, hosts: list[Namespace], folder: Path, *settings: str) -> list[Launch]:
    """The same command on both hosts, which know the database by other addresses."""
    storage = "hydra.sweeper.storage=${oc.env:CNNSWEEP_STORAGE}"
    return [
        launch(
            folder,
            number,
            *(storage, *SETTINGS, *settings),
            prefix=host.prefix,
            CNNSWEEP_STORAGE=server.url(host.gateway),
        )
        for number, host in enumerate(hosts)
    ]


def start_midway(server: Server, hosts: list[Namespace], folder: Path) -> list[Launch]:
    """Both hosts, once there is something to lose."""
    launches = start(server, hosts, folder)
    until(lambda: over(folder) >= 8, "eight trials over")
    return launches


def study(server: Server, folder: Path) -> optuna.Study:
    """As Optuna reads it, keeping no connection: psycopg warns of those that are forgotten."""
    url = server.url("127.0.0.1", "postgresql+psycopg")
    storage = optuna.storages.RDBStorage(url, engine_kwargs={"poolclass": NullPool})
    return optuna.load_study(study_name=str(folder), storage=storage)


@pytest.fixture(autouse=True)
def nothing_left_running() -> Iterator[None]:
    yield
    end_all()


def assert_concluded(launches: list[Launch]) -> None:
    ends = [one.end() for one in launches]
    assert [end.code for end in ends] == [0] * len(ends), ends
    assert len({tuple(results(end)) for end in ends}) == 1


def test_the_database_stopped_for_20_s_costs_nothing(
    tmp_path: Path, server: Server, hosts: list[Namespace]
) -> None:
    folder = tmp_path / "sweep"
    launches = start_midway(server, hosts, folder)
    trained_before = epochs_trained(folder)
    server.stop()
    time.sleep(OUTAGE_SECONDS)
    trained_meanwhile = epochs_trained(folder) - trained_before
    server.start()
    assert_concluded(launches)
    found = study(server, folder)
    assert_whole(folder, found, N_TRIALS)
    assert len(hosts_of(found)) == 2
    assert trained_meanwhile >= 4  # running trials went on
    said = "".join(one.text() for one in launches)  # one may wait for the other's turn instead
    assert said.count("the study's storage does not answer") in (1, 2)
    assert said.count("does not answer") == said.count("the study's storage answers again")
    assert_secret(folder, launches)


def epochs_trained(folder: Path) -> int:
    return sum(len(trace.read_text().splitlines()) for trace in folder.glob("*/epochs.txt"))


def test_a_killed_host_leaves_its_trials_to_the_other(
    tmp_path: Path, server: Server, hosts: list[Namespace]
) -> None:
    folder = tmp_path / "sweep"
    launches = start_midway(server, hosts, folder)
    launches[0].signal_all(signal.SIGKILL)
    assert_concluded(launches[1:])
    assert_whole(folder, study(server, folder), N_TRIALS)


@pytest.mark.parametrize("who", ["everything", "the launching process"])
def test_a_host_that_vanishes_and_wakes_again_does_no_harm(
    tmp_path: Path, server: Server, hosts: list[Namespace], who: str
) -> None:
    """Stopped processes keep their locks, so the silence alone tells."""
    folder = tmp_path / "sweep"
    launches = start_midway(server, hosts, folder)
    sleeper = only_host_of(folder, launches[0])
    if who == "everything":
        launches[0].signal_all(signal.SIGSTOP)
    else:
        launches[0].process.send_signal(signal.SIGSTOP)
    stopped = time.monotonic()
    the_study = study(server, folder)
    left = running_of(the_study, sleeper)
    assert left
    until(lambda: len(running_of(the_study, sleeper)) < len(left), "a trial taken over")
    noticed = time.monotonic() - stopped
    launches[0].signal_all(signal.SIGCONT)
    assert_concluded(launches)
    print(f"noticed after {noticed:.0f} s")
    assert GONE_SECONDS - 5 < noticed < 60
    assert "this launch was stopped for more than 25 s" in launches[0].text()
    assert_whole(folder, study(server, folder), N_TRIALS)


def only_host_of(folder: Path, one: Launch) -> str:
    """The name under which a launch goes."""
    names = [file.name for file in (folder / ".hosts").iterdir()]
    return next(name for name in names if f"-{one.process.pid}-" in name)


def running_of(the_study: optuna.Study, host: str) -> list[int]:
    trials = the_study.get_trials(states=(TrialState.RUNNING,))
    return [trial.number for trial in trials if trial.user_attrs.get("host") == host]


@contextmanager
def proxy(server: Server) -> Iterator[None]:
    """Optuna's gRPC proxy in front of the database."""
    script = (
        "import os; from optuna.storages import get_storage, run_grpc_proxy_server; "
        "run_grpc_proxy_server(get_storage(os.environ['URL']), "
        f"host='0.0.0.0', port={PROXY_PORT})"
    )
    url = server.url("127.0.0.1", "postgresql+psycopg")
    process = subprocess.Popen([sys.executable, "-c", script], env={**os.environ, "URL": url})
    try:
        yield
    finally:
        process.kill()
        process.wait()


def is_up() -> bool:
    with socket.socket() as knock:
        return knock.connect_ex(("127.0.0.1", PROXY_PORT)) == 0


def test_two_hosts_behind_a_proxy_that_is_started_anew_in_between(
    tmp_path: Path, server: Server, hosts: list[Namespace]
) -> None:
    if find_spec("grpc") is None:
        pytest.skip("needs grpcio, of the extra postgres")
    folder = tmp_path / "sweep"
    with proxy(server):
        until(is_up, "the proxy", 60)
        launches = [
            launch(
                folder,
                number,
                f"hydra.sweeper.storage=grpc://{host.gateway}:{PROXY_PORT}",
                *SETTINGS,
                prefix=host.prefix,
            )
            for number, host in enumerate(hosts)
        ]
        until(lambda: over(folder) >= 8, "eight trials over")
    time.sleep(5)
    with proxy(server):
        assert_concluded(launches)
    assert_whole(folder, study(server, folder), N_TRIALS)
