"""The journal's file gives what Optuna's own backend gives, and writes together what it is told."""

import os
import random
import subprocess
import sys
import time
from pathlib import Path
from threading import Thread, Timer
from typing import Any

import pytest
from optuna.storages.journal import JournalFileBackend, JournalFileSymlinkLock

from cnnsweep.sweep.journal import optunas_lock
from cnnsweep.sweep.journal.file import WholeLines
from tests.command import REPOSITORY


def log(number: int) -> dict[str, Any]:
    return {"op_code": 0, "worker_id": "w", "trial_id": number, "text": "ä" * (number % 7)}


def read(backend: WholeLines | JournalFileBackend, first: int) -> list[dict[str, Any]]:
    return list(backend.read_logs(first))


@pytest.mark.parametrize("seed", range(5))
def test_what_is_read_is_what_optuna_reads_whoever_has_written_it(
    tmp_path: Path, seed: int
) -> None:
    chance, path = random.Random(seed), tmp_path / "study.journal"
    ours, another, optunas = (
        WholeLines(path, None),
        WholeLines(path, None),
        JournalFileBackend(str(path)),
    )
    written = 0
    for _ in range(60):
        writer = chance.choice([ours, another, optunas])
        logs = [log(written + k) for k in range(chance.randrange(1, 4))]
        if isinstance(writer, WholeLines) and chance.random() < 0.5:
            with writer.together():
                before = read(optunas, 0)
                for one in logs:
                    writer.append_logs([one])
                assert read(writer, 0) == [*before, *logs]
                assert read(optunas, 0) == before  # not on disk yet
        else:
            writer.append_logs(logs)
        written += len(logs)
        first = chance.randrange(written + 1)
        for reader in chance.sample([ours, another], 2):
            assert (
                read(reader, first)
                == read(optunas, first)
                == list(map(log, range(written)))[first:]
            )


def test_blocks_in_a_block_are_part_of_it(tmp_path: Path) -> None:
    journal = WholeLines(tmp_path / "study.journal", None)
    with journal.together():
        with journal.together():
            journal.append_logs([log(0)])
        assert (tmp_path / "study.journal").read_bytes() == b""
        journal.append_logs([log(1)])
    assert read(journal, 0) == [log(0), log(1)]


def test_what_was_written_before_an_error_is_on_disk(tmp_path: Path) -> None:
    journal = WholeLines(tmp_path / "study.journal", None)

    def write() -> None:
        with journal.together():
            journal.append_logs([log(0)])
            raise KeyError

    with pytest.raises(KeyError):
        write()
    assert read(WholeLines(tmp_path / "study.journal", None), 0) == [log(0)]


def test_a_block_is_one_write_to_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal, done = WholeLines(tmp_path / "study.journal", None), list[int]()
    monkeypatch.setattr(os, "fsync", done.append)
    with journal.together():
        for number in range(9):
            journal.append_logs([log(number)])
    assert len(done) == 1
    with journal.together():
        pass
    assert len(done) == 1


def test_who_dies_in_a_block_has_written_nothing_and_keeps_nobody_out(tmp_path: Path) -> None:
    script = f"""
import os, signal
from pathlib import Path
from tests.sweep.journal.test_file import WholeLines, log
journal = WholeLines(Path({str(tmp_path / "study.journal")!r}), None)
journal.append_logs([log(0)])
with journal.together():
    journal.append_logs([log(1)])
    os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=REPOSITORY, check=False)
    assert done.returncode == -9
    journal = WholeLines(tmp_path / "study.journal", None)
    begun = time.monotonic()
    with journal.together():
        journal.append_logs([log(2)])
    assert time.monotonic() - begun < 10  # Optuna's own lock would be waited for: 30 seconds
    assert read(journal, 0) == [log(0), log(2)]


def test_nothing_more_is_written_once_the_disk_lacks_what_memory_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = WholeLines(tmp_path / "study.journal", None)

    def full(_file: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            journal.append_logs([log(0)])
    with pytest.raises(OSError, match="No space"):
        journal.append_logs([log(1)])


def test_a_line_that_is_on_its_way_is_read_once_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "study.journal"
    journal = WholeLines(path, None)
    journal.append_logs([log(0)])
    whole = path.read_bytes()
    with path.open("ab") as file:
        file.write(whole[:10])
        file.flush()
        assert read(journal, 0) == [log(0)]
        assert read(journal, 1) == []
        file.write(whole[10:])
    assert read(journal, 1) == [log(0)]


def test_a_dashboard_waits_for_the_end_of_a_block(tmp_path: Path) -> None:
    path = tmp_path / "study.journal"
    journal, optunas = WholeLines(path, None), JournalFileBackend(str(path))
    note = Thread(target=lambda: optunas.append_logs([log(9)]))
    with journal.together():
        journal.append_logs([log(0)])
        assert read(journal, 0) == [log(0)]
        note.start()
        note.join(0.1)
        journal.append_logs([log(1)])
        assert read(journal, 1) == [log(1)]
    note.join()
    assert read(journal, 2) == [log(9)]
    assert read(optunas, 0) == [log(0), log(1), log(9)]
    assert [file.name for file in tmp_path.iterdir() if file.is_symlink()] == []


def test_a_block_waits_for_a_dashboard(tmp_path: Path) -> None:
    path = tmp_path / "study.journal"
    journal, theirs = WholeLines(path, None), JournalFileSymlinkLock(str(path))
    theirs.acquire()
    Timer(0.2, theirs.release).start()
    with journal.together():
        assert not theirs_is_held(path)
        journal.append_logs([log(0)])
    assert read(journal, 0) == [log(0)]


def test_a_link_that_a_killed_dashboard_left_is_not_waited_for_forever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "study.journal"
    path.with_name("study.journal.lock").symlink_to("from/another/folder/study.journal")
    monkeypatch.setattr(optunas_lock, "LEFT_SECONDS", 0.1)
    journal = WholeLines(path, None)
    with journal.together():
        journal.append_logs([log(0)])
    assert read(journal, 0) == [log(0)]


def theirs_is_held(path: Path) -> bool:
    link = path.with_name(f"{path.name}.lock")
    return link.is_symlink() and link.readlink() == path


@pytest.mark.parametrize("line", [b'{"op_code":\n', b"5\n", b"[1]\n", b"\n", b"\0\0\0\0\n"])
@pytest.mark.parametrize("is_last", [True, False])
def test_a_line_that_is_no_record_is_an_error_before_anything_is_written(
    tmp_path: Path, line: bytes, is_last: bool
) -> None:
    path = tmp_path / "study.journal"
    WholeLines(path, None).append_logs([log(0)])
    with path.open("ab") as file:
        file.write(line if is_last else line + path.read_bytes())
    with pytest.raises(ValueError, match=r"."):
        read(WholeLines(path, None), 0)
