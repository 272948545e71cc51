"""Which columns of a table hold numbers, and stand on the right."""

import re
from collections.abc import Sequence

FOLDER = "folder"  # a column that is text whatever the folders are called
_NUMBER = re.compile(r"[−+-]?\d[\d,]*(\.\d+)?(e[−+-]?\d+)?( |$|%)")
_NOTHING = ("", "–")


def are_numbers(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[bool]:
    """For each column whether most of its cells begin with a number; the first names the rows."""
    return [
        number > 0 and name != FOLDER and _mostly([row[number] for row in rows])
        for number, name in enumerate(columns)
    ]


def _mostly(cells: Sequence[str]) -> bool:
    filled = [cell for cell in cells if cell not in _NOTHING]
    return 2 * sum(_NUMBER.match(cell) is not None for cell in filled) > len(filled)
