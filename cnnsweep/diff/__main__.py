"""``python -m cnnsweep.diff A B``: what differs between two runs, or two sweeps."""

import os
import sys

from cnnsweep.diff.cli import parse
from cnnsweep.errors import UserError
from cnnsweep.process import begin_collection, postpone_collection
from cnnsweep.report.read.escape import plain


def main(words: list[str] | None = None) -> int:
    """Run the command.

    The exit code is 0, or 1 with one line on what to change; with ``--exit-code`` also 1 where
    settings, data, code or metrics differ.
    """
    try:
        arguments = parse(words)
        # Only now: --help and a mistyped option should not wait for numpy and rich.
        from cnnsweep.diff.build import diff

        begin_collection()
        is_different = diff(arguments)
    except UserError as error:
        print(f"error: {plain(str(error))}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader, such as `| head`, has closed the pipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    return int(arguments.exit_code and is_different)


if __name__ == "__main__":
    postpone_collection()
    sys.exit(main())
