"""What was given counts, or is refused: no key may be accepted and then not used.

A key is used where our own code reads it, where the target of its group takes it, or where an
interpolation reads it. Those of our own conf/ may stay where somebody's own target lacks them.
"""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any, NamedTuple

from omegaconf import DictConfig, OmegaConf, open_dict, read_write
from omegaconf.errors import OmegaConfBaseException

from cnnsweep.config.instantiate import parameters_of
from cnnsweep.config.key_sources import Given, KeySources, hydra_of
from cnnsweep.config.nearest_key import suggestion
from cnnsweep.config.overrides import typed_lines
from cnnsweep.config.own_keys import (
    BESIDE_TARGET,
    GIVEN,
    GROUPS,
    has_target,
    options_with,
    own_leaves,
)
from cnnsweep.config.trackers import chosen
from cnnsweep.dotted_keys import is_below, leaves, look_up
from cnnsweep.errors import UserError

_SPECIAL = ("_target_", "_recursive_", "_args_", "_isolate_")
_SPECIAL_BELOW = (*_SPECIAL, "_convert_", "_partial_")
_SET = "<another value>"
_GLOBAL = "# @package _global_"


class _Unused(NamedTuple):
    """A key that nothing takes, why, and the keys beside it that something would take."""

    key: str
    reason: str
    beside: tuple[str, ...] = ()


def check_used(
    config: DictConfig,
    resolved: Mapping[str, Any],
    sources: KeySources,
    *,
    may_be_recorded: bool = False,
) -> None:
    """Refuse a run's config with a key that was given and is not used.

    ``config`` is what Hydra composed, ``resolved`` the run's part as plain values.
    ``may_be_recorded``: a ``++key`` of our own conf/ may be what ``resume`` found in a folder,
    whose keys all stay.

    Raises:
        UserError: names the key, where it was given, and the nearest one.
    """
    for key in _strange(resolved, sources):
        given = sources.given.get(key) or _above(key, config, sources)
        if may_be_recorded and _is_recorded(key, given):
            continue
        unused = _unused(key, resolved, sources)
        if unused is not None and not _is_read(config, key):
            raise UserError(_line(unused, given, resolved))


def _strange(resolved: Mapping[str, Any], sources: KeySources) -> Iterator[str]:
    """Keys that were not given by our conf/ alone, and are in the config."""
    everything = leaves(resolved)
    for key in sources.given:
        if key in everything:
            yield key
        elif isinstance(look_up(resolved, key), Mapping):  # an interpolation of a whole section
            yield from (found for found in everything if found.startswith(f"{key}."))
        elif any(key.startswith(f"{found}.") for found in everything):  # a place in a list
            yield key
    for key in everything:  # one of our own files, in another place
        if key.partition(".")[0] not in _TOP and key not in sources.given:
            yield key


def _above(key: str, config: DictConfig, sources: KeySources) -> Given:
    """Where the section that holds the key was given."""
    for above, place in sources.given.items():
        if is_below(key, [above]):
            return place
    lines = typed_lines(hydra_of(config))
    packages = [line for line in lines if "@" in line.partition("=")[0]]
    return Given(packages[0] if packages else "the config", is_file=not packages)


def _is_recorded(key: str, given: Given) -> bool:
    group = key.partition(".")[0]
    return not given.is_file and given.place.startswith("++") and group in GROUPS


def _unused(key: str, resolved: Mapping[str, Any], sources: KeySources) -> _Unused | None:
    """Why our code and the targets do not take a key; None where one does."""
    group, _, rest = key.partition(".")
    if group == "logger":
        return _unused_by_tracker(key, resolved["logger"])
    if group in GROUPS:
        is_option = key in sources.options.get(group, ()) and (
            f"{group}._target_" not in sources.given
        )
        place = sources.given.get(key)
        if sources.is_whole and place is not None and place.is_file:
            target = resolved[group].get("_target_")
            if options_with(key, target) or not has_target(group, target):
                return None
        known = BESIDE_TARGET.get(group, ()), GIVEN.get(group, ())
        return _unused_by_target(group, rest, resolved[group], *known, is_option=is_option)
    if any(is_below(key, [own]) for own in own_leaves()):
        return None
    return _Unused(key, "nothing reads it")


def _unused_by_tracker(key: str, node: Mapping[str, Any]) -> _Unused | None:
    rest = key.partition(".")[2]
    name, _, below = rest.partition(".")
    part = node.get(name)
    if isinstance(part, Mapping) and name in chosen(node):
        return _unused_by_target(f"logger.{name}", below, part, (), GIVEN["logger"])
    return _unused_by_target("logger", rest, node, (), GIVEN["logger"])


def _unused_by_target(
    place: str,
    rest: str,
    node: Mapping[str, Any],
    beside_target: tuple[str, ...],
    given: tuple[str, ...],
    *,
    is_option: bool = False,
) -> _Unused | None:
    """Whether ``place.rest`` reaches the target of ``node``, the section at ``place``."""
    key, (name, _, below) = f"{place}.{rest}", rest.partition(".")
    target = node.get("_target_")
    if name in _SPECIAL:
        return None
    if target is None:
        return _Unused(key, f"{place}._target_ is null and takes none{_other_options(key)}")
    if name in beside_target:
        return None
    if name in ("_convert_", "_partial_"):
        return _Unused(key, "a run decides it itself")
    accepted = parameters_of(place, str(target))
    if name in given and (accepted is None or name in accepted):
        return _Unused(key, f"a run gives {target} its {name} itself")
    if not is_option and accepted is not None and name not in accepted:
        allowed = sorted({*accepted, *beside_target} - {*given})
        return _Unused(key, f"{target} has no {name}", tuple(f"{place}.{one}" for one in allowed))
    return _unused_below(f"{place}.{name}", below, node.get(name))


def _other_options(key: str) -> str:
    group, options = key.partition(".")[0], options_with(key)
    return f" ({group}={', '.join(options)} has it)" if options else ""


def _unused_below(place: str, rest: str, value: Any) -> _Unused | None:
    """The same for a target that is the argument of another, at any depth."""
    if not rest:
        return None
    name, _, below = rest.partition(".")
    if isinstance(value, list) and name.isdigit() and int(name) < len(value):
        return _unused_below(f"{place}.{name}", below, value[int(name)])
    if not isinstance(value, Mapping):
        return None
    if isinstance(value.get("_target_"), str) and name not in _SPECIAL_BELOW:
        return _unused_by_target(place, rest, value, (), ())
    return _unused_below(f"{place}.{name}", below, value.get(name))


def _is_read(config: DictConfig, key: str) -> bool:
    """Whether an interpolation reads the key: what stands elsewhere changes with it, or breaks."""
    changed = deepcopy(config)
    with read_write(changed), open_dict(changed):
        OmegaConf.update(changed, key, _SET, merge=False, force_add=True)
    return any(
        _value(config, place) != _value(changed, place)
        for place in _interpolated(config, "")
        if not is_below(place, [key])
    )


def _interpolated(node: Any, place: str) -> Iterator[str]:
    """The places of a config, as OmegaConf.select takes them, that are interpolations."""
    names = list(node) if isinstance(node, DictConfig) else range(len(node))
    for name in names:
        below = f"{place}[{name}]" if place else str(name)
        if OmegaConf.is_interpolation(node, name):
            yield below
        elif not OmegaConf.is_missing(node, name) and OmegaConf.is_config(node[name]):
            yield from _interpolated(node[name], below)


def _value(config: DictConfig, place: str) -> Any:
    try:
        value = OmegaConf.select(config, place)
        plain = OmegaConf.to_container(value, resolve=True) if OmegaConf.is_config(value) else value
    except (OmegaConfBaseException, ValueError, TypeError, KeyError) as error:
        return type(error)
    return plain


def _line(unused: _Unused, given: Given, resolved: Mapping[str, Any]) -> str:
    key, top = unused.key, unused.key.partition(".")[0]
    if given.is_file and given.group and given.group.split("/")[0] == top and top not in GROUPS:
        return (
            f"{given}: its keys lie below {top!r}, where nothing reads them: the file's first line "
            f"must be '{_GLOBAL}'"
        )
    known = [*leaves(resolved), *own_leaves(), *unused.beside]
    candidates = [one for one in known if one != key and (one.partition(".")[0] in _TOP)]
    said = f"{given}: unknown key {key!r}: {unused.reason}.{suggestion(key, candidates)}"
    if unused.beside:
        where = unused.beside[0].rpartition(".")[0]
        names = ", ".join(one.rpartition(".")[2] for one in unused.beside)
        said += f" Allowed in {where}: {names}."
    elif top in GROUPS and given.is_file:
        said += f" '~{key}' leaves it out."
    return said


_TOP = {*GROUPS, *(key.partition(".")[0] for key in own_leaves())}
