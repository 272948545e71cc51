"""Python's garbage collector, kept from where it can only cost time: a process's start and end."""

import atexit
import gc
import sys


def postpone_collection() -> None:
    """Collect nothing until `begin_collection`, and at exit only what Triton would complain of.

    Importing torch makes hundreds of thousands of objects that stay as long as the process. The
    collector looks at them again and again while they come, and once more while Python ends.
    """
    gc.disable()
    atexit.register(_end)


def begin_collection() -> None:
    """Collect from now on, but leave alone what is there already; again is harmless."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()


def _end() -> None:
    if "triton" in sys.modules:
        # torch.compile's: at exit it reports as leaked what was never collected.
        gc.unfreeze()
        gc.enable()
    else:
        gc.freeze()
