"""``python -m cnnsweep.report``: the answer on the terminal, then the files."""

import os
import sys

from cnnsweep.errors import UserError
from cnnsweep.process import begin_collection, postpone_collection
from cnnsweep.report.cli import parse
from cnnsweep.report.read.escape import plain


def main(words: list[str] | None = None) -> int:
    """Run the command; the exit code is 0, or 1 with one line on what to change."""
    try:
        arguments = parse(words)
        # Only now: --help and a mistyped option should not wait for numpy and rich.
        from cnnsweep.report.build import report

        begin_collection()
        report(arguments)
    except UserError as error:
        print(f"error: {plain(str(error))}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader, such as `| head`, has closed the pipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    return 0


if __name__ == "__main__":
    postpone_collection()
    sys.exit(main())
