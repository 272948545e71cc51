"""``python -m cnnsweep.diff A B``: what differs between two runs, or two sweeps."""

import sys
from functools import partial

from cnnsweep.diff.cli import parse
from cnnsweep.process import begin_collection, postpone_collection
from cnnsweep.report.ending import ended


def main(words: list[str] | None = None) -> int:
    """Run the command; the exit code is 0, or as :func:`cnnsweep.report.ending.ended` has it.

    With ``--exit-code`` it is also 1 where settings, data, code or metrics differ.
    """
    return ended(partial(_diff, words))


def _diff(words: list[str] | None) -> int:
    arguments = parse(words)
    # Only now: --help and a mistyped option should not wait for numpy and rich.
    from cnnsweep.diff.build import diff

    begin_collection()
    is_different = diff(arguments)
    return int(arguments.exit_code and is_different)


if __name__ == "__main__":
    postpone_collection()
    sys.exit(main())
