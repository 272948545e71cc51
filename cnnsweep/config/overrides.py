"""Overrides of Hydra's command line: read by key, and written from plain values."""

from collections.abc import Iterable, Mapping
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, Quote, QuotedString
from omegaconf import ListConfig, OmegaConf

from cnnsweep.config.hydra_internals import escaped
from cnnsweep.rules import as_typed

Overrides = dict[str, Override]


def typed_lines(hydra: Any) -> list[str]:
    """All overrides of a composed config, ``hydra`` its own part, as they were typed."""
    return [*hydra_lines(hydra), *task_lines(hydra)]


def hydra_lines(hydra: Any) -> list[str]:
    """Those of Hydra's own keys."""
    return _lines(hydra.overrides.hydra)


def task_lines(hydra: Any) -> list[str]:
    """Those of a run's keys."""
    return _lines(hydra.overrides.task)


def _lines(overrides: ListConfig) -> list[str]:
    """As typed: an interpolation means something in its key's place, and may hold a secret."""
    plain: Any = OmegaConf.to_container(overrides, resolve=False)
    return [str(line) for line in plain]


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
