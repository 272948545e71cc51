"""Errors that are shown as one line, and the line for any error."""

import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from unicodedata import category

from cnnsweep.redact import masked

# torch's, told by its name: whoever words errors need not import torch.
_OUT_OF_MEMORY = ("torch", "OutOfMemoryError")
_LESS_MEMORY = (
    "the device's memory is full; a smaller data.batch_size needs less to train, a smaller "
    "data.eval_batch_size less to evaluate, and in a sweep fewer trials at once on a GPU "
    "(hydra.sweeper.n_jobs, hydra.sweeper.stack) leave more for each"
)
_COLOUR = re.compile(r"\x1b\[[\d;]*m")
_LONGEST = 400  # characters
_UNPRINTABLE = ("Cc", "Cs", "Zl", "Zp")  # Unicode's categories


class UserError(ValueError):
    """A value that cannot be used; one line says the thing, the value and what is allowed."""


class StoppedEarly(UserError):
    """A sweep ended before its work was done; the same command resumes it."""


class OverInVain(StoppedEarly):
    """A sweep ended, and the same command would do nothing more; the line says what would."""


class JobsFailed(StoppedEarly):
    """A grid has tried all its jobs, and some failed; the same command tries those again."""


def unknown(kind: str, given: str, allowed: Iterable[str]) -> UserError:
    """An error for a name that is none of ``allowed``, with the nearest one suggested."""
    options = sorted(allowed)
    same = [option for option in options if option.lower() == given.lower()]
    near = same or get_close_matches(given.lower(), options, n=1, cutoff=0.5)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return UserError(f"unknown {kind} {given!r}.{hint} Allowed: {', '.join(options)}.")


def causes(error: BaseException) -> Iterator[BaseException]:
    """The error itself, then what it was raised from, back to the first."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__


def on_one_line(text: object) -> str:
    """A text or an error's message with one space for all white space between two words."""
    return " ".join(str(text).split())


def and_more(items: Iterable[str], most: int = 5, *, between: str = ", ") -> str:
    """The first of several names, and how many more there are."""
    listed = list(items)
    more = len(listed) - most
    return between.join(listed[:most]) + (f" and {more} more" if more > 0 else "")


def printable(text: str) -> str:
    """A text that fits any line of UTF-8: control characters and what is no character escaped.

    File names may hold both; bytes that are no UTF-8 are `\\udc80` to `\\udcff` here.
    """
    return "".join(
        char.encode("unicode_escape").decode() if category(char) in _UNPRINTABLE else char
        for char in text
    )


def one_line(error: BaseException) -> str:
    """An error's message on one line, without passwords; its type first where that is needed.

    Where a device's memory was not enough, what to change stands before it. Of a message that
    others wrote colours are left out, and what is beyond some lines of a terminal: logs have it.
    """
    message = masked(on_one_line(error))
    if (type(error).__module__, type(error).__name__) == _OUT_OF_MEMORY:
        return f"{_LESS_MEMORY}: {message}"
    if type(error).__module__.startswith("cnnsweep"):
        return message
    name, plain = type(error).__name__, _COLOUR.sub("", message)
    short = plain if len(plain) <= _LONGEST else f"{plain[:_LONGEST].rstrip()} …"
    return f"{name}: {short}" if short else name
