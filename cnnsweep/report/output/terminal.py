"""The answer on the terminal: its parts one below the other."""

from dataclasses import replace

from rich.console import Console, JustifyMethod
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from cnnsweep.report.answer.analysis import Answer
from cnnsweep.report.answer.block import Block
from cnnsweep.report.output.blocks import answer_blocks
from cnnsweep.report.output.columns import FOLDER, are_numbers
from cnnsweep.report.output.tables import headline
from cnnsweep.report.read.escape import plain

_MOST_LINES = 5
_WIDEST = 10_000  # columns: more than any table needs


def show(answer: Answer, console: Console) -> None:
    """Print the short form. Text from folders is never taken for markup."""
    console.print(_text(headline(answer)))
    for block in answer_blocks(answer):
        if not block.is_detail:
            show_block(block, console)
    for cause, count, run in answer.cost.failures[:_MOST_LINES]:
        console.print(_text(f"failed {count}×: {cause}", style="red"))
        console.print(_text(f"  {run.folder}", style="red"), soft_wrap=True)
    _lines(console, answer.notes, "note", "yellow")
    _lines(console, answer.gathered.problems, "not read", "red", soft_wrap=True)


def show_block(block: Block, console: Console) -> None:
    """Print one part: sentences, lines to type, the table."""
    for sentence in block.sentences:
        console.print(_text(sentence, style="bold" if block.strong else ""))
    for command in block.commands:
        console.print(_text(f"  {command}"), soft_wrap=True)
    if block.rows:
        _show_table(block, console)


def _show_table(block: Block, console: Console) -> None:
    """A folder is never broken, so that it can be copied: where there is no room, it stands below.

    The first cell of its row, such as its number, then says which it is.
    """
    whole = _table(block)
    unbounded = console.options.update(width=_WIDEST)
    needed = Measurement.get(console, unbounded, whole).maximum
    if FOLDER not in block.columns or needed <= console.width:
        console.print(whole)
        return
    place = list(block.columns).index(FOLDER)
    columns, *rows = ([*r[:place], *r[place + 1 :]] for r in (block.columns, *block.rows))
    console.print(_table(replace(block, columns=columns, rows=rows)))
    for row in block.rows:
        console.print(_text(f"  {row[0]}  {row[place]}"), soft_wrap=True)


def _table(block: Block) -> Table:
    table = Table(title=_text(block.title), title_justify="left", caption_justify="left")
    table.caption = _text(block.caption) if block.caption else None
    numbers = are_numbers(block.columns, block.rows)
    for name, is_number in zip(block.columns, numbers, strict=True):
        side: JustifyMethod = "right" if is_number else "left"
        table.add_column(_text(name), justify=side, overflow="fold")
    for row in block.rows:
        table.add_row(*map(_text, row))
    return table


def _lines(
    console: Console, lines: list[str], kind: str, style: str, *, soft_wrap: bool = False
) -> None:
    for line in lines[:_MOST_LINES]:
        console.print(_text(f"{kind}: {line}", style=style), soft_wrap=soft_wrap)
    if len(lines) > _MOST_LINES:
        console.print(_text(f"… and {len(lines) - _MOST_LINES} more of these", style=style))


def _text(content: str, style: str = "") -> Text:
    """Text as it is: no markup, no control characters from a folder reach the terminal."""
    return Text(plain(content), style)
