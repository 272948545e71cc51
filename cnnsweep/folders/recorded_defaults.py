"""What older code did where its records lack a key, and present names of what has moved.

Whoever adds a key to conf/ adds a line to ``DEFAULTS``; whoever renames a ``_target_`` adds one
to ``RENAMED``. With them a folder of older code counts as the same config, and can be resumed.
Whoever changes what an option of a config group means adds one to ``CHANGED``.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from cnnsweep.dotted_keys import leaves


class OldDefault(NamedTuple):
    """The value with which a key does what the code before it did, and where the key came from.

    ``since`` is the first version, or commit, whose records have the key.
    """

    value: Any
    since: str


DEFAULTS: dict[str, OldDefault] = {
    "loss.weight": OldDefault(None, since="what follows 05ff77a"),
    "model.stride": OldDefault(1, since="what follows ff28f4e"),
    "test_time_augmentation": OldDefault(None, since="what follows ff28f4e"),
    "from": OldDefault(None, since="what follows 7aedf0e"),
    "graph": OldDefault(False, since="what follows 0c551c2"),
    "hydra.sweeper.keep_best": OldDefault(None, since="what follows 7aedf0e"),
    "hydra.sweeper.keep_paused": OldDefault(True, since="what follows 9c3d8ab"),
    "hydra.sweeper.searches": OldDefault(1, since="what follows c1e9520"),
    "hydra.sweeper.default_first": OldDefault(True, since="what follows c1e9520"),
    "hydra.sweeper.points": OldDefault(None, since="what follows 87c300e"),
    "hydra.sweeper.warm_start": OldDefault(None, since="what follows 87c300e"),
    "hydra.sweeper.metric": OldDefault(None, since="what follows 87c300e"),
    "hydra.sweeper.checkpoint": OldDefault(None, since="what follows 87c300e"),
    "hydra.sweeper.stack": OldDefault(1, since="what follows 2580e36"),
}
"""By dotted key, ``hydra.sweeper.<key>`` included."""

RENAMED: dict[str, str] = {
    "cnnsweep.callback.Folders": "cnnsweep.hydra_callback.Folders",
    "cnnsweep.sweep.points.NumberedPoints": "cnnsweep.sweep.spec.samplers.NumberedPoints",
}
"""Recorded ``_target_`` to present one."""


class ChangedOption(NamedTuple):
    """An option of a config group that meant something else before records had the key ``since``.

    A run's record has the values themselves; a sweep's, where it chooses among options, their names
    only. ``meant`` says in words what the name stood for.
    """

    group: str
    option: str
    since: str
    meant: str


CHANGED = (ChangedOption("model", "lenet", "loss.weight", "the LeNet of 1998, with sigmoids"),)


def completed(
    recorded: Mapping[str, Any], present: Mapping[str, Any], place: str = ""
) -> dict[str, Any]:
    """A recorded config as the present code would have recorded it, by dotted key.

    A key that only ``present`` has gets its value in ``DEFAULTS``; one without a line there stays
    missing. ``place`` is where both configs stand in the whole one (``hydra.sweeper.sampler``).
    """
    before = leaves(_renamed(recorded))
    prefix = f"{place}." if place else ""
    for key in leaves(present):
        line = DEFAULTS.get(prefix + key)
        if key not in before and line is not None:
            before[key] = line.value
            for parent in _parents(key):
                if before.get(parent) == {}:  # an empty group that has a key by now
                    del before[parent]
    return before


def with_old_defaults(config: Mapping[str, Any]) -> dict[str, Any]:
    """A config by dotted key, without empty sections, with ``DEFAULTS`` for the keys it lacks."""
    found = {key: value for key, value in leaves(_renamed(config)).items() if value != {}}
    return {key: line.value for key, line in DEFAULTS.items()} | found


def _renamed(node: Any) -> Any:
    if isinstance(node, Mapping):
        return {
            key: RENAMED.get(value, value)
            if key == "_target_" and isinstance(value, str)
            else _renamed(value)
            for key, value in node.items()
        }
    return [_renamed(item) for item in node] if isinstance(node, list) else node


def _parents(key: str) -> Iterator[str]:
    while "." in key:
        key = key.rpartition(".")[0]
        yield key
