"""The search space, from ``hydra.sweeper.params`` and the command line."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Glob, Override
from hydra.errors import HydraException, OverrideParseException
from omegaconf import OmegaConf
from optuna.distributions import BaseDistribution, CategoricalDistribution

from cnnsweep.config import plain_yaml
from cnnsweep.config.composing.combinations import combinations
from cnnsweep.errors import UserError
from cnnsweep.rules import as_typed
from cnnsweep.sweep.spec.optuna_internals import distribution_of
from cnnsweep.sweep.spec.space.former_entry import in_words

_SPACES = (
    "allowed: interval(LOW, HIGH), tag(log, interval(LOW, HIGH)), int(interval(LOW, HIGH)), "
    "range(START, STOP, STEP), or values with commas between: A, B"
)
_IN_CHOICE = re.compile(r"choice\((.+)\)", re.DOTALL)


@dataclass(frozen=True)
class SearchSpace:
    """What is drawn for each trial, and the overrides that all trials share."""

    distributions: dict[str, BaseDistribution]
    fixed: tuple[str, ...]
    groups: tuple[str, ...] = ()  # those drawn, where an option lacks a fixed key
    lacking: Callable[[tuple[str, ...]], frozenset[str]] | None = None

    def overrides(self, params: Mapping[str, Any]) -> tuple[str, ...]:
        """All overrides of a trial with these parameters."""
        return self.fixed_with(params) + tuple(word_of(n, value) for n, value in params.items())

    def fixed_with(self, choices: Mapping[str, Any]) -> tuple[str, ...]:
        """The overrides that all trials share, without the keys that these options lack."""
        if self.lacking is None:
            return self.fixed
        words = tuple(word_of(name, choices[name]) for name in self.groups if name in choices)
        absent = self.lacking(words)
        return tuple(word for word in self.fixed if word.partition("=")[0] not in absent)

    def ends(self, name: str) -> tuple[Any, ...]:
        """A parameter's ends, or its choices."""
        return ends_of(self.distributions[name])

    def first_corner(self) -> dict[str, Any]:
        """The lower end or first choice of every parameter."""
        return {name: ends_of(d)[0] for name, d in self.distributions.items()}

    def corners(self, names: Iterable[str]) -> Iterator[dict[str, Any]]:
        """Combinations of these parameters' ends or choices.

        Where there are more than 256, each end and choice comes once beside the first of all
        others, after these.
        """
        yield from combinations({name: self.ends(name) for name in names})


def word_of(name: str, value: Any) -> str:
    """What the command line types for a drawn value."""
    return f"{name}={as_typed(value)}"


def read_space(
    params: Mapping[str, Any], arguments: list[str], loader: ConfigLoader | None
) -> SearchSpace:
    """The space of ``params`` and ``arguments``; of two entries for one key the later counts.

    ``loader`` knows the config groups that ``glob(*)`` stands for.

    Raises:
        UserError: an entry cannot be read or is an empty range.
    """
    lines = [_line_of(key, value) for key, value in params.items()] + arguments
    entries: dict[str, Override] = {}
    for override in OverridesParser.create(config_loader=loader).parse_overrides(lines):
        key = override.get_key_element().lstrip("+~")
        entries.pop(key, None)
        entries[key] = override
    drawn = {
        o.get_key_element(): _distribution(o) for o in entries.values() if o.is_sweep_override()
    }
    fixed = [str(o.input_line) for o in entries.values() if not o.is_sweep_override()]
    return SearchSpace(drawn, tuple(fixed))


def typed_value(drawn: Any) -> Any:
    """What a drawn value sets: the choice `null` is None, the choice `[1, 2]` a list.

    Optuna keeps such choices as the text that was typed.
    """
    return _read(drawn) if isinstance(drawn, str) else drawn


@lru_cache(maxsize=4096)
def _read(text: str) -> Any:
    try:
        return OverridesParser.create().parse_override(f"key={text}").value()
    except HydraException:  # text that was quoted
        return text


def _line_of(key: str, value: Any) -> str:
    """An entry of ``hydra.sweeper.params`` as the command line has it; one value stays fixed.

    Raises:
        UserError: it is a list or a mapping, or cannot be read.
    """
    line = f"{key}={value}"
    place = f"hydra.sweeper.params: {key}: {value}"
    try:
        (override,) = OverridesParser.create().parse_overrides([line])
    except OverrideParseException as error:
        if isinstance(value, Mapping) or str(value).startswith("{"):
            raise _of_a_mapping(key, value) from error
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
        raise _of_a_mapping(key, fixed)
    return line


def _of_a_mapping(key: str, value: Any) -> UserError:
    """The line for ``{type: float, low: …}`` and its like."""
    plain = plain_yaml(value) if isinstance(value, str) else value
    plain = OmegaConf.to_container(plain) if OmegaConf.is_config(plain) else plain
    words = in_words(plain) if isinstance(plain, Mapping) else None
    hint = _SPACES if words is None else f"write {key}: {words}"
    return UserError(f"hydra.sweeper.params: {key}: {value} is a mapping; {hint}")


def _distribution(override: Override) -> BaseDistribution:
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


def ends_of(distribution: BaseDistribution) -> tuple[Any, ...]:
    """A distribution's ends, or its choices."""
    if isinstance(distribution, CategoricalDistribution):
        return distribution.choices
    low, high = distribution.low, distribution.high  # type: ignore[attr-defined]
    return (low,) if low == high else (low, high)
