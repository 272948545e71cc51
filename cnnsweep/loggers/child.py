"""The process of one tracker: reads what it is told, and does it in its own time."""

import inspect
import json
import os
import queue
import signal
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from cnnsweep.bad_input import BadInput
from cnnsweep.loggers.choice import missing, package_of
from cnnsweep.loggers.identity import alone
from cnnsweep.loggers.protocol import Run, Sweep
from cnnsweep.outcome import one_line
from cnnsweep.run_folder import RunFolder

LINGER_SECONDS = 60.0  # for what was told last, once the run is gone
_LAST_WORDS = ("ended", "sweep_ended")


def main(fd: int) -> None:
    """Serve the run at the other end of the socket ``fd``; ends with it."""
    for number in (signal.SIGINT, signal.SIGTERM):  # the run tells how it ends, or is gone
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    connection = socket.socket(fileno=fd)
    inbox: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(connection, inbox), daemon=True).start()

    def answer(word: str, line: str = "") -> None:
        try:
            connection.sendall(json.dumps([word, line]).encode() + b"\n")
        except OSError:  # the run did not wait
            return

    try:
        _serve(inbox, answer)
    except BadInput as error:
        answer("refused", str(error))
        raise
    except BaseException as error:
        answer("failed", one_line(error))
        raise
    answer("done")
    os._exit(0)  # trackers like to wait for servers at exit


def _read(connection: socket.socket, inbox: "queue.SimpleQueue[tuple[str, Any]]") -> None:
    """Take messages at once, so that the run never waits; notice that the run is gone."""
    is_over = False
    for line in connection.makefile("rb"):
        if not line.endswith(b"\n"):
            break
        word, content = json.loads(line)
        inbox.put((word, content))
        is_over = word in _LAST_WORDS
    if is_over:
        time.sleep(LINGER_SECONDS)
    os._exit(1)


def _serve(inbox: "queue.SimpleQueue[tuple[str, Any]]", answer: Any) -> None:
    _, setup = inbox.get()
    run = _run(setup["run"])
    with alone(run.folder, setup["name"]):
        logger = _make(setup["name"], setup["node"], run)
        answer("ready")
        word = ""
        while word not in _LAST_WORDS:
            word, content = inbox.get()
            _pass_on(logger, word, content, RunFolder(run.folder))


def _pass_on(logger: Any, word: str, content: Any, folder: RunFolder) -> None:
    if word == "ended":
        logger.ended(content, folder)
    elif word == "sweep_ended":
        if hasattr(logger, word):
            logger.sweep_ended()
    else:
        getattr(logger, word)(content)


def _run(plain: Mapping[str, Any]) -> Run:
    """A run as it was before it went through JSON."""
    sweep = plain["sweep"]
    if sweep is not None:
        sweep = Sweep(**{**sweep, "folder": Path(sweep["folder"])})
    paths = {name: Path(plain[name]) for name in ("folder", "root")}
    return Run(**{**plain, **paths, "sweep": sweep})


def _make(name: str, node: dict[str, Any], run: Run) -> Any:
    from hydra.errors import InstantiationException
    from hydra.utils import execution_whitelist, get_object, instantiate

    from cnnsweep.objects import refusal
    from cnnsweep.whitelist import allowed_targets

    target = str(node["_target_"])
    try:
        with execution_whitelist(allowed_targets()):
            parameters = inspect.signature(get_object(target)).parameters
            known: dict[str, Any] = {"run": run, "folder": run.folder}
            fitting = {key: value for key, value in known.items() if key in parameters}
            return instantiate(node, _convert_="all", **fitting)
    except (InstantiationException, ImportError) as error:
        causes = list(_causes(error))
        if target.startswith("cnnsweep.") and _has(causes, ModuleNotFoundError):
            raise missing(package_of(target)) from error
        if _has(causes, ConnectionError):
            raise causes[-1] from error
        raise refusal(f"logger.{name}", target, error) from error


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


def _has(errors: list[BaseException], kind: type[BaseException]) -> bool:
    return any(isinstance(error, kind) for error in errors)
