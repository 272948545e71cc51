"""``--watch`` as a command: it waits, rebuilds, outlives what comes and goes, and ends its page."""

import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from tests.command import environment
from tests.report.made_runs import Job, make_run

RELOADS = 'data-reload="'


@contextmanager
def watching(folder: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    """The command at work below ``multirun`` in ``folder``."""
    process = subprocess.Popen(
        [sys.executable, "-m", "cnnsweep.report", "multirun", "--watch", "--every", "0.2", *words],
        cwd=folder, env=environment(PYTHONUNBUFFERED="1"), stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def wait_until(is_so: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 60
    while not is_so():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.1)


def _has_lines(table: Path, count: int) -> bool:
    return table.is_file() and len(table.read_text().splitlines()) == count


def _is_newer(page: Path, before: int) -> bool:
    return page.stat().st_mtime_ns > before


def test_watch_waits_rebuilds_and_stops_at_ctrl_c(tmp_path: Path) -> None:
    (tmp_path / "multirun").mkdir()
    table = tmp_path / "multirun" / "report" / "runs.csv"
    with watching(tmp_path, "--format", "csv") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "no run yet; looking every 0.2 s\n"
        for number in range(2):
            make_run(tmp_path / "multirun" / str(number), Job(seed=number))
            wait_until(partial(_has_lines, table, number + 2), process)
        process.send_signal(signal.SIGINT)
        text, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert text.rstrip().endswith("stopped watching")
    assert re.search(r"^1 run: .*^2 runs: ", text, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_a_watched_page_reloads_itself_until_watching_ends(ending: int, tmp_path: Path) -> None:
    make_run(tmp_path / "multirun" / "0", Job())
    page = tmp_path / "multirun" / "report" / "index.html"
    with watching(tmp_path, "--format", "html") as process:
        wait_until(page.is_file, process)
        text = page.read_text()
        assert RELOADS in text[:60]
        changed = re.search(r'id="watch">Last change: (.*)</p>', text)
        assert changed is not None
        newest = max(p.stat().st_mtime for p in (tmp_path / "multirun" / "0").rglob("*"))
        assert abs(time.mktime(time.strptime(changed[1], "%Y-%m-%d %H:%M:%S")) - newest) < 2
        process.send_signal(ending)
        process.communicate(timeout=60)
    assert process.returncode == 0
    assert RELOADS not in page.read_text()[:60]
    assert len(page.read_text()) == len(text) - len(' data-reload="2"')


def test_runs_that_come_change_and_go_while_they_are_read_do_no_harm(tmp_path: Path) -> None:
    top = tmp_path / "multirun"
    make_run(top / "0", Job())
    stop = threading.Event()

    def come_and_go() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            run = make_run(top / str(number), Job(seed=number, images=50))
            (run / "metrics.csv").write_text("epoch,val_acc")
            (run / "result.json").write_text('{"status": "comp')
            if number % 2:
                shutil.rmtree(run)

    mover = threading.Thread(target=come_and_go)
    with watching(tmp_path, "--format", "html,csv") as process:
        page = top / "report" / "index.html"
        wait_until(page.is_file, process)
        mover.start()
        try:
            for _ in range(4):
                before = page.stat().st_mtime_ns
                wait_until(partial(_is_newer, page, before), process)
        finally:
            stop.set()
            mover.join()
        process.send_signal(signal.SIGINT)
        text, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert text.rstrip().endswith("stopped watching")
