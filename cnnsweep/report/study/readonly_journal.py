"""A study's log, read only: a torn last line, a damaged one or a huge one ends the reading."""

import json
from collections.abc import Generator
from pathlib import Path
from typing import Any

from optuna.storages.journal import BaseJournalBackend


class ReadOnlyJournal(BaseJournalBackend):
    """Optuna's journal from a file that may still be written to, or come from somebody else.

    Optuna's own backend creates lock files beside the log and gives up on a damaged line.
    """

    def __init__(self, path: Path) -> None:
        self._logs: list[dict[str, Any]] = []
        self.torn = False
        with path.open("rb") as lines:
            for line in lines:
                try:
                    entry = json.loads(line)
                except (ValueError, RecursionError):
                    self.torn = True
                    break
                self._logs.append(entry)

    def read_logs(self, log_number_from: int) -> Generator[dict[str, Any], None, None]:
        """The entries from a number on."""
        yield from self._logs[log_number_from:]

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Refuse: a report changes no study."""
        raise PermissionError(f"a report writes no study ({len(logs)} entries)")
