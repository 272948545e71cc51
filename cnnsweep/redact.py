"""Masks passwords in URLs, for files and lines of ours.

A password may hold any character: in doubt too much is masked.
"""

import io
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from urllib.parse import unquote

_MASK = "***"
_QUOTED = re.compile(
    r"((?:(?!://)[^'\"])*)(['\"])(.*)\2", re.DOTALL
)  # key='value', as Hydra has it
_LOGIN = re.compile(r"(://[^:/]*):(.*)@([^/:?&]*)", re.DOTALL)  # to the last @
_QUERY = re.compile(r"([?&](?:ssl)?password=)([^&]*)", re.IGNORECASE)
# Amid other words a password of which nothing is known ends at a space or a quote.
_LOGIN_IN_LINE = re.compile(r"(://[^\s:/'\"]*):[^\s'\"]*@")
_QUERY_IN_LINE = re.compile(r"([?&](?:ssl)?password=)[^\s&'\"]*", re.IGNORECASE)


def masked_word(word: str) -> str:
    """A URL, or an argument that holds one and nothing else, with its password replaced."""
    before, quote, url = _parts(word)
    url = _LOGIN.sub(rf"\1:{_MASK}@\3", url)
    return before + quote + _QUERY.sub(rf"\1{_MASK}", url) + quote


def is_masked(word: str) -> bool:
    """Whether a password in the word was replaced."""
    return f":{_MASK}@" in word or re.search(rf"password={re.escape(_MASK)}", word) is not None


def masked(line: str, *urls: str) -> str:
    """``line`` with the passwords of all URLs in it replaced: ``://user:***@host``.

    Those of ``urls``, of this command's arguments and of its environment are replaced wherever
    they stand, also those that broke a URL into pieces.
    """
    for word in (*urls, *sys.argv, *os.environ.values()):
        for trace in _traces(word):
            line = re.sub(trace, _MASK, line)
    return _QUERY_IN_LINE.sub(rf"\1{_MASK}", _LOGIN_IN_LINE.sub(rf"\1:{_MASK}@", line))


@contextmanager
def masked_output() -> Iterator[None]:
    """Hold back what is printed until the end, and print it masked."""
    held = io.StringIO()
    try:
        with redirect_stdout(held):
            yield
    finally:
        sys.stdout.write(masked(held.getvalue()))


def _parts(word: str) -> tuple[str, str, str]:
    """What comes before a value, its quote if it has one, and the value."""
    quoted = _QUOTED.fullmatch(word)
    return (quoted[1], quoted[2], quoted[3]) if quoted else ("", "", word)


def _traces(word: str) -> Iterator[str]:
    """Patterns of what a line may show of the passwords in a word."""
    if "://" not in word:
        return
    url = _parts(word)[2]
    found = [query[2] for query in _QUERY.finditer(url)]
    login = _LOGIN.search(url)
    if login is not None:
        found += [login[2], login[2].partition("@")[0]]
    for password in found:
        for form in _forms(password):
            text = r"\s+".join(map(re.escape, form.split()))  # a line has single spaces
            yield rf"(?<!\w){text}(?!\w)"
    if login is not None and login[3]:  # what stands before the host: the end of one with an @
        yield rf"[^\s'\"/*]+(?=@{re.escape(login[3])})"


def _forms(password: str) -> set[str]:
    """As typed, as Hydra and URLs mean it, and as Python shows each."""
    meant = re.sub(r"\\(['\"\\])", r"\1", password)
    forms = {password, meant, unquote(meant)}
    forms |= {form.replace("\\", r"\\") for form in forms}
    return {form for form in forms | {form.replace("'", r"\'") for form in forms} if form.strip()}
