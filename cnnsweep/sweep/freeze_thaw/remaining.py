"""How many epochs a search may still spend."""

from optuna.study import Study

from cnnsweep.sweep.freeze_thaw.curves import curves_of
from cnnsweep.sweep.freeze_thaw.hope import Outlook
from cnnsweep.sweep.freeze_thaw.pruner import FreezeThaw
from cnnsweep.sweep.freeze_thaw.reserve import allowed_epochs, leader_of
from cnnsweep.sweep.freeze_thaw.rule import MOST_SHARE, share_of
from cnnsweep.sweep.spec.plan import Plan


def epochs_left(study: Study, plan: Plan, trials: int) -> tuple[int, bool] | None:
    """The number, and whether fewer may do, as where ``budget`` is auto.

    ``trials`` are all that there will be. None where the study pauses no trials.
    """
    pruner = study.pruner
    if not isinstance(pruner, FreezeThaw) or len(study.directions) > 1:
        return None
    curves = curves_of(study, plan.epochs)
    terms, is_known = pruner.terms, leader_of(curves) is not None
    share = share_of(terms, Outlook(curves)) if is_known else MOST_SHARE
    allowed = allowed_epochs(share, curves, max(0, trials - len(curves)), plan.most_epochs)
    left = max(0, allowed - sum(len(curve.values) for curve in curves))
    return left, terms.budget == "auto"
