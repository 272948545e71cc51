"""The search space, from ``hydra.sweeper.params`` and the command line."""

from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any

from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from optuna.distributions import BaseDistribution, CategoricalDistribution, IntDistribution

from cnnsweep.config.composing.combinations import combinations, few_combinations, parsed
from cnnsweep.errors import UserError
from cnnsweep.rules import as_typed, conditional
from cnnsweep.sweep.spec.space.conditions import (
    Condition,
    holds,
    in_words,
    is_among,
    needed,
    read_entry,
)
from cnnsweep.sweep.spec.space.entries import distribution_in, line_of, nothing_to_draw
from cnnsweep.sweep.spec.space.values import allowed_of, drawn_for, typed_value, written


@dataclass(frozen=True)
class SearchSpace:
    """What is drawn for each trial, and the overrides that all trials share.

    A parameter with a condition is drawn only where the condition holds; it comes after those that
    its condition names.
    """

    distributions: dict[str, BaseDistribution]
    fixed: tuple[str, ...]
    groups: tuple[str, ...] = ()  # those drawn, where an option lacks a fixed key
    lacking: Callable[[tuple[str, ...]], frozenset[str]] | None = None
    conditions: Mapping[str, Condition] = field(default_factory=dict)

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

    def why_not(self, params: Mapping[str, Any]) -> str | None:
        """Why values of parameters are no point of the space, or no part of one; None: they are.

        They are compared as the command line reads them: 16 and "16" are the same. A parameter with
        a condition needs those beside it that its condition names.
        """
        for name, value in params.items():
            if name not in self.distributions:
                names = ", ".join(self.distributions)
                return f"{name} is no parameter of the space: allowed are {names}"
            if not drawn_for(self.distributions[name], typed_value(value)):
                allowed = allowed_of(self.distributions[name])
                return f"{name}={as_typed(value)} is not in the space: allowed are {allowed}"
        active = self.active(params)
        for name in params:
            if name not in active:
                return f"{name} is drawn only where {in_words(self.conditions[name])}"
        return None

    def drawn(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Values as they would be drawn, in the space's order; `why_not` has nothing on them."""
        parts = ((n, d) for n, d in self.distributions.items() if n in params)
        return {name: drawn_for(d, typed_value(params[name]))[0] for name, d in parts}

    def absent(self, params: Mapping[str, Any]) -> list[str]:
        """The parameters that a trial with these values would draw besides."""
        return [name for name in self.active(params) if name not in params]

    def said(self, name: str) -> str:
        """A parameter with its condition: ``optim.momentum (where optim=sgd,nesterov)``."""
        condition = self.conditions.get(name)
        return name if condition is None else f"{name} (where {in_words(condition)})"

    def is_active(self, name: str, params: Mapping[str, Any]) -> bool:
        """Whether a trial with these active parameters draws this one too."""
        return name not in self.conditions or holds(self.conditions[name], params)

    def active(self, params: Mapping[str, Any]) -> list[str]:
        """The names of all that a trial with these values draws, in the space's order.

        What ``params`` says of an inactive parameter does not count.
        """
        names, values = list[str](), dict[str, Any]()
        for name in self.distributions:
            if self.is_active(name, values):
                names.append(name)
                values |= {name: params[name]} if name in params else {}
        return names

    def deciders(self) -> list[str]:
        """The parameters that conditions name."""
        named = {key for condition in self.conditions.values() for key in condition}
        return [name for name in self.distributions if name in named]

    def without(self, names: Container[str]) -> "SearchSpace":
        """The space without these parameters, and without what is drawn only beside them."""
        kept: dict[str, BaseDistribution] = {}
        for name, distribution in self.distributions.items():
            beside = [key for key in self.conditions.get(name, {}) if key not in kept]
            if name not in names and not beside:
                kept[name] = distribution
        conditions = {name: one for name, one in self.conditions.items() if name in kept}
        return replace(self, distributions=kept, conditions=conditions)

    def ends(self, name: str) -> tuple[Any, ...]:
        """A parameter's ends and the values that conditions name, or its choices."""
        ends = list(ends_of(self.distributions[name]))
        for condition in self.conditions.values():
            ends += (one for one in condition.get(name, ()) if not is_among(one, ends))
        return tuple(ends)

    def first_corner(self, given: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The lower end or first choice of every active parameter, but for those ``given``.

        Those given are active, where they can be so together.
        """
        wanted: dict[str, Any] = {}
        for name in given or {}:
            for key, values in needed(name, self.conditions).items():
                wanted[key] = next(one for one in self.ends(key) if is_among(one, values))
        wanted |= given or {}
        return self._active_of({n: wanted.get(n, self.ends(n)[0]) for n in self.distributions})

    def corners(self, names: Iterable[str], *, few: bool = False) -> Iterator[dict[str, Any]]:
        """Combinations of these parameters' ends or choices, without those that are inactive.

        Where there are more than 256, each end and choice comes once beside the first of all
        others, after these; of ``few`` these alone. What conditions name is to be among the names.
        """
        values = {name: self.ends(name) for name in names}
        found = few_combinations(values) if few else combinations(values)
        if not self.conditions:
            yield from found
            return
        each = (self.first_corner({name: one}) for name, ones in values.items() for one in ones)
        seen = set[str]()
        for one in chain(found, each):
            corner = self._active_of({name: one[name] for name in values if name in one})
            if (said := written(corner)) not in seen:
                seen.add(said)
                yield corner

    def _active_of(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Those parameters that are active, in the space's order."""
        return {name: params[name] for name in self.active(params) if name in params}


def word_of(name: str, value: Any) -> str:
    """What the command line types for a drawn value."""
    return f"{name}={as_typed(value)}"


def text_of(distribution: BaseDistribution) -> str:
    """What the command line types for a space."""
    if isinstance(distribution, CategoricalDistribution):
        return ", ".join(map(as_typed, distribution.choices))
    low, high, step, log = (getattr(distribution, k) for k in ("low", "high", "step", "log"))
    is_whole = isinstance(distribution, IntDistribution)
    if step is not None and not (is_whole and step == 1):
        return f"range({low:.12g}, {high + step:.12g}, {step:.12g})"
    inside = f"interval({low:.12g}, {high:.12g})"
    inside = f"int({inside})" if is_whole else inside
    return f"tag(log, {inside})" if log else inside


def read_space(
    params: Mapping[str, Any], arguments: list[str], loader: ConfigLoader | None
) -> SearchSpace:
    """The space of ``params`` and ``arguments``; of two entries for one key the later counts.

    ``loader`` knows the config groups that ``glob(*)`` stands for. A space that is typed for a key
    keeps the condition that ``params`` has for it. Conditions are as they were given: see
    :func:`cnnsweep.sweep.spec.space.settle.settled`.

    Raises:
        UserError: an entry cannot be read or is an empty range.
    """
    conditions: dict[str, Condition] = {}
    lines = []
    for key, value in params.items():
        if (entry := conditional(value)) is not None:
            value, conditions[key.lstrip("+")] = read_entry(key, entry)
        lines.append(line_of(key, value))
        if key.lstrip("+") in conditions and not parsed(lines[-1]).is_sweep_override():
            raise UserError(nothing_to_draw(key, value))
    entries: dict[str, Override] = {}
    for override in OverridesParser.create(config_loader=loader).parse_overrides(lines + arguments):
        key = override.get_key_element().lstrip("+~")
        entries.pop(key, None)
        entries[key] = override
    drawn = {
        o.get_key_element(): distribution_in(o) for o in entries.values() if o.is_sweep_override()
    }
    fixed = [str(o.input_line) for o in entries.values() if not o.is_sweep_override()]
    kept = {name: conditions[key] for name in drawn if (key := name.lstrip("+")) in conditions}
    return SearchSpace(drawn, tuple(fixed), conditions=kept)


def ends_of(distribution: BaseDistribution) -> tuple[Any, ...]:
    """A distribution's ends, or its choices."""
    if isinstance(distribution, CategoricalDistribution):
        return distribution.choices
    low, high = distribution.low, distribution.high  # type: ignore[attr-defined]
    return (low,) if low == high else (low, high)
