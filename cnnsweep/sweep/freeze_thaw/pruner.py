"""``hydra/sweeper/pruner=freeze_thaw``: the keys of the rule, in the place of a pruner's."""

from typing import Literal

from optuna.pruners import BasePruner
from optuna.study import Study
from optuna.trial import FrozenTrial

from cnnsweep.rules import Rule, whole
from cnnsweep.sweep.freeze_thaw.rule import Terms

_NODE = "hydra.sweeper.pruner."
AUTO: Literal["auto"] = "auto"


class FreezeThaw(BasePruner):
    """Ends no trial: the rule of :mod:`cnnsweep.sweep.freeze_thaw.rule` pauses them.

    Raises:
        UserError: a key is out of range.
    """

    def __init__(self, budget: float | str, min_epochs: int) -> None:
        allowed = "auto, or the share of all epochs that may be spent, above 0 and up to 1"
        Rule(f"{_NODE}budget", _is_budget, allowed).check(budget)
        whole(f"{_NODE}min_epochs", 1).check(min_epochs)
        self.terms = Terms("auto" if budget == AUTO else float(budget), min_epochs)

    def prune(self, study: Study, trial: FrozenTrial) -> bool:  # noqa: ARG002
        return False


def _is_budget(value: object) -> bool:
    if isinstance(value, str):
        return value == AUTO
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= 1
