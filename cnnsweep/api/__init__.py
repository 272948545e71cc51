"""Runs and sweeps from Python: scripts and notebooks.

    from cnnsweep.api import compose, run, sweep

The engine, the folders and the errors are those of the command line, which runs in a process of its
own: ``run(model="lenet", epochs=3)`` is ``python -m cnnsweep model=lenet epochs=3``. Importing this
imports neither torch nor Hydra nor Optuna.
"""

from cnnsweep.api.calls import compose as compose
from cnnsweep.api.calls import run as run
from cnnsweep.api.calls import sweep as sweep
from cnnsweep.api.runs import Result as Result
from cnnsweep.api.runs import Run as Run
from cnnsweep.api.runs import RunFailed as RunFailed
from cnnsweep.api.sweeps import Sweep as Sweep
from cnnsweep.errors import UserError as UserError

__all__ = ["Result", "Run", "RunFailed", "Sweep", "UserError", "compose", "run", "sweep"]
