"""The answer on the terminal: its parts one below the other."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cnnsweep.report.answer.analysis import Answer
from cnnsweep.report.answer.block import Block
from cnnsweep.report.output.blocks import answer_blocks
from cnnsweep.report.output.tables import headline
from cnnsweep.report.read.escape import plain

_MOST_LINES = 5
_FOLDER = "folder"  # the column that may be broken


def show(answer: Answer, console: Console) -> None:
    """Print the short form. Text from folders is never taken for markup."""
    console.print(_text(headline(answer)))
    for block in answer_blocks(answer):
        if not block.is_detail:
            show_block(block, console)
    for cause, count, run in answer.cost.failures[:_MOST_LINES]:
        console.print(_text(f"failed {count}×: {cause} ({run.folder})", style="red"))
    _lines(console, answer.notes, "note", "yellow")
    _lines(console, answer.gathered.problems, "not read", "red")


def show_block(block: Block, console: Console) -> None:
    """Print one part: sentences, lines to type, the table."""
    for sentence in block.sentences:
        console.print(_text(sentence, style="bold" if block.strong else ""))
    for command in block.commands:
        console.print(_text(f"  {command}"), soft_wrap=True)
    if block.rows:
        console.print(_table(block))


def _table(block: Block) -> Table:
    table = Table(title=_text(block.title), title_justify="left", caption_justify="left")
    table.caption = _text(block.caption) if block.caption else None
    for number, name in enumerate(block.columns):
        if name == _FOLDER:
            table.add_column(_text(name), overflow="fold", ratio=1)
        else:
            table.add_column(_text(name), justify="right" if number else "left")
    for row in block.rows:
        table.add_row(*map(_text, row))
    return table


def _lines(console: Console, lines: list[str], kind: str, style: str) -> None:
    for line in lines[:_MOST_LINES]:
        console.print(_text(f"{kind}: {line}", style=style))
    if len(lines) > _MOST_LINES:
        console.print(_text(f"… and {len(lines) - _MOST_LINES} more of these", style=style))


def _text(content: str, style: str = "") -> Text:
    """Text as it is: no markup, no control characters from a folder reach the terminal."""
    return Text(plain(content), style)
