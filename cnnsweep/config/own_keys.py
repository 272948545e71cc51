"""The keys of a run that our own code reads, whatever the objects of its groups are."""

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from cnnsweep.config import CONF_DIR, plain_yaml
from cnnsweep.dotted_keys import leaves, look_up
from cnnsweep.errors import UserError

GROUPS = ("model", "optim", "scheduler", "loss", "augment", "data", "logger")
"""The sections that become objects."""

# Keys of the group `data` that say how its images are used, and not which they are.
DATA_KEYS = ("batch_size", "eval_batch_size", "val_fraction", "train_limit", "mean", "std")
BESIDE_TARGET: dict[str, tuple[str, ...]] = {
    "data": DATA_KEYS,
    "model": ("layout",),
    "scheduler": ("interval",),
}
"""Keys of a group that are not its target's."""

GIVEN: dict[str, tuple[str, ...]] = {
    "model": ("in_channels", "image_size", "num_classes"),
    "optim": ("params",),
    "scheduler": ("optimizer", "steps_per_epoch"),
    "logger": ("run", "folder"),
}
"""Parameters of a group's target that a run fills in, whatever the config says."""

_MAIN = "config"  # of conf/
_MADE = ("model", "optim", "loss", "data")  # the others may be nothing at all


_ANY = "any target"


@cache
def options_with(key: str, target: str | None = _ANY) -> tuple[str, ...]:
    """The options of a group in conf/ that have a dotted key: (adagrad, …) for ``optim.eps``.

    Only those with this target, where one is given.
    """
    group, _, rest = key.partition(".")
    absent = object()
    return tuple(
        name
        for name, node in _options(group).items()
        if look_up(node, rest, absent) is not absent and target in (_ANY, node["_target_"])
    )


def has_target(group: str, target: str | None) -> bool:
    """Whether an option of the group in conf/ has this target."""
    return any(node["_target_"] == target for node in _options(group).values())


@cache
def _options(group: str) -> dict[str, Any]:
    files = _files(group) if group != "logger" else []  # whose files are in packages of their own
    return {path.stem: plain_yaml(path.read_text(encoding="utf-8")) for path in files}


_NUMBER_OR_LIST: dict[str | None, tuple[str, ...]] = {
    "cnnsweep.models.simple.Simple": ("kernel_size", "stride"),
}


@cache
def default_kinds(group: str, target: str | None) -> dict[str, type]:
    """The keys of a group's options for a target that are numbers (float), true or false (bool), or
    numbers and lists of them alike (list).

    ``data.mean`` and ``data.std``, which have rules of their own, are none of them.
    """
    kinds: dict[str, type] = {}
    for node in _options(group).values():
        for key, value in leaves(node).items() if node.get("_target_") == target else ():
            if isinstance(value, bool):
                kinds[key] = bool
            elif isinstance(value, int | float) and key not in ("mean", "std"):
                kinds[key] = list if key in _NUMBER_OR_LIST.get(target, ()) else float
    return kinds


def chosen_by(group: str, option: str | None) -> dict[str, str]:
    """The options of other groups of a run that an option in our conf/ chooses."""
    path = CONF_DIR / group / f"{option}.yaml"
    if not path.is_file():
        return {}
    defaults = plain_yaml(path.read_text(encoding="utf-8")).get("defaults", [])
    pairs = [item.popitem() for item in defaults if isinstance(item, dict)]
    names = {key.removeprefix("override ").lstrip("/"): value for key, value in pairs}
    return {key: value for key, value in names.items() if key in GROUPS}


def _files(group: str) -> list[Path]:
    return sorted((CONF_DIR / group).glob("*.yaml")) if group in GROUPS else []


@cache
def own_leaves() -> dict[str, Any]:
    """The dotted keys of conf/config.yaml with their defaults; Hydra's part is left out."""
    whole = plain_yaml((CONF_DIR / f"{_MAIN}.yaml").read_text(encoding="utf-8"))
    return leaves({k: v for k, v in whole.items() if k not in ("defaults", "hydra")})


def is_ours(config: Mapping[str, Any]) -> bool:
    """Whether a config is that of our runs, and not another Hydra app's.

    One that lacks a key or two, ``~seed`` or a main config of somebody's own, still is. Another
    app's may have most of the names, and not our sections.
    """
    wanted = {key.split(".")[0] for key in own_leaves()} | set(GROUPS)
    sections = [group for group in GROUPS if group in config]
    has_sections = 2 * sum(isinstance(config[group], Mapping) for group in sections) > len(GROUPS)
    return has_sections and 2 * sum(key in config for key in wanted) > len(wanted)


def resume_of(config: Mapping[str, Any]) -> Any:
    """What a config resumes: the text ``latest`` or a folder; None for nothing.

    Another app's key may be named like ours: there only a text is taken for it.
    """
    resume = config.get("resume")
    return resume if isinstance(resume, str) or is_ours(config) else None


def check_complete(config: Mapping[str, Any]) -> None:
    """Refuse a resolved config without what our code reads.

    Raises:
        UserError: names the key.
    """
    for key in _missing(config):
        default = own_leaves().get(key)
        hint = "" if default is None else f" (conf/{_MAIN}.yaml: {default})"
        raise UserError(f"the config lacks {key!r}, which every run needs{hint}")
    for group in GROUPS:
        node = config[group]
        if not isinstance(node, Mapping):
            raise UserError(
                f"{group}={node} is no section of the config: a choice is typed {group}=NAME, a "
                f"key of it {group}.KEY=VALUE"
            )
        target = node.get("_target_")
        if not (isinstance(target, str) or (target is None and group not in _MADE)):
            raise UserError(f"{group}._target_={target}: allowed is the dotted name of a class")
        beside = BESIDE_TARGET.get(group, ()) if group != "model" and target is not None else ()
        if lacking := [key for key in beside if key not in node]:
            raise UserError(f"{group} lacks {', '.join(lacking)}: see the files in conf/{group}")


def _missing(config: Mapping[str, Any]) -> Iterator[str]:
    absent = object()
    yield from (group for group in GROUPS if group not in config)
    yield from (key for key in own_leaves() if look_up(config, key, absent) is absent)
