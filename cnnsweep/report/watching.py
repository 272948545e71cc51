"""``--watch``: the report is made anew while runs come in, and its page reloads itself."""

import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from rich.console import Console
from rich.text import Text

from cnnsweep.errors import UserError
from cnnsweep.report.output.page import Watched
from cnnsweep.report.read.escape import plain
from cnnsweep.report.read.find import Stamp, find

State = list[tuple[str, dict[str, Stamp]]]


def watch(
    folders: Sequence[Path], every: float, console: Console, rebuild: Callable[[Watched], None]
) -> None:
    """Call ``rebuild`` now and whenever a file of a run has changed, until Ctrl-C or SIGTERM.

    Args:
        folders: where to look.
        every: seconds between two looks.
        console: for the lines that there is no run yet, and that watching stopped.
        rebuild: makes the report.

    Raises:
        UserError: the first report cannot be made. What keeps a later one from being made is told
            on the console: the next change may mend it.
    """
    seen: State | None = None
    built = False
    with _ended_by_a_signal():
        try:
            while True:
                state = [(str(found.folder), found.files) for found in find(folders).runs]
                if state and state != seen:
                    _rebuild(rebuild, Watched(_last_change(state), every), built, console)
                    built = True
                elif state != seen:
                    console.print(f"no run yet; looking every {every:g} s")
                seen = state
                time.sleep(every)
        except KeyboardInterrupt:
            console.print("stopped watching")


def _rebuild(
    rebuild: Callable[[Watched], None], watched: Watched, built: bool, console: Console
) -> None:
    try:
        rebuild(watched)
    except UserError as error:
        if not built:
            raise
        console.print(Text(f"not rebuilt: {plain(str(error))}", "red"))


def _last_change(state: State) -> str:
    changes = [stamp[0] for _, files in state for stamp in files.values()]
    moment = datetime.fromtimestamp(max(changes, default=0) / 1e9).astimezone()
    return f"{moment:%Y-%m-%d %H:%M:%S}"


@contextmanager
def _ended_by_a_signal() -> Iterator[None]:
    """SIGTERM ends watching as Ctrl-C does."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
