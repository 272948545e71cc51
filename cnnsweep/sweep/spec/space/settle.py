"""What conditions come to in one search: which hold always, which never, and which are drawn."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from hydra.core.config_loader import ConfigLoader
from omegaconf import DictConfig
from optuna.distributions import BaseDistribution

from cnnsweep.config.nearest_key import suggestion
from cnnsweep.dotted_keys import is_below
from cnnsweep.errors import UserError
from cnnsweep.rules import WHEN, as_typed
from cnnsweep.sweep.spec.space.conditions import (
    Condition,
    in_order,
    in_words,
    is_among,
    needed,
)
from cnnsweep.sweep.spec.space.fixed_keys import FixedKeys
from cnnsweep.sweep.spec.space.search_space import SearchSpace
from cnnsweep.sweep.spec.space.values import allowed_of, drawn_for, typed_value


def settled_spaces(
    spaces: Mapping[str, SearchSpace], sweep: DictConfig, loader: ConfigLoader
) -> tuple[dict[str, SearchSpace], list[str]]:
    """The spaces of what is compared, by word, with conditions settled; and lines on them.

    ``sweep`` is the sweep's own config. Raises UserError as :func:`settled` does.
    """
    found: dict[str, SearchSpace] = {}
    never: dict[str, dict[str, str]] = {}
    for word, space in spaces.items():
        found[word], undrawn = settled(space, FixedKeys(space.fixed, sweep, loader))
        for name, why in undrawn.items():
            never.setdefault(name, {})[word] = why
    return found, [_not_drawn(name, whys, list(spaces)) for name, whys in never.items()]


def _not_drawn(name: str, whys: Mapping[str, str], words: list[str]) -> str:
    drawn = [word for word in words if word not in whys]
    if drawn:
        return f"{name} is drawn for {', '.join(drawn)}, and not for {', '.join(whys)}"
    return f"{name} is not drawn: {next(iter(whys.values()))}"


def settled(space: SearchSpace, fixed: FixedKeys) -> tuple[SearchSpace, dict[str, str]]:
    """The space with conditions on drawn parameters alone, in the order in which it is drawn.

    Beside it, by name, why a parameter is not drawn here: its condition never holds with what all
    trials share.

    Raises:
        UserError: a condition names what is not there, can never hold, or depends on itself.
    """
    if not space.conditions:
        return space, {}
    named = {name.lstrip("+"): name for name in space.distributions}
    conditions = {
        name: {named.get(key, key): values for key, values in condition.items()}
        for name, condition in space.conditions.items()
    }
    order = in_order(space.distributions, conditions)
    kept: dict[str, Condition] = {}
    never: dict[str, str] = {}
    for name in order:
        condition, why = _settled(name, conditions.get(name, {}), space, fixed, never)
        if why:
            never[name] = why
        elif condition:
            kept[name] = condition
            _refuse_never(name, kept)
    drawn = {name: space.distributions[name] for name in order if name not in never}
    return replace(space, distributions=drawn, conditions=kept), never


def _settled(
    name: str, given: Condition, space: SearchSpace, fixed: FixedKeys, never: Mapping[str, str]
) -> tuple[dict[str, tuple[Any, ...]], str]:
    """A condition without what holds always; and why it never does, "" where it may."""
    condition: dict[str, tuple[Any, ...]] = {}
    why = ""
    for key, values in given.items():
        place = f"hydra.sweeper.params: {name}: {WHEN}: {key}"
        if key in space.distributions:
            condition[key] = _possible(place, space.distributions[key], values, fixed.options(key))
            why = why or (f"{key} is not drawn" if key in never else "")
            continue
        _refuse_what_follows(place, key, space)
        found = fixed.values(key)
        if not found:
            near = suggestion(key, [*space.distributions, *fixed.names()])
            raise UserError(
                f"{place} is neither drawn nor a key with a value.{near} Drawn are "
                f"{', '.join(space.distributions)}"
            )
        _refuse_unknown_options(place, values, fixed.options(key))
        if not is_among(found[0], values):
            here = in_words({key: (found[0],)})
            why = why or f"its condition is {in_words({key: values})}, and here it is {here}"
    return condition, why


def _possible(
    place: str, distribution: BaseDistribution, values: Iterable[Any], options: list[str]
) -> tuple[Any, ...]:
    """A condition's values as they are drawn; options that this search does not draw are left out.

    Raises:
        UserError: a value is never drawn, or the parameter is drawn from too many for conditions.
    """
    if not _has_steps(distribution):
        raise UserError(
            f"{place} is drawn from a range; a condition is on one of several values: a choice, an "
            "option of a group, true or false, a range(START, STOP, STEP)"
        )
    found = []
    for value in values:
        drawn = drawn_for(distribution, typed_value(value))
        if not drawn and value not in options:
            raise UserError(
                f"{place}: {as_typed(value)} is never drawn; allowed: {allowed_of(distribution)}"
            )
        found += drawn
    if not found:
        said = ", ".join(map(as_typed, values))
        raise UserError(
            f"{place}: {said} can never be; drawn are {allowed_of(distribution)}{_way(place)}"
        )
    return tuple(found)


def _has_steps(distribution: BaseDistribution) -> bool:
    return getattr(distribution, "step", 1) is not None


def _refuse_what_follows(place: str, key: str, space: SearchSpace) -> None:
    """Raise UserError where a key has the value of an option that is drawn."""
    group = next((name for name in space.distributions if is_below(key, [name])), None)
    if group is not None and key not in (word.partition("=")[0] for word in space.fixed):
        raise UserError(
            f"{place} depends on {group}, which is drawn; allowed is a condition on {group}, or to "
            f"draw {key} too"
        )


def _refuse_unknown_options(place: str, values: Iterable[Any], options: list[str]) -> None:
    for value in values:
        if options and value not in options:
            raise UserError(
                f"{place}: {as_typed(value)} is no option of it; allowed: {', '.join(options)}"
            )


def _refuse_never(name: str, conditions: Mapping[str, Condition]) -> None:
    """Raise UserError where what a parameter depends on, also by way of others, cannot be so."""
    for key, values in needed(name, conditions).items():
        if not values:
            through = ", ".join(
                f"{other} when {in_words(conditions[other])}"
                for other in (*conditions[name], name)
                if other in conditions
            )
            raise UserError(
                f"hydra.sweeper.params: {name}: {WHEN} can never hold: {key} would have to be two "
                f"things at once ({through}){_way(f': {name}: ')}"
            )


def _way(place: str) -> str:
    name = place.split(": ")[1]
    escaped = name.replace(".", "\\.")
    return f"; to leave it out of the space: '~hydra.sweeper.params.{escaped}'"
