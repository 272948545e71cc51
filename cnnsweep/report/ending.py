"""How the commands that read folders end: errors on one line, and exit codes."""

import os
import sys
from collections.abc import Callable

from cnnsweep.errors import UserError
from cnnsweep.report.read.escape import plain


def ended(command: Callable[[], int]) -> int:
    """The command's exit code; 1 with one line for what one can change, 130 after Ctrl-C.

    141 where the reader of its output, such as ``head``, has closed the pipe.
    """
    try:
        return command()
    except UserError as error:
        print(f"error: {plain(str(error))}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
