"""``python -m cnnsweep.report``: the answer on the terminal, then the files."""

import sys
from functools import partial

from cnnsweep.process import begin_collection, postpone_collection
from cnnsweep.report.cli import parse
from cnnsweep.report.ending import ended


def main(words: list[str] | None = None) -> int:
    """Run the command; the exit code is 0, or as :func:`cnnsweep.report.ending.ended` has it."""
    return ended(partial(_report, words))


def _report(words: list[str] | None) -> int:
    arguments = parse(words)
    # Only now: --help and a mistyped option should not wait for numpy and rich.
    from cnnsweep.report.build import report

    begin_collection()
    report(arguments)
    return 0


if __name__ == "__main__":
    postpone_collection()
    sys.exit(main())
