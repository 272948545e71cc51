"""Text from folders, made harmless where it is written. HTML is escaped by the page's template."""

import re
import unicodedata

_LATEX = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#",
    "_": r"\_", "%": r"\%", "^": r"\textasciicircum{}", "~": r"\textasciitilde{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", '"': r"\textquotedbl{}",
    "±": r"$\pm$", "–": "--", "−": "$-$",
}  # fmt: skip
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>#|&~!@$]|^[-+=]|(?<=www)\.|:(?=//))")
_RUNS_IN_A_SPREADSHEET = ("=", "+", "-", "@", "\t", "\r")
_HARMFUL = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}  # controls, bidi marks, halves of surrogates


def plain(text: str) -> str:
    """One line of text without control characters: they could steer a terminal or hide text."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if unicodedata.category(c) not in _HARMFUL else _shown(c) for c in text)


def _shown(character: str) -> str:
    return " " if character in "\n\t\r" else "\N{REPLACEMENT CHARACTER}"


def latex(text: str) -> str:
    """Text for a LaTeX document."""
    return "".join(_LATEX.get(character, character) for character in plain(text))


def markdown(text: str) -> str:
    """Text within a Markdown line or table cell: no markup, links, mentions or HTML."""
    return _MARKDOWN.sub(r"\\\1", plain(text))


def spreadsheet(value: object) -> object:
    """A CSV cell: numbers stay numbers, text that a spreadsheet would run gets an apostrophe."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return value
    text = str(value)
    dangerous = text.startswith(_RUNS_IN_A_SPREADSHEET)
    return f"'{plain(text)}" if dangerous else plain(text)
