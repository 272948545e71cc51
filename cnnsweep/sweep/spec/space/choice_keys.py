"""Keys that only some of the options have that a search draws or compares.

What was typed once for all trials is left out of those whose choice lacks it. A key that is drawn
belongs to every trial of a study; of several that are compared each has its own.
"""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property

from hydra.core.override_parser.types import OverrideType

from cnnsweep.config.composing.base import Base, Words
from cnnsweep.config.composing.combinations import parsed, plain_keys
from cnnsweep.config.composing.left_out import left_out_lines
from cnnsweep.config.own_keys import GROUPS
from cnnsweep.errors import UserError
from cnnsweep.sweep.spec.compose import SweepContext
from cnnsweep.sweep.spec.settings import Settings
from cnnsweep.sweep.spec.space.conditions import example, in_words
from cnnsweep.sweep.spec.space.search_space import SearchSpace, read_space, text_of, word_of
from cnnsweep.sweep.spec.space.settle import settled_spaces


def spaces_of_choices(
    context: SweepContext, settings: Settings, typed: list[str]
) -> tuple[dict[str, SearchSpace], list[str]]:
    """A space for each word ``group=option`` of what is compared, or for "", and lines on them.

    Raises:
        UserError: several groups are compared, a space cannot be read, or as :func:`_fitted`.
    """
    compare = settings.compare or {}
    if len(compare) > 1:
        raise UserError(f"hydra.sweeper.compare={settings.compare} must name one config group")
    words = [f"{group}={option}" for group, options in compare.items() for option in options]
    if compare and not words:
        raise UserError(f"hydra.sweeper.compare={settings.compare} names no option to compare")
    loader, params = context.hydra_context.config_loader, settings.params or {}
    spaces = {
        word: read_space(params, [*typed, word] if word else typed, loader)
        for word in words or [""]
    }
    spaces, never = settled_spaces(spaces, context.config, loader)
    found, notes = _fitted(context, spaces, next(map(str, compare), None))
    return dict(zip(spaces, found, strict=True)), [*never, *notes]


def _fitted(
    context: SweepContext, spaces: Mapping[str, SearchSpace], compared: str | None
) -> tuple[list[SearchSpace], list[str]]:
    """Spaces without the keys that their choices lack, and lines that say so.

    ``spaces`` has one for each word ``group=option`` of the group that is ``compared``, or one.

    Raises:
        UserError: no choice has a key that was typed, or a drawn option lacks a drawn key.
    """
    if not context.is_our_task:
        return list(spaces.values()), []
    each = [_Choices(context, space, compared) for space in spaces.values()]
    lacking: dict[Words, frozenset[str]] = {}
    for word, one in zip(spaces, each, strict=True):
        before = (word,) if compared is not None else ()
        lacking |= {(*before, *words): keys for words, keys in one.all_lacking().items()}
    typed = {key: words for one in each for key, words in one.typed.items()}
    absent_everywhere = [key for key in typed if all(key in keys for keys in lacking.values())]
    for one in each:
        one.refuse(absent_everywhere)
    groups = [*([] if compared is None else [compared]), *each[0].groups]
    kept = {key: words for key, words in typed.items() if key not in absent_everywhere}
    lines = left_out_lines(kept, groups, lacking)
    return [one.fitted(kept) for one in each], lines


class _Choices:
    """The options that one search draws, and the keys that they may lack."""

    def __init__(self, context: SweepContext, space: SearchSpace, compared: str | None) -> None:
        self._context = context
        self._space = space
        self._compared = compared
        self._loader = context.hydra_context.config_loader
        fixed = {word.partition("=")[0]: word for word in space.fixed}
        names = [*space.distributions, *fixed]
        plain = plain_keys(names, context.config, self._loader)
        self.groups = [name for name in space.distributions if name not in plain]
        swept = [*self.groups, *([] if compared is None else [compared])]
        self._fixed = {k: w for k, w in fixed.items() if k in plain and _may_lack(w, swept)}
        first = {name: word_of(name, space.ends(name)[0]) for name in space.distributions}
        self._drawn = {k: w for k, w in first.items() if k in plain and _may_lack(w, swept)}
        self._bases: dict[Words, Base] = {}

    @property
    def typed(self) -> dict[str, Sequence[str]]:
        """The words of each key, as a line shows them; those of a drawn key are too long."""
        return {**{k: (w,) for k, w in self._fixed.items()}, **{k: (k,) for k in self._drawn}}

    def all_lacking(self) -> dict[Words, frozenset[str]]:
        """The keys that each combination of drawn options lacks, but for those not drawn there."""
        if not self._fixed and not self._drawn:
            return dict.fromkeys(self._active, frozenset())
        idle = {words: self._drawn.keys() - names for words, names in self._active.items()}
        return {words: self.lacking(words) - idle[words] for words in self._active}

    @cached_property
    def _active(self) -> dict[Words, set[str]]:
        """The combinations of drawn options, and the parameters that may be drawn beside each."""
        deciders = self._space.deciders()
        found: dict[Words, set[str]] = {}
        for corner in self._space.corners(dict.fromkeys([*self.groups, *deciders]), few=True):
            words = tuple(word_of(name, corner[name]) for name in self.groups if name in corner)
            found.setdefault(words, set()).update(self._space.active(corner))
        return found

    def lacking(self, choices: Words) -> frozenset[str]:
        """The keys that these options lack."""
        return frozenset(self._base(choices).lacking)

    def fitted(self, keys: Container[str]) -> SearchSpace:
        """The space, which leaves out those of ``keys`` that a trial's choices lack."""
        lacking = self.all_lacking()
        absent = {key for found in lacking.values() for key in found if key in keys}
        for key in sorted(absent & self._drawn.keys()):
            drawn = [words for words, names in self._active.items() if key in names]
            having = [words for words in drawn if key not in lacking[words]]
            if having or self._compared is None:
                self._refuse_drawn(key, [words for words in drawn if words not in having], having)
        if not absent:
            return self._space
        fitted = self._space.without(absent)
        return replace(fitted, groups=tuple(self.groups), lacking=self.lacking)

    def _refuse_drawn(self, key: str, without: list[Words], having: list[Words]) -> None:
        said = " ".join(without[0])
        if (condition := self._space.conditions.get(key)) is not None:
            raise UserError(
                f"{key} is drawn where {in_words(condition)}, and {said} has no such key: leave it "
                "out of the condition"
            )
        raise UserError(
            f"{key} is drawn for every trial, and {said}, which is drawn too, has no such key: "
            f"draw it under a condition{self._way(key, without, having)}, draw one of the two, or "
            "compare the options, each in a search of its own (search=compare)"
        )

    def _way(self, key: str, without: list[Words], having: list[Words]) -> str:
        """The entry that draws a key for the options that have it; "" where no group tells them."""
        for place, group in enumerate(self.groups):
            some, others = (dict.fromkeys(c[place] for c in found) for found in (having, without))
            if some and not some.keys() & others.keys():
                options = tuple(word.partition("=")[2] for word in some)
                space = text_of(self._space.distributions[key])
                return f" (in hydra.sweeper.params, {example(key, space, {group: options})})"
        return ""

    def refuse(self, keys: Iterable[str]) -> None:
        """Refuse keys that no choice has.

        Raises:
            UserError: names the key, and the nearest one.
        """
        first = next(iter(self._bases.values()), None)
        for key in keys:
            if first is not None and key in self._fixed:
                first.refuse(self._fixed[key])

    def _base(self, choices: Words) -> Base:
        if choices not in self._bases:
            others = [word for word in self._space.fixed if word not in self._fixed.values()]
            first = [*self._fixed.values(), *self._drawn.values()]
            self._bases[choices] = Base(
                self._loader, self._context.config, (*others, *choices), first
            )
        return self._bases[choices]


def _may_lack(word: str, swept: Sequence[str]) -> bool:
    """Whether a word sets a key that may depend on which options of the swept groups are chosen."""
    override = parsed(word)
    is_plain = override.type is OverrideType.CHANGE and not isinstance(override.value(), dict)
    section = override.key_or_group.partition(".")[0]
    return is_plain and any(group == section or group not in GROUPS for group in swept)
