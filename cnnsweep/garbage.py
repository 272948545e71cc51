"""Python's garbage collector, kept from where it can only cost time: a process's start and end."""

import atexit
import gc


def postpone_collection() -> None:
    """Collect nothing until `begin_collection`, and nothing at exit.

    Importing torch makes hundreds of thousands of objects that stay as long as the process. The
    collector looks at them again and again while they come, and once more while Python ends.
    """
    gc.disable()
    atexit.register(gc.freeze)


def begin_collection() -> None:
    """Collect from now on, but leave alone what is there already; again is harmless."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()
