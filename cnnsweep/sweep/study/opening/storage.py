"""Opening the study's storage: a journal in the sweep folder, a database, or a proxy."""

import random
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from optuna.storages import (
    BaseStorage,
    GrpcStorageProxy,
    RDBStorage,
    get_storage,
)
from sqlalchemy import URL, make_url
from sqlalchemy.exc import IntegrityError, ProgrammingError, SQLAlchemyError

from cnnsweep.errors import UserError, one_line
from cnnsweep.folders.sweep_folder import JOURNAL
from cnnsweep.redact import masked
from cnnsweep.sweep.journal.file import WholeLines
from cnnsweep.sweep.journal.kept_trials import KeptTrials
from cnnsweep.sweep.spec.optuna_internals import JournalFileLock

GRPC = "grpc://"
_CONNECT_SECONDS = 10
_ATTEMPTS = 4
_POSTGRESQL: dict[str, object] = {
    "connect_timeout": _CONNECT_SECONDS,
    "tcp_user_timeout": 20_000,  # milliseconds
    # A host that was stopped in the middle of a transaction would keep its rows locked.
    "options": "-c idle_in_transaction_session_timeout=20000",
}


def open_storage(url: str | None, folder: Path, lock: JournalFileLock | None) -> BaseStorage:
    """The journal of a sweep's folder where ``url`` is None; ``lock`` is what it is written under.

    Raises:
        UserError: it cannot be opened.
    """
    if url is None:
        return _open_journal(folder / JOURNAL, lock)
    try:
        if url.startswith(GRPC):
            return _open_proxy(url)
        return _open_database(url)
    except (ImportError, ValueError, ConnectionError, SQLAlchemyError) as error:
        kind = url.partition("://")[0]  # the rest may hold a password
        said = masked(one_line(error.__cause__ or error), url)
        raise UserError(
            f"hydra.sweeper.storage: cannot open the {kind} storage: {said}. "
            "Allowed: null (a journal in the sweep folder), grpc://host:port (Optuna's proxy), or "
            "a URL that Optuna takes, e.g. sqlite:////absolute/path.db or "
            "postgresql+psycopg://user@host/database, its folder and driver being there"
        ) from None  # a traceback would show what the driver says


def _open_journal(path: Path, lock: JournalFileLock | None) -> BaseStorage:
    try:
        return KeptTrials(WholeLines(path, lock))
    except (ValueError, KeyError) as error:
        raise UserError(f"{path} is damaged: {one_line(error)}; restore it from a copy") from error


def _open_database(url: str) -> BaseStorage:
    """Try several times: of two hosts that open an empty database at once, one fails."""
    for attempt in range(_ATTEMPTS):
        try:
            return get_storage(_open_postgresql(url) if url.startswith("postgresql") else url)
        except (IntegrityError, ProgrammingError):
            if attempt == _ATTEMPTS - 1:
                raise
            time.sleep(random.uniform(0.5, 1.5))
    raise AssertionError


def _open_postgresql(url: str) -> RDBStorage:
    """A connection with time-outs on both sides, for a server or a client that is gone."""
    parsed = database_url(url)
    options: dict[str, Any] = {"pool_pre_ping": True}
    if parsed.get_driver_name().startswith("psycopg"):
        chosen = parsed.query
        options["connect_args"] = {k: v for k, v in _POSTGRESQL.items() if k not in chosen}
    return RDBStorage(parsed.render_as_string(hide_password=False), engine_kwargs=options)


def database_url(url: str) -> URL:
    """A database's URL, with the driver that is there where it names none."""
    parsed = make_url(url)
    if parsed.drivername == "postgresql" and find_spec("psycopg2") is None:
        return parsed.set(drivername="postgresql+psycopg")  # the one that our extra brings
    return parsed


def _open_proxy(url: str) -> BaseStorage:
    host, _, port = url.removeprefix(GRPC).rstrip("/").rpartition(":")
    if not host or not port.isdigit():
        raise ValueError("its form is grpc://host:port")
    proxy = GrpcStorageProxy(host=host, port=int(port))
    proxy.wait_server_ready(timeout=_CONNECT_SECONDS)
    return proxy
