"""Conditions: a parameter may be drawn only where others have certain values.

In ``hydra.sweeper.params`` such a parameter is a mapping, ``{space: interval(0, 0.99), when:
{optim: [sgd, nesterov]}}``. Of several keys below ``when`` all must hold. A parameter whose
condition does not hold is not set in the run, and nothing that is conditional on it holds.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from omegaconf import OmegaConf

from cnnsweep.dotted_keys import leaves
from cnnsweep.errors import UserError, and_more
from cnnsweep.rules import SPACE, WHEN, as_typed
from cnnsweep.sweep.spec.space.former_entry import former_words
from cnnsweep.sweep.spec.space.values import typed_value, written

Condition = Mapping[str, tuple[Any, ...]]  # the values that each key may have
# The plan of a search asks these of every trial.
_OF_EVERY_TRIAL = ("epochs", "seed", "threads", "device", "objective", "test", "pictures")


def is_among(value: Any, values: Iterable[Any]) -> bool:
    """Whether a drawn or configured value is one of a condition's."""
    return written(typed_value(value)) in {written(typed_value(one)) for one in values}


def holds(condition: Condition, params: Mapping[str, Any]) -> bool:
    """Whether these parameters, of which none is inactive, fulfil a condition."""
    return all(key in params and is_among(params[key], ones) for key, ones in condition.items())


def in_words(condition: Condition) -> str:
    """``optim=sgd,nesterov and data.batch_size=32``."""
    return " and ".join(f"{k}={','.join(map(as_typed, ones))}" for k, ones in condition.items())


def _keys_below(key: str, entry: Mapping[str, Any]) -> str:
    """The parameters of a tree of keys, each as it is written; nothing where it is no such tree."""
    found = {f"{key}.{name}": space for name, space in leaves(entry).items()}
    spaces = list(found.values())
    if not all(isinstance(s, str) for s in spaces) or not any({*"(,"} & {*s} for s in spaces):
        return ""
    return and_more(f'{name}: "{space}"' for name, space in found.items())


def read_entry(key: str, entry: Mapping[str, Any]) -> tuple[str, dict[str, tuple[Any, ...]]]:
    """The text of a conditional parameter's space, and its condition.

    Raises:
        UserError: it has other keys than these two, or one of them is none.
    """
    plain: Any = (
        OmegaConf.to_container(entry, resolve=True) if OmegaConf.is_config(entry) else entry
    )
    place = f"hydra.sweeper.params: {key}: {as_typed(plain)}"
    if plain.keys() != {SPACE, WHEN}:
        words, below = former_words(plain), _keys_below(key, plain)
        if words is None and below and not {SPACE, WHEN} & plain.keys():
            raise UserError(f"{place} is a mapping; a key is one word with dots: write {below}")
        hint = f"allowed is one with the keys {SPACE} and {WHEN}, e.g. {example(key)}"
        raise UserError(
            f"{place} is a mapping; {hint if words is None else f'write {key}: {words}'}"
        )
    space, when = plain[SPACE], plain[WHEN]
    if not isinstance(space, str):
        raise UserError(f"{place}: {SPACE} is no text; allowed is e.g. {example(key)}")
    if not isinstance(when, Mapping) or not when:
        raise UserError(
            f"{place}: {WHEN} names no other parameter with its values; allowed is e.g. "
            f"{example(key)}"
        )
    if key.lstrip("+") in _OF_EVERY_TRIAL:
        raise UserError(
            f"{place}: {key} cannot be drawn for some trials only; allowed is {key}: {space}"
        )
    return space, {str(k).lstrip("+"): _values(place, str(k), ones) for k, ones in when.items()}


def _values(place: str, key: str, given: Any) -> tuple[Any, ...]:
    values = tuple(given) if isinstance(given, list) else (given,)
    if not values or any(isinstance(one, Mapping) for one in values):
        raise UserError(f"{place}: {WHEN}: {key} needs a value, or a list of values")
    return values


def example(key: str, space: str = "interval(0, 1)", condition: Condition | None = None) -> str:
    """An entry of a YAML's ``params``."""
    when = condition or {"optim": ("sgd", "nesterov")}
    listed = ", ".join(f"{k}: {_few(ones)}" for k, ones in when.items())
    return f'{key}: {{{SPACE}: "{space}", {WHEN}: {{{listed}}}}}'


def _few(values: tuple[Any, ...]) -> str:
    words = ", ".join(map(as_typed, values))
    return words if len(values) == 1 else f"[{words}]"


def in_order(names: Iterable[str], conditions: Mapping[str, Condition]) -> list[str]:
    """The names, each after those that its condition names.

    Raises:
        UserError: conditions go round in a circle.
    """
    listed = list(names)
    found: dict[str, None] = {}

    def put(name: str, path: tuple[str, ...]) -> None:
        if name in path:
            circle = [*path[path.index(name) :], name]
            raise UserError(
                f"hydra.sweeper.params: {WHEN} goes round in a circle: "
                f"{' depends on '.join(circle)}; a parameter comes after those it depends on"
            )
        for other in conditions.get(name, {}):
            if other in listed and other not in found:
                put(other, (*path, name))
        found[name] = None

    for name in listed:
        if name not in found:
            put(name, ())
    return list(found)


def needed(name: str, conditions: Mapping[str, Condition]) -> dict[str, tuple[Any, ...]]:
    """The values that a parameter needs of those it depends on, also by way of others.

    A key has none where no value fulfils all that is asked of it: the parameter is never drawn.
    """
    found: dict[str, tuple[Any, ...]] = {}
    for other, values in conditions.get(name, {}).items():
        for key, ones in {**needed(other, conditions), other: values}.items():
            before = found.get(key, ones)
            found[key] = tuple(one for one in before if is_among(one, ones))
    return found
