"""A Python process of ours beside this one."""

import subprocess
import sys
from collections.abc import Mapping
from typing import IO

_BOOT = (
    "import sys; sys.path[:] = sys.argv[2].split('\\n'); "
    "from importlib import import_module; "
    "import_module(sys.argv[1]).main(*map(int, sys.argv[3:]))"
)


def start_python(
    module: str,
    fds: tuple[int, ...],
    output: IO[bytes],
    environment: Mapping[str, str] | None = None,
) -> "subprocess.Popen[bytes]":
    """Start ``module.main(*fds)`` with our import path and these open files.

    ``output`` takes what it prints; ``environment`` is ours where None. It has a session of its
    own, so that Ctrl-C reaches us alone.
    """
    return subprocess.Popen(
        [sys.executable, "-c", _BOOT, module, "\n".join(sys.path), *map(str, fds)],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        pass_fds=fds,
        env=environment,
        start_new_session=True,
    )
