"""How many epochs a search may still spend."""

from collections.abc import Callable

from optuna.study import Study
from optuna.trial import FrozenTrial

from cnnsweep.sweep.freeze_thaw.curves import curves_of
from cnnsweep.sweep.freeze_thaw.pruner import FreezeThaw
from cnnsweep.sweep.freeze_thaw.reserve import allowed_epochs
from cnnsweep.sweep.freeze_thaw.rule import AUTO_SHARE


def epochs_left(
    study: Study, epochs: Callable[[FrozenTrial], int], trials: int, most_epochs: int
) -> tuple[int, bool] | None:
    """The number, and whether that is all that is known: fewer may do where ``budget`` is auto.

    ``trials`` are all that there will be, of ``most_epochs`` where they are not begun; ``epochs``
    tells how many another has in all. None where the study pauses no trials.
    """
    pruner = study.pruner
    if not isinstance(pruner, FreezeThaw) or len(study.directions) > 1:
        return None
    curves = curves_of(study, epochs)
    is_auto = pruner.terms.budget == "auto"
    share = AUTO_SHARE if pruner.terms.budget == "auto" else pruner.terms.budget
    allowed = allowed_epochs(share, curves, max(0, trials - len(curves)), most_epochs)
    return max(0, allowed - sum(len(curve.values) for curve in curves)), is_auto
