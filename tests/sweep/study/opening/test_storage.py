"""The study's journal survives torn lines and killed holders of its lock."""

import signal
import subprocess
import sys
from pathlib import Path

import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from cnnsweep.errors import UserError
from cnnsweep.folders.sweep_folder import JOURNAL
from cnnsweep.sweep.study.opening.storage import open_storage
from tests.command import REPOSITORY


def begin(folder: Path) -> optuna.Study:
    return optuna.create_study(
        study_name="s", storage=open_storage(None, folder, None), load_if_exists=True
    )


def test_a_torn_last_line_costs_nothing_that_comes_after_it(tmp_path: Path) -> None:
    begin(tmp_path).set_user_attr("a", 1)
    with (tmp_path / JOURNAL).open("ab") as journal:
        journal.write(b'{"op_code":2,"worker')
    begin(tmp_path).set_user_attr("b", 2)
    assert begin(tmp_path).user_attrs == {"a": 1, "b": 2}


def test_a_line_that_another_machine_tore_meanwhile_costs_nothing_either(tmp_path: Path) -> None:
    study = begin(tmp_path)
    study.set_user_attr("a", 1)
    with (tmp_path / JOURNAL).open("ab") as journal:
        journal.write(b'{"op_code":2,"worker')
    study.set_user_attr("b", 2)
    assert begin(tmp_path).user_attrs == {"a": 1, "b": 2}


def test_a_full_disk_leaves_a_journal_of_whole_lines(tmp_path: Path) -> None:
    script = f"""
import resource, signal
from pathlib import Path
from tests.sweep.study.opening.test_storage import begin
study = begin(Path({str(tmp_path)!r}))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (600, 600))
for number in range(20):
    study.set_user_attr(f"k{{number}}", number)
"""
    root = REPOSITORY
    done = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, text=True)
    assert "File too large" in done.stderr
    assert (tmp_path / JOURNAL).read_bytes().endswith(b"}\n")
    kept = begin(tmp_path).user_attrs
    assert 0 < len(kept) < 20
    begin(tmp_path).set_user_attr("after", 1)
    assert begin(tmp_path).user_attrs == kept | {"after": 1}


def test_a_killed_holder_does_not_keep_the_lock(tmp_path: Path) -> None:
    script = f"""
import os, signal
from pathlib import Path
from tests.sweep.study.opening.test_storage import begin
study = begin(Path({str(tmp_path)!r}))
study._storage._backend._lock.acquire()
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=REPOSITORY, check=False)
    assert done.returncode == -signal.SIGKILL  # it had come so far
    begin(tmp_path).set_user_attr("a", 1)
    assert begin(tmp_path).user_attrs == {"a": 1}


def test_a_damaged_journal_is_named(tmp_path: Path) -> None:
    begin(tmp_path).set_user_attr("a", 1)
    journal = tmp_path / JOURNAL
    journal.write_bytes(b"not json\n" + journal.read_bytes())
    with pytest.raises(UserError, match=r"study.journal is damaged"):
        begin(tmp_path)


def test_optuna_reads_the_journal_with_its_own_means(tmp_path: Path) -> None:
    study = begin(tmp_path)
    study.tell(study.ask(), 1.0)
    backend = JournalFileBackend(str(tmp_path / JOURNAL))
    loaded = optuna.load_study(study_name="s", storage=JournalStorage(backend))
    assert loaded.best_value == 1.0


def test_a_storage_that_cannot_be_opened_is_refused_without_its_password(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="nosuchdb storage") as refused:
        open_storage("nosuchdb://user:secret@host/db", tmp_path, None)
    assert "secret" not in str(refused.value)
