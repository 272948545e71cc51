"""The words of the command line before Hydra reads them, and those that it cannot read."""

import os
import re
import shlex
from collections.abc import Sequence
from difflib import get_close_matches

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Quote, QuotedString
from hydra.errors import HydraException
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from cnnsweep.config.hydra_internals import command_line_parser, option_names
from cnnsweep.config.overrides import as_text
from cnnsweep.config.own_keys import GROUPS, own_leaves
from cnnsweep.errors import UserError, on_one_line
from cnnsweep.rules import with_home

_FOLDERS = ("--config-dir", "-cd", "--config-path", "-cp", "--experimental-rerun")
_MAY_BE_NONE = ("search", "experiment")
_WORD = re.compile(r"([^=]+=)(.*)", re.DOTALL)
_PIECE = re.compile(r"'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"|[^'\"]+|['\"]", re.DOTALL)
# A path that begins a value, or an element of a list, a choice or a mapping, without quotes.
_BARE = re.compile(
    r"(^|[,\[(=]\s*|(?<=\{)|[{,][^,:{}]*:\s*)"
    r"((?:sqlite(?:\+\w+)?:///|file:(?://)?)?~[\w.-]*(?:/[^,\[\](){}]*)?)(?=$|[,\])}])"
)
_FREE = re.compile(r"\\*\$\{")  # an interpolation, or what looks like one


def with_homes(words: Sequence[str]) -> list[str]:
    """The words with ``~`` replaced wherever a path begins with it.

    Shells leave it in the middle of a word and inside quotes, and Hydra cannot read it without
    quotes.
    """
    found: list[str] = []
    for word in words:
        if found and found[-1] in _FOLDERS:
            found.append(with_home(word))
        elif word.startswith("-"):
            flag, equals, value = word.partition("=")
            found.append(f"{flag}{equals}{with_home(value)}")
        elif (parts := _WORD.fullmatch(word)) is not None and "~" in parts[2]:
            found.append(parts[1] + _value_with_homes(parts[2]))
        else:
            found.append(word)
    return found


def _value_with_homes(value: str) -> str:
    pieces = _PIECE.findall(value)
    for index, piece in enumerate(pieces):
        if piece[0] in "'\"" and len(piece) > 1:
            meant = re.sub(r"\\(.)", r"\1", piece[1:-1])
            if with_home(meant) != meant:
                pieces[index] = as_text(with_home(meant))
        else:
            pieces[index] = _BARE.sub(lambda m: m[1] + _home(m[2]), piece)
    return "".join(pieces)


def _home(text: str) -> str:
    expanded = with_home(text)
    return text if expanded == text else as_text(expanded)


def options_first(words: Sequence[str]) -> list[str]:
    """The words with Hydra's options before all others, since argparse reads no others after them.

    ``--config-dir mine`` may so stand amid overrides.
    """
    options, others = options_and_others(words)
    return [*options, *others]


def options_and_others(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Hydra's options with their values, and all other words."""
    with_value = option_names(command_line_parser(), with_value=True)
    options: list[str] = []
    others: list[str] = []
    for before, word in zip(["", *words], words, strict=False):
        is_value = before in with_value
        (options if is_value or word.startswith("-") else others).append(word)
    return options, others


def check_flags(words: Sequence[str]) -> None:
    """Refuse an option that Hydra's command line does not have.

    Raises:
        UserError: in one line, where argparse would print its usage.
    """
    parser = command_line_parser()
    options = option_names(parser)

    def refuse(message: str) -> None:
        wrong = message.partition("unrecognized arguments: ")[2].split(" ")[0]
        name, _, value = wrong.lstrip("-").partition("=")
        near = get_close_matches(wrong, options, n=1, cutoff=0.5)
        hint = f". Did you mean {near[0]}?" if near else ""
        if name.split(".")[0] in {*GROUPS, *(key.split(".")[0] for key in own_leaves())}:
            after = words[words.index(wrong) + 1 :] if wrong in words else []
            value = value or next((one for one in after[:1] if "=" not in one), "…")
            hint = f": a key of the config is typed without dashes, {name}={value}"
        raise UserError(f"{on_one_line(message)}{hint}")

    parser.error = refuse  # type: ignore[method-assign, assignment]
    parser.parse_args(list(words))


def check_options(words: Sequence[str]) -> None:
    """Refuse what is no name for an option of a group; Hydra's own error names neither.

    Raises:
        UserError: names the word and what is allowed.
    """
    for word in words:
        key = word.partition("=")[0].lstrip("+").partition("@")[0]
        if key not in (*GROUPS, *_MAY_BE_NONE) and not key.startswith("hydra/"):
            continue
        try:
            (override,) = OverridesParser.create().parse_overrides([word])
        except HydraException:
            continue  # Hydra says why
        if override.is_delete() or override.is_sweep_override():
            continue
        value = override.value()
        if value is None or isinstance(value, int | float):
            none = "; for none leave it out" if key in _MAY_BE_NONE else ""
            raise UserError(
                f"{word!r}: allowed is the name of an option; --help lists those of {key}{none}"
            )


def corrected(word: str) -> str | None:
    """The word as a shell must be given it, so that its value arrives as the text that it shows.

    None where not the value, but the key is what cannot be read.
    """
    parts = re.fullmatch(r"(\+{0,2}[^=\s]+)=(.*)", word, re.DOTALL)
    if parts is None:
        return None
    key, value = parts.groups()
    free = _FREE.sub(lambda m: "\\" * (2 * m[0].count("\\") + 1) + "${", value)
    for text in (value, free):
        quoted = f"{key}={QuotedString(text, Quote.double).with_quotes()}"
        if _reads_as(quoted, value):
            return for_shell(quoted)
    return None


def _reads_as(word: str, value: str) -> bool:
    try:
        (override,) = OverridesParser.create().parse_overrides([word])
        config = OmegaConf.create({"key": override.value()})
        return bool(config.key == value)
    except (HydraException, OmegaConfBaseException):
        return False


def for_shell(word: str) -> str:
    """A word in quotes for bash and zsh, on one line whatever it holds."""
    if word.isprintable():
        return shlex.quote(word)
    shown = "".join(f"\\{c}" if c in "\\'" else c if c.isprintable() else _bytes(c) for c in word)
    return f"$'{shown}'"


def _bytes(character: str) -> str:
    return "".join(f"\\{byte:03o}" for byte in os.fsencode(character))
