"""A study's storage as it is now, for a launch that only looks: what it writes stays in memory."""

from pathlib import Path
from tempfile import TemporaryFile

import optuna
from optuna.storages import BaseStorage, InMemoryStorage
from sqlalchemy import create_engine, inspect
from sqlalchemy.exc import SQLAlchemyError

from cnnsweep.errors import UserError, one_line
from cnnsweep.folders.sweep_folder import JOURNAL
from cnnsweep.sweep.journal.kept_trials import KeptTrials
from cnnsweep.sweep.journal.scratch import ScratchLines
from cnnsweep.sweep.spec.plan import Plan
from cnnsweep.sweep.study.coordination import Coordination
from cnnsweep.sweep.study.opening.storage import GRPC, database_url, open_storage

_TABLE = "studies"  # without it Optuna has made nothing in a database yet


def storage_of_launch(url: str | None, plan: Plan, coordination: Coordination) -> BaseStorage:
    """The storage of a search, in its folder, which is made; a copy for a launch that only looks.

    Raises:
        UserError: it cannot be opened.
    """
    if coordination.only_looks:
        return open_scratch(url, plan.folder, plan.study_name)
    plan.folder.mkdir(parents=True, exist_ok=True)
    return open_storage(url, plan.folder, coordination.journal_lock())


def open_scratch(url: str | None, folder: Path, study_name: str | None) -> BaseStorage:
    """What :func:`open_storage` would open, copied into memory; nothing is made where nothing is.

    Of a database the study ``study_name`` alone is copied, where it is there.

    Raises:
        UserError: it cannot be opened.
    """
    if url is None:
        return _journal(folder / JOURNAL)
    copy = InMemoryStorage()
    if not url.startswith(GRPC) and _is_empty(url):
        return copy
    theirs = open_storage(url, folder, None)
    if study_name in optuna.get_all_study_names(theirs):
        assert study_name is not None
        optuna.copy_study(from_study_name=study_name, from_storage=theirs, to_storage=copy)
    return copy


def _journal(path: Path) -> BaseStorage:
    try:
        return KeptTrials(ScratchLines(path))
    except (ValueError, KeyError) as error:
        raise UserError(f"{path} is damaged: {one_line(error)}; restore it from a copy") from error


def would_make_file(url: str) -> bool:
    """Whether opening a storage would make a database's file: it is not there, and can be."""
    try:
        place = database_url(url)
    except (ImportError, ValueError, SQLAlchemyError):
        return False
    name = place.database
    if place.get_backend_name() != "sqlite" or not name or name.startswith((":memory:", "file:")):
        return False
    file = Path(name)
    return not file.exists() and _takes_files(file.parent)


def _takes_files(folder: Path) -> bool:
    """Whether files can be made there, by one that is gone at once: rights do not tell it all."""
    try:
        TemporaryFile(dir=folder).close()
    except OSError:
        return False
    return True


def _is_empty(url: str) -> bool:
    """Whether opening a database would make tables in it, or the file itself.

    False where that cannot be told: opening it says why.
    """
    if would_make_file(url):
        return True
    try:
        place = database_url(url)
        if place.get_backend_name() == "sqlite" and place.database in (None, "", ":memory:"):
            return True
        engine = create_engine(place)
        try:
            return not inspect(engine).has_table(_TABLE)
        finally:
            engine.dispose()
    except (ImportError, ValueError, SQLAlchemyError):
        return False
