"""Which keys of a run's config the sweeper may take for its own: the one place that decides.

A run of this package has them all. The keys of another Hydra app are its own, whatever their names:
none is set, and those few that are read must hold what they hold with us.
"""

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from optuna.distributions import BaseDistribution

from cnnsweep.config.validation import objective_names
from cnnsweep.metric_names import DIRECTIONS
from cnnsweep.rules import whole
from cnnsweep.sweep.spec.space.search_space import ends_of

EPOCHS, SEED, THREADS, DEVICE = "epochs", "seed", "threads", "device"
OBJECTIVE = "objective"
_OF_TORCH = re.compile(r"auto|cpu|mps|cuda(:\d+)?")
# What is read in any app, where it has such a value.
_IN_ANY_APP: dict[str, Callable[[Any], bool]] = {
    SEED: whole(SEED, 0).is_fit,
    EPOCHS: whole(EPOCHS, 1).is_fit,
    DEVICE: lambda value: isinstance(value, str) and _OF_TORCH.fullmatch(value) is not None,
}


@dataclass(frozen=True)
class RunKeys:
    """The keys of a composed config that mean to the sweeper what they mean in our runs.

    ``sets_as_before``: an older version began the sweep of another app, and set such keys there.
    """

    config: DictConfig
    is_ours: bool
    sets_as_before: bool = False

    def get(self, key: str) -> Any:
        """The plain value of a key; None where it is not there, or the app's own affair."""
        value = self._read(key)
        return value if self._is_meant(key, value) else None

    def drawn(self, key: str, distribution: BaseDistribution) -> tuple[Any, ...]:
        """The ends, or the choices, of a key in the space; () where it is the app's own affair."""
        ends = ends_of(distribution)
        return ends if all(self._is_meant(key, value) for value in ends) else ()

    def objectives(self, direction: Any) -> list[str]:
        """The names of the objectives; [] where another app says nothing of them.

        Another app's are names where they are as many as the typed ``direction`` says; without one,
        a single text, or a list with a metric of ours in it.
        """
        value = self._read(OBJECTIVE)
        names = objective_names(value)
        if self.is_ours:
            return names if value is not None else []
        if not all(isinstance(name, str) and name for name in names) or len({*names}) < len(names):
            return []
        if direction is None:
            return names if len(names) == 1 or any(name in DIRECTIONS for name in names) else []
        return names if len(names) == len(objective_names(direction)) else []

    def may_set(self, key: str) -> bool:
        """Whether the sweeper may set a key in a run."""
        return key in self.config and (self.is_ours or self.sets_as_before)

    def _is_meant(self, key: str, value: Any) -> bool:
        return self.is_ours or (key in _IN_ANY_APP and _IN_ANY_APP[key](value))

    def _read(self, key: str) -> Any:
        with suppress(*(() if self.is_ours else (OmegaConfBaseException,))):  # its own to resolve
            value = OmegaConf.select(self.config, key)
            return OmegaConf.to_container(value) if OmegaConf.is_config(value) else value
        return None
