"""Overrides of Hydra's command line: read by key, and written from plain values."""

from collections.abc import Iterable, Mapping
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, Quote, QuotedString
from omegaconf import OmegaConf

from cnnsweep.config.hydra_internals import escaped
from cnnsweep.rules import as_typed

Overrides = dict[str, Override]


def typed_lines(hydra: Any) -> list[str]:
    """All overrides of a composed config, ``hydra`` its own part; interpolations stay as typed."""
    plain: Any = OmegaConf.to_container(hydra.overrides, resolve=False)
    return [*plain["hydra"], *plain["task"]]


def by_key(lines: Iterable[str]) -> Overrides:
    """Overrides by key, without ``+`` or ``~``; of two for one key the later counts.

    Those that extend a list go by their whole line, so that each counts.
    """
    found: Overrides = {}
    for override in OverridesParser.create().parse_overrides(list(lines)):
        key = override.get_key_element().lstrip("+~")
        found[str(override.input_line) if override.is_list_extend() else key] = override
    return found


def as_text(value: Any) -> str:
    """A plain value as Hydra's command line reads it."""
    if isinstance(value, str):
        return QuotedString(value, Quote.single).with_quotes()
    if isinstance(value, Mapping):
        items = (f"{escaped(str(k))}:{as_text(v)}" for k, v in value.items())
        return f"{{{','.join(items)}}}"
    if isinstance(value, list | tuple):
        return f"[{','.join(map(as_text, value))}]"
    return as_typed(value)
