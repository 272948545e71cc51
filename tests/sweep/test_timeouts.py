"""The table of time-outs in docs/architecture.md, and what must hold between them."""

import re
from importlib import import_module

from cnnsweep.loggers import manager, worker
from cnnsweep.sweep import controller, event_loop
from cnnsweep.sweep.cluster import connection, launcher_pool, launcher_process, nanny
from cnnsweep.sweep.multihost import host_lock, membership, shared_study
from cnnsweep.sweep.study import retries
from cnnsweep.sweep.study.opening import storage_outage
from cnnsweep.sweep.workers import pool, watchdog
from tests.command import REPOSITORY

NFS_LOCK_SECONDS = 90  # that a file server may keep the locks of a machine that vanished
PREEMPTION_SECONDS = 30  # that clusters leave a job at least, between their signal and the kill
CTRL_C_SECONDS = 5  # that a person waits at most


def test_the_document_has_each_time_out_as_it_is() -> None:
    text = (REPOSITORY / "docs" / "architecture.md").read_text(encoding="utf-8")
    section = text.partition("## Time-outs")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `(\S+) (\S+)` \| ([\d.]+) \|", section, re.MULTILINE)
    assert len(rows) >= 25
    for path, name, seconds in rows:
        value: object = import_module(f"cnnsweep.{path.removesuffix('.py').replace('/', '.')}")
        for part in name.split("."):
            value = getattr(value, part)
        assert value == float(seconds), (path, name)


def test_a_nanny_gives_up_before_its_trial_is_resumed_elsewhere() -> None:
    assert 2 * connection.HEARTBEAT_SECONDS < connection.NANNY_TIMEOUT_SECONDS
    assert connection.NANNY_TIMEOUT_SECONDS < connection.LAUNCHER_TIMEOUT_SECONDS


def test_a_host_expires_and_its_workers_are_dead_before_others_take_its_trials() -> None:
    assert 2 * membership.HEARTBEAT_SECONDS < membership.LOST_SECONDS
    slack = membership.GONE_SECONDS - membership.LOST_SECONDS
    # The worker's timer begins when the watchdog last saw the heartbeat, which it may see late.
    assert slack > membership.HEARTBEAT_SECONDS + watchdog.LOOK_SECONDS


def test_a_worker_that_was_given_up_is_dead_before_its_lock_is_taken_from_it() -> None:
    slack = retries.GIVEN_UP_SECONDS - membership.LOST_SECONDS
    assert slack > membership.HEARTBEAT_SECONDS + watchdog.LOOK_SECONDS


def test_workers_of_a_vanished_machine_are_waited_for() -> None:
    assert launcher_pool.LaunchedPool.old_workers_seconds > NFS_LOCK_SECONDS
    assert pool.Pool.old_workers_seconds > controller.STOP_SECONDS


def test_a_preempted_worker_keeps_its_epoch_in_time() -> None:
    assert nanny.LEAVE_SECONDS < PREEMPTION_SECONDS
    assert nanny.LEAVE_SECONDS < connection.LAUNCHER_TIMEOUT_SECONDS


def test_ctrl_c_is_answered_soon() -> None:
    launcher = launcher_pool.JOIN_SECONDS + launcher_process.HANG_UP_SECONDS
    assert controller.STOP_SECONDS + launcher < CTRL_C_SECONDS
    assert manager.INTERRUPTED_SECONDS < controller.STOP_SECONDS


def test_jobs_may_return_before_others_are_asked_for() -> None:
    assert launcher_process.RETURN_SECONDS <= launcher_pool.RELAUNCH_SECONDS
    assert launcher_pool.RELAUNCH_SECONDS <= launcher_pool.QUEUED_SECONDS


def test_the_loop_polls_faster_than_it_gives_way_and_gives_way_faster_than_it_gives_up() -> None:
    assert host_lock.POLL_SECONDS < event_loop.TICK_SECONDS < shared_study.BUSY_SECONDS
    assert shared_study.BUSY_SECONDS < membership.LOST_SECONDS
    assert membership.GONE_SECONDS < storage_outage.OUTAGE_SECONDS


def test_a_tracker_outlives_the_run_that_waits_for_it() -> None:
    assert manager.INTERRUPTED_SECONDS < manager.END_SECONDS < worker.LINGER_SECONDS
