"""What a benchmark found, as CSV and on the terminal."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

RESULTS = Path("benchmarks") / "results"


def write_csv(path: Path, rows: Sequence[Mapping[str, Any]], about: Mapping[str, str]) -> None:
    """Rows of equal keys; ``about`` goes in front as lines that begin with ``#``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        for name, value in about.items():
            file.write(f"# {name}: {value}\n")
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def print_rows(rows: Sequence[Mapping[str, Any]]) -> None:
    """Rows of equal keys as a table."""
    table = Table(*(name.replace("_", " ") for name in rows[0]))
    for row in rows:
        table.add_row(*map(str, row.values()))
    Console(width=150).print(table)
