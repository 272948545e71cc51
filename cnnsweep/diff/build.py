"""From two folders to text on the terminal, JSON, and files."""

import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

from cnnsweep.diff.cli import Arguments
from cnnsweep.diff.files import AnyDiff, as_json, header, notes, write_files
from cnnsweep.diff.runs import runs_apart
from cnnsweep.diff.sides import RunSide, SweepSide, sides
from cnnsweep.diff.sweeps import sweeps_apart
from cnnsweep.report.output.terminal import show_block
from cnnsweep.report.read.escape import plain
from cnnsweep.report.stats.options import Question

_WIDTH = 160  # where the output is no terminal, so that lines are rarely broken


def diff(arguments: Arguments) -> bool:
    """Print what differs, and write the files that were asked for; whether anything differs.

    Raises:
        UserError: a folder that is neither a run's nor a sweep's, an unknown metric or column, or
            files that cannot be written.
    """
    found = compared(arguments)
    if arguments.is_json_alone:
        sys.stdout.write(as_json(found))
        return found.is_different
    _show(found, _console())
    if arguments.out is not None:
        write_files(found, arguments.out, arguments.formats, arguments.images)
        _console().print(_text(f"written: {arguments.out}"), soft_wrap=True)
    return found.is_different


def compared(arguments: Arguments) -> AnyDiff:
    """Read both folders and compare them. Raises UserError as :func:`diff` does."""
    a, b = sides(arguments.first, arguments.second)
    if isinstance(a, RunSide) and isinstance(b, RunSide):
        return runs_apart(a, b, Path.cwd())
    assert isinstance(a, SweepSide)
    assert isinstance(b, SweepSide)
    return sweeps_apart(a, b, Question(by=arguments.by, metric=arguments.metric))


def _show(found: AnyDiff, console: Console) -> None:
    for line in header(found):
        console.print(_text(line), soft_wrap=True)
    for block in found.blocks():
        show_block(block, console)
    for line in notes(found):
        console.print(_text(line, "yellow"))


def _console() -> Console:
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=_WIDTH)


def _text(content: str, style: str = "") -> Text:
    return Text(plain(content), style)
