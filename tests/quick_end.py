"""A forked Python that ends as any other does, but for the freeing of what it has imported.

Python takes the imported modules apart at its end. In a child of a process with torch that copies
most of its memory, which takes longer than most commands. Imports nothing of the tests.
"""

import atexit
import os
import sys
from types import TracebackType
from typing import Self


class QuickEnd:
    """Ends the process once its threads and all functions registered with ``atexit`` are through.

    To be made before anything else is registered. Counts in a process that has been through the
    block, which gives the exit code; after any exception but SystemExit Python ends by itself.
    """

    def __init__(self) -> None:
        self._code: int | None = None
        atexit.register(self._end)  # the first to be registered is called last

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        if error is None:
            self._code = 0
        elif isinstance(error, SystemExit):
            code = error.code or 0
            self._code = code & 0xFF if isinstance(code, int) else 1  # Python prints other things

    def _end(self) -> None:
        if self._code is not None:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(self._code)
