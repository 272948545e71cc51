"""Which Python targets a config may name: the one place where that is decided.

A config may come from somebody else; without a list, its ``_target_`` could call anything that is
installed. ``CNNSWEEP_ALLOW=my_pkg.*,other.Net`` in the environment adds to it.
"""

import os
from collections.abc import Iterator
from typing import Any

from cnnsweep.errors import UserError

OUR_TARGETS = (
    "cnnsweep.callback.*",
    "cnnsweep.hydra_callback.*",
    "cnnsweep.data.*",
    "cnnsweep.loggers.*",
    "cnnsweep.models.*",
    "cnnsweep.sweep.*",
    "cnnsweep.training.*",
    "torch.nn.*",
    "torch.optim.*",
    "torchvision.datasets.*",
    "torchvision.models.*",
    "kornia.augmentation.*",  # of one's own configs, where it is installed
    "optuna.pruners.*",
    "optuna.samplers.*",
    "hydra_plugins.*",
)
VARIABLE = "CNNSWEEP_ALLOW"


def allowed_targets() -> tuple[str, ...]:
    """Our own targets and those of the environment; ``a.b.*`` stands for all below ``a.b``."""
    typed = os.environ.get(VARIABLE, "").replace(",", " ").split()
    for pattern in typed:
        if "*" in pattern.removesuffix(".*") or pattern.startswith("."):
            raise UserError(
                f"{VARIABLE}={pattern!r} is not a target: allowed are a dotted name (my_pkg.MyNet) "
                "and all below a package (my_pkg.*)"
            )
    return OUR_TARGETS + tuple(typed)


def check_targets(config: Any, key: str = "") -> None:
    """Refuse a resolved config that names a ``_target_`` outside the list.

    Raises:
        UserError: names the key, the target and how to allow it.
    """
    for place, target in _targets(config, key):
        check_target(target, place)


def check_target(target: str, key: str) -> None:
    """The same for one target, which a key names."""
    if not any(
        target == pattern or (pattern.endswith(".*") and target.startswith(pattern[:-1]))
        for pattern in allowed_targets()
    ):
        package = target.split(".")[0]
        raise UserError(
            f"{key}={target} is not a target that a config may name. If you trust it, "
            f"allow it: {VARIABLE}='{package}.*'"
        )


def _targets(config: Any, key: str) -> Iterator[tuple[str, str]]:
    if isinstance(config, dict):
        for name, value in config.items():
            place = f"{key}.{name}" if key else str(name)
            if name == "_target_" and isinstance(value, str):
                yield place, value
            else:
                yield from _targets(value, place)
    elif isinstance(config, list):
        for index, value in enumerate(config):
            yield from _targets(value, f"{key}[{index}]")
