"""A part of the answer, which terminal, page, Markdown and LaTeX each write in their own way."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Block:
    """A heading, sentences, lines to type, a table and how to read it; all but the first optional.

    ``strong`` sentences are what a hurried reader should see; ``is_detail``: the page folds it, the
    terminal leaves it out. ``rows`` are text for reading, as many cells each as ``columns``.
    """

    title: str
    sentences: Sequence[str] = ()
    commands: Sequence[str] = ()
    columns: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
    caption: str = ""
    strong: bool = False
    is_detail: bool = False
