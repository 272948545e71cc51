"""Rebuilding a report while runs come in."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console

from cnnsweep.report.find import Stamp, find

_State = list[tuple[str, dict[str, Stamp]]]


def watch(
    folders: Sequence[Path], every: float, console: Console, rebuild: Callable[[], None]
) -> None:
    """Call ``rebuild`` now and whenever a file of a run has changed, until Ctrl-C.

    Args:
        folders: where to look.
        every: seconds between two looks.
        console: is told when there is nothing to do yet.
        rebuild: makes the report.
    """
    seen: _State | None = None
    try:
        while True:
            state = [(str(found.folder), found.files) for found in find(folders).runs]
            if state != seen:
                if state:
                    rebuild()
                else:
                    console.print(f"no run yet; looking every {every:g} s")
                seen = state
            time.sleep(every)
    except KeyboardInterrupt:
        console.print("stopped watching")
