"""The keys that configs have, as they are composed of conf/."""

from collections.abc import Iterable, Iterator
from itertools import zip_longest

from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from cnnsweep.config import CONF_DIR
from cnnsweep.dotted_keys import is_below, leaves

# Logging and help are compared nowhere, other launchers' keys are their packages', and options of
# the last three only choose among others'.
_LEFT_OUT = (
    *("hydra/job_logging", "hydra/hydra_logging", "hydra/help", "hydra/launcher"),
    *("experiment", "search", "sweep"),
)
_GRID = "hydra/sweeper", "grid"  # whose jobs are compared one by one; it has no sampler or pruner


def options() -> dict[str, list[str]]:
    """The options of each config group in conf/."""
    found: dict[str, list[str]] = {}
    for path in sorted(CONF_DIR.rglob("*.yaml")):
        group = path.parent.relative_to(CONF_DIR).as_posix()
        if group != "." and group not in _LEFT_OUT and (group, path.stem) != _GRID:
            found.setdefault(group, []).append(path.stem)
    return found


def keys_by_option(groups: Iterable[str]) -> dict[str, set[str]]:
    """The dotted keys that each option of the groups brings; below "" those of no such group."""
    groups, found = list(groups), dict[str, set[str]]()
    for chosen in _rounds(groups):
        keys = _keys(["hydra/sweeper=optuna", *chosen])
        found[""] = {key for key in keys if not is_below(key, groups)}
        for option in chosen:
            group = option.partition("=")[0]
            inner = [other for other in groups if other.startswith(f"{group}/")]
            found[option] = {
                key for key in keys if is_below(key, [group]) and not is_below(key, inner)
            }
    return found


def _rounds(groups: list[str]) -> Iterator[list[str]]:
    """Each option once, one of each group at a time: composing takes a while."""
    known = options()
    columns = [[f"{group}={option}" for option in known[group]] for group in groups]
    for row in zip_longest(*columns):
        yield [option for option in row if option is not None]


def _keys(overrides: list[str]) -> set[str]:
    with initialize_config_dir(str(CONF_DIR)):
        config = compose("config", overrides, return_hydra_config=True)
    whole = OmegaConf.to_container(config, resolve=False)
    assert isinstance(whole, dict)
    job = {str(key): value for key, value in whole.items() if key != "hydra"}
    # A space is a user's.
    sweeper = {k: v for k, v in whole["hydra"]["sweeper"].items() if k not in ("params", "compare")}
    return {*leaves(job), *leaves(sweeper, "hydra.sweeper.")}
