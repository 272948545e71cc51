"""A journal read from its file, and written in memory alone: for a launch that only looks."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from optuna.storages.journal import BaseJournalBackend


class ScratchLines(BaseJournalBackend):
    """The lines of a journal as they are now, or none; what is added nobody else ever sees."""

    def __init__(self, path: Path) -> None:
        """Raises ValueError where a whole line is damaged."""
        content = path.read_bytes() if path.exists() else b""
        whole = content[: content.rfind(b"\n") + 1]  # the last line may be on its way
        self._logs: list[dict[str, Any]] = [json.loads(line) for line in whole.splitlines()]
        self.changed: set[int] = set()  # as of WholeLines

    def read_logs(self, log_number_from: int) -> Iterator[dict[str, Any]]:
        for log in self._logs[log_number_from:]:
            if "trial_id" in log:
                self.changed.add(log["trial_id"])
            yield log

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        self._logs += json.loads(json.dumps(logs))

    @contextmanager
    def together(self) -> Iterator[None]:
        yield
