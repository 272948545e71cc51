"""The command `cnnsweep`: Hydra's command line, with errors on one line.

Imports nothing heavy: `--help`, `--cfg job` and tab completion answer at once.
"""

import os
import sys

import hydra

from cnnsweep.bad_input import BadInput
from cnnsweep.complaint import complaint
from cnnsweep.conf_dir import CONF_DIR
from cnnsweep.signals import Terminated, raise_on_sigterm
from cnnsweep.task import task
from cnnsweep.whitelist import allowed_targets

FULL_ERROR = "HYDRA_FULL_ERROR"


def main() -> None:
    """Run the command line; exits with 0, 1, 130 after Ctrl-C, 143 after SIGTERM."""
    wants_traceback = os.environ.get(FULL_ERROR) == "1"
    os.environ[FULL_ERROR] = "1"  # else Hydra prints the error itself and exits
    raise_on_sigterm()
    try:
        _hydra_main()
    except KeyboardInterrupt:
        sys.exit(130)
    except Terminated:
        sys.exit(143)
    except Exception as error:  # the outermost door: nothing above it could handle it
        if wants_traceback:
            raise
        print(complaint(error), file=sys.stderr)
        if not isinstance(error, BadInput):
            print(f"({FULL_ERROR}=1 shows the traceback)", file=sys.stderr)
        sys.exit(1)


def _hydra_main() -> None:
    decorate = hydra.main(
        config_path=str(CONF_DIR),
        config_name="config",
        execution_whitelist=allowed_targets(),
    )
    decorate(task)()
