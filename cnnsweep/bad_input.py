"""What a person typed and we cannot use: one line, a non-zero exit, nothing half-written."""

from collections.abc import Iterable
from difflib import get_close_matches


class BadInput(ValueError):
    """A value that cannot be used; one line says the thing, the value and what is allowed."""


def unknown(kind: str, given: str, allowed: Iterable[str]) -> BadInput:
    """An error for a name that is none of ``allowed``, with the nearest one suggested."""
    options = sorted(allowed)
    near = get_close_matches(given, options, n=1, cutoff=0.5)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return BadInput(f"unknown {kind} {given!r}.{hint} Allowed: {', '.join(options)}.")
