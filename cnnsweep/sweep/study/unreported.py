"""What is said where another app's epochs lack the metric that decides."""

from collections.abc import Callable
from dataclasses import dataclass

from optuna.pruners import NopPruner
from optuna.study import Study

from cnnsweep.errors import OverInVain
from cnnsweep.sweep.spec.messages import Epoch, Job
from cnnsweep.sweep.spec.plan import Plan


@dataclass
class Unreported:
    """Looks at the epochs of a search's runs; ``say`` prints a line."""

    plan: Plan
    study: Study
    say: Callable[[str], None]
    _has_said: bool = False

    def look(self, job: Job, epoch: Epoch) -> None:
        """End the sweep where the metric was named, else say once what is missing.

        Raises:
            OverInVain: nothing could be pruned or paused, as was asked for.
        """
        if self.plan.is_ours or epoch.metrics.get(self.plan.objectives[0]) is not None:
            return
        there = ", ".join(name for name in epoch.metrics if name != "epoch")
        if (name := self.plan.metric) is not None:
            raise OverInVain(  # what a search is for is fixed once it has begun
                f"hydra.sweeper.metric={name} was not reported: epoch {epoch.number} in "
                f"{self.plan.sweep / job.folder} has {there}. Type one of these, and another "
                "hydra.sweep.dir"
            )
        if job.is_prunable and not isinstance(self.study.pruner, NopPruner) and not self._has_said:
            self.say(
                f"{self.plan.prefix}note: no trial is pruned or paused by what its epochs report "
                f"({there}): hydra.sweeper.metric=… names the one that decides"
            )
            self._has_said = True
