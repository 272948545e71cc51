"""The key of a whole config that somebody may have meant."""

from collections.abc import Iterable
from difflib import get_close_matches


def nearest_key(given: str, allowed: Iterable[str]) -> str | None:
    """The dotted key of ``allowed`` that is nearest to ``given``, None where none is near.

    First one that differs by case, or by what stands before its last part (``lr`` is
    ``optim.lr``), then one spelt alike beside it, then one spelt alike anywhere.
    """
    keys = list(dict.fromkeys(allowed))
    typed = given.lower()
    parent, _, last = typed.rpartition(".")
    lasts = {key: key.lower().rpartition(".")[2] for key in keys}
    for key in keys:
        if key.lower() == typed:
            return key
    beside = [key for key in keys if key.lower().rpartition(".")[0] == parent]
    for found in (_close(last, {k: lasts[k] for k in beside}, 0.6), _same(last, lasts)):
        if found is not None:
            return found
    return _close(last, lasts, 0.75)


def suggestion(given: str, allowed: Iterable[str]) -> str:
    """`` Did you mean 'optim.lr'?``, or nothing."""
    near = nearest_key(given, allowed)
    return f" Did you mean {near!r}?" if near else ""


def _same(last: str, lasts: dict[str, str]) -> str | None:
    return next((key for key, name in lasts.items() if name == last), None)


def _close(word: str, names: dict[str, str], cutoff: float) -> str | None:
    near = get_close_matches(word, names.values(), n=1, cutoff=cutoff)
    return next((key for key, name in names.items() if near and name == near[0]), None)
