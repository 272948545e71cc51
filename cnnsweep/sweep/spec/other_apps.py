"""Our sweepers by names that any Hydra app finds, whatever its search path: no torch, no Optuna.

``override hydra/sweeper: cnnsweep`` in an app's defaults is a search, ``cnnsweep_grid`` a grid. The
files of conf/ are not on such an app's search path, so what they say goes into Hydra's store.
"""

from pathlib import Path
from typing import Any

from hydra.core.config_store import ConfigStore

from cnnsweep.config import CONF_DIR, plain_yaml

_SWEEPER = "hydra/sweeper"
# Hydra's own plugin has options of these names in the store, for its own sweeper.
_SAMPLERS = {"tpe": "cnnsweep_tpe", "qmc": "cnnsweep_qmc"}
_SWEEPERS = {"optuna": "cnnsweep", "grid": "cnnsweep_grid"}


def register_options() -> None:
    """Make sweepers, pruners and samplers of ours known to Hydra under names that are free."""
    folder = CONF_DIR / _SWEEPER
    for name, option in _SWEEPERS.items():
        _store(_SWEEPER, option, folder / f"{name}.yaml")
    for name, option in _SAMPLERS.items():
        _store(f"{_SWEEPER}/sampler", option, folder / "sampler" / f"{name}.yaml")
    for path in sorted((folder / "pruner").glob("*.yaml")):
        _store(f"{_SWEEPER}/pruner", path.stem, path)


def _store(group: str, name: str, path: Path) -> None:
    node: dict[str, Any] = plain_yaml(path.read_text(encoding="utf-8"))
    if "defaults" in node:
        node["defaults"] = [_with_our_sampler(line) for line in node["defaults"]]
    ConfigStore.instance().store(
        group=group, name=name, node=node, provider="cnnsweep", replace=True
    )


def _with_our_sampler(line: Any) -> Any:
    """A line of a defaults list; a choice among samplers by the name that is in the store."""
    if isinstance(line, dict) and "sampler" in line:
        return {"sampler": _SAMPLERS.get(line["sampler"], line["sampler"])}
    return line
