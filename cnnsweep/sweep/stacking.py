"""Which sweeps may have several runs in a worker."""

from typing import Any

from cnnsweep.config import launchers
from cnnsweep.errors import UserError
from cnnsweep.sweep.spec.compose import SweepContext


def why_not_stacked(context: SweepContext) -> str | None:
    """Why each worker has one run at a time whatever is typed, in words; None where it need not."""
    if launchers.is_chosen(context.config):
        return f"hydra/launcher={launchers.name(context.config)} has one run in each of its jobs"
    if not context.is_our_task:
        return "the task is an app's own, whose epochs cannot be trained together"
    return None


def refuse_stack(context: SweepContext, typed: Any) -> None:
    """Raise UserError where several runs were typed for a worker, and it can have but one."""
    reason = why_not_stacked(context)
    if typed not in (1, "auto") and reason is not None:
        raise UserError(f"hydra.sweeper.stack={typed}: {reason}; allowed here are 1 and auto")
