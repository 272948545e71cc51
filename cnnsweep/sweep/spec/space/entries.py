"""One entry of ``hydra.sweeper.params`` or the command line, and what it spans."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Glob, Override
from hydra.errors import OverrideParseException
from optuna.distributions import BaseDistribution, CategoricalDistribution

from cnnsweep.errors import UserError
from cnnsweep.rules import as_typed
from cnnsweep.sweep.spec.optuna_internals import distribution_of

_SPACES = (
    "allowed: interval(LOW, HIGH), tag(log, interval(LOW, HIGH)), int(interval(LOW, HIGH)), "
    "range(START, STOP, STEP), or values with commas between: A, B"
)
_IN_CHOICE = re.compile(r"choice\((.+)\)", re.DOTALL)


def line_of(key: str, value: Any) -> str:
    """An entry of ``hydra.sweeper.params`` as the command line has it; one value stays fixed.

    Raises:
        UserError: it is a list or a mapping, or cannot be read.
    """
    if not isinstance(value, str) and isinstance(value, Sequence) and any(map(_is_mapping, value)):
        raise UserError(
            f"hydra.sweeper.params: {key} has a list of entries, and a parameter has one space; "
            "where it is to differ between options compare them, each in a search of its own "
            "(search=compare)"
        )
    line = f"{key}={'null' if value is None else value}"
    place = f"hydra.sweeper.params: {key}: {value}"
    try:
        (override,) = OverridesParser.create().parse_overrides([line])
    except OverrideParseException as error:
        if isinstance(value, Mapping) or str(value).startswith("{"):
            raise UserError(f"{place} is a mapping; {_SPACES}") from error
        listed = _IN_CHOICE.fullmatch(str(value))
        hint = f"write {key}: {listed[1]}" if listed else _SPACES
        raise UserError(f"{place} cannot be read; {hint}") from error
    fixed: Any = override.value()
    if not override.is_sweep_override() and isinstance(fixed, list):
        choices = ", ".join(map(as_typed, fixed))
        raise UserError(
            f"{place} is one value, a list; to choose among its parts write {key}: {choices}"
        )
    if not override.is_sweep_override() and isinstance(fixed, Mapping):
        raise UserError(f"{place} is a mapping; {_SPACES}")
    return line


def _is_mapping(value: Any) -> bool:
    return isinstance(value, Mapping)


def nothing_to_draw(key: str, value: Any) -> str:
    return (
        f"hydra.sweeper.params: {key}: space: {value} is one value, and there is nothing to draw; "
        f"allowed is choice({value}), or {_SPACES.removeprefix('allowed: ')}"
    )


def distribution_in(override: Override) -> BaseDistribution:
    if isinstance(override.value(), Glob):
        return CategoricalDistribution(list(override.sweep_string_iterator()))
    try:
        distribution = distribution_of(override)
    except (ValueError, NotImplementedError) as error:
        raise UserError(f"{override.input_line} is no search space: {error}") from error
    if isinstance(distribution, CategoricalDistribution):
        _refuse_flags_among_numbers(override, distribution)
    return distribution


def _refuse_flags_among_numbers(override: Override, distribution: CategoricalDistribution) -> None:
    """Of 1 and true Optuna draws the first alone, since Python takes them for equal."""
    flags = [c for c in distribution.choices if isinstance(c, bool)]
    numbers = [c for c in distribution.choices if not isinstance(c, bool)]
    both = next((flag for flag in flags if flag in numbers), None)
    if both is not None:
        raise UserError(
            f"{override.input_line}: Optuna cannot tell {as_typed(both)} from {int(both)}; allowed "
            "is one of them"
        )
