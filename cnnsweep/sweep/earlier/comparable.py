"""Whether what an earlier trial reached says what a trial of this search would."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hydra.errors import HydraException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from cnnsweep.config.composing.combinations import plain_keys, set_key
from cnnsweep.config.own_keys import DATA_KEYS
from cnnsweep.dotted_keys import is_below, leaves, look_up
from cnnsweep.errors import one_line
from cnnsweep.folders.data_record import differences
from cnnsweep.folders.run_folder import differing_keys
from cnnsweep.folders.shared_files import read_data_files
from cnnsweep.rules import as_typed
from cnnsweep.sweep.earlier.runs import EarlierTrial
from cnnsweep.sweep.spec.compose import SweepContext
from cnnsweep.sweep.spec.plan import Plan
from cnnsweep.sweep.spec.space.search_space import word_of
from cnnsweep.task.changed_data import DataCheck

# Other values of these are other luck, rounding or output, and the same experiment.
_BESIDES = (
    "seed", "device", "threads", "deterministic", "compile", "graph", "test", "pictures",
    "test_time_augmentation",
)  # fmt: skip

_FEW = 3  # keys that are named


@dataclass
class Comparable:
    """Compares earlier trials with what a plan's trials of the same parameters would be."""

    context: SweepContext
    plan: Plan
    _bases: dict[str, DictConfig] = field(default_factory=dict)  # by options of drawn groups
    _data: dict[str, tuple[dict[str, Any], dict[str, str]]] = field(default_factory=dict)
    _check: DataCheck = field(default_factory=DataCheck)

    def __post_init__(self) -> None:
        loader = self.context.hydra_context.config_loader
        self._plain = plain_keys(self.plan.space.distributions, self.plan.config, loader)

    def why_not(self, trial: EarlierTrial, params: Mapping[str, Any]) -> str | None:
        """Why its value is not comparable, in few words; None: it is. ``params`` are its point."""
        objectives = list(self.plan.objectives)
        if trial.objectives != objectives:
            return f"objective={_listed(trial.objectives)}, not {_listed(objectives)}"
        if trial.direction != self.plan.directions:
            return f"direction {_listed(trial.direction)}, not {_listed(self.plan.directions)}"
        try:
            config = self._resolved(params)
        except (HydraException, OmegaConfBaseException) as error:
            return one_line(error)
        drawn = [name.lstrip("+").partition("@")[0] for name in self._plain & params.keys()]
        beside = [*_BESIDES, *drawn]
        differing = [k for k in differing_keys(trial.config, config) if not is_below(k, beside)]
        if differing:
            said = [_changed(key, trial.config, config) for key in differing[:_FEW]]
            more = [f"{len(differing) - _FEW} more keys"] if len(differing) > _FEW else []
            return ", ".join([*said, *more])
        return self._other_data(trial, config)

    def _resolved(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """The config of a trial with these parameters."""
        options = {n: v for n, v in params.items() if n not in self._plain}
        key = json.dumps([options, sorted(params)], sort_keys=True, default=str)
        if key not in self._bases:
            words = self.plan.overrides(params, test=False, pictures=False)
            self._bases[key] = self.context.compose(words, self.plan.subfolder or ".", 0)
        for name in self._plain & params.keys():
            set_key(self._bases[key], word_of(name, params[name]))
        return self.context.resolved(self._bases[key])

    def _other_data(self, trial: EarlierTrial, config: Mapping[str, Any]) -> str | None:
        before = trial.result.get("data")
        if not isinstance(before, dict):
            return "no record of its data"
        which = {k: v for k, v in leaves(config["data"]).items() if k not in DATA_KEYS}
        key = json.dumps(which, sort_keys=True, default=str)
        if key not in self._data:
            self._data[key] = self._check.present(config)
        now, files = self._data[key]
        files_before = {name: hash for name, _, hash in read_data_files(trial.run)}
        said = differences(before, now, files_before, files)
        return f"its data are others: {'; '.join(said)}" if said else None


def _changed(key: str, before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    old, new = (look_up(config, key, "not there") for config in (before, now))
    return f"{key} ({as_typed(old)} then, {as_typed(new)} now)"


def _listed(names: Any) -> str:
    return ", ".join(names) or "none"
