"""What ``--help`` shows: the groups, and each key with the comment beside it in conf/."""

import io
import re
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

import yaml
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import OmegaConf

from cnnsweep.config import plain_yaml
from cnnsweep.config.overrides import as_text
from cnnsweep.dotted_keys import leaves

WIDTH = 79  # of 80: some count bytes, and × has two
_BESIDE = 32  # the column of comments
_GROUPS, _KEYS, _END = "== What can be chosen", "== The keys of this command", "== End"
_SWEEPER, _SPACE = "hydra.sweeper.", "hydra.sweeper.params"
_PACKAGE = re.compile(r"# @package (\S+)")
_FLAGS = {"-h", "--help"}


def is_asked(words: Sequence[str]) -> bool:
    """Whether a command line asks for help."""
    return not _FLAGS.isdisjoint(words)


def with_first_choices(words: Sequence[str]) -> list[str]:
    """The words with the first value of what is swept over: Hydra's help is that of one config."""
    found = (word if word.startswith("-") else _with_first_choice(word) for word in words)
    return [word for word in found if word is not None]


def _with_first_choice(word: str) -> str | None:
    """None for an interval, which has no first value: the key is shown as it is without it."""
    try:
        (override,) = OverridesParser.create().parse_overrides([word])
        if not override.is_sweep_override():
            return word
        if override.is_interval_sweep():
            return None
        return f"{word.partition('=')[0]}={next(iter(override.sweep_string_iterator()))}"
    except (HydraException, StopIteration):
        return word  # Hydra says why


@contextmanager
def explained() -> Iterator[None]:
    """Rewrite Hydra's help, once that is printed: comments beside the keys, lines of 80 columns."""
    held = io.StringIO()
    try:
        with redirect_stdout(held):
            yield
    finally:
        sys.stdout.write(_rewritten(held.getvalue()))


def _rewritten(text: str) -> str:
    """Hydra's help by our template with its two lists rewritten; any other text as it is."""
    before, groups_line, rest = text.partition(_GROUPS)
    groups, keys_line, rest = rest.partition(_KEYS)
    keys, _, after = rest.partition(_END)
    if not (groups_line and keys_line and after):
        return text
    note, _, groups = groups.partition("\n")
    how, _, keys = keys.partition("\n")
    listed = [line for group in groups.strip().splitlines() for line in _wrapped(group)]
    lines = [f"{_GROUPS}{note}", *listed, "", f"{_KEYS}{how}"]
    lines += _key_lines(plain_yaml(keys))
    return before + "\n".join([*lines, "", after.strip(), ""])


def _wrapped(line: str) -> list[str]:
    return textwrap.wrap(
        line, WIDTH, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False
    )


def _key_lines(config: Mapping[str, Any]) -> Iterator[str]:
    comments = _comments(HydraConfig.get().runtime)
    groups = [key for key, value in config.items() if isinstance(value, Mapping)]
    top = {k: v for k, v in config.items() if k not in groups or not _chosen(k)}
    yield from _lines(leaves(top), comments)
    for group in groups:
        if _chosen(group):
            yield from ("", f"{group}={_chosen(group)}:")
            yield from _lines(leaves({group: config[group]}), comments)
    yield from _sweeper_lines(comments)


def _sweeper_lines(comments: Mapping[str, str]) -> Iterator[str]:
    sweeper: Any = OmegaConf.to_container(HydraConfig.get().sweeper, resolve=False)
    space = sweeper.pop("params", None)
    yield from ("", f"hydra/sweeper={_chosen('hydra/sweeper')}, with --multirun:")
    yield from _lines({f"{_SWEEPER}{k}": v for k, v in leaves(sweeper).items()}, comments)
    about = comments.get(_SPACE, "")
    yield from _lines({_SPACE: None if space is None else "as follows"}, {_SPACE: about})
    if space is not None:
        yield from _lines({f"  {key}": value for key, value in space.items()}, {})


def _chosen(group: str) -> str | None:
    option = HydraConfig.get().runtime.choices.get(group)
    return None if option is None else str(option)


def _lines(values: Mapping[str, Any], comments: Mapping[str, str]) -> Iterator[str]:
    """``key=value`` and its comment, which begins at one column and goes on below itself."""
    for key, value in values.items():
        shown = f"{key}={value if isinstance(value, str) else as_text(value)}"
        about = textwrap.wrap(comments.get(key, ""), WIDTH - _BESIDE, break_on_hyphens=False)
        beside = about[:1] if len(shown) < _BESIDE - 1 else []
        if beside:
            yield f"{shown:<{_BESIDE}}{beside[0]}"
        else:  # at most a list of mappings is longer than a line
            yield from [shown] if len(shown) <= WIDTH else _wrapped(shown.replace(",", ", "))
        yield from (" " * _BESIDE + line for line in about[len(beside) :])


def _comments(runtime: Any) -> dict[str, str]:
    """The comments of the main config's file and of each chosen option's, by dotted key."""
    folders = [Path(source.path) for source in runtime.config_sources if source.schema == "file"]
    places = ["config"]
    for group, option in runtime.choices.items():
        names = re.findall(r"[^\s,\[\]]+", "" if option is None else str(option))
        places += [f"{group.partition('@')[0]}/{name}" for name in names]
    found: dict[str, str] = {}
    for place in places:
        file = next((f for d in folders if (f := d / f"{place}.yaml").is_file()), None)
        if file is not None:
            text = file.read_text(encoding="utf-8")
            package = _PACKAGE.search(text)
            group = place.rpartition("/")[0].replace("/", ".")
            prefix = group if package is None else package[1].replace("_global_", "")
            found |= _beside(text, f"{prefix}." if prefix else "")
    return found


def _beside(text: str, prefix: str) -> dict[str, str]:
    """The comments on the lines on which values of a YAML end, or the keys of what is nested."""
    lines = text.splitlines()
    found: dict[str, str] = {}

    def visit(node: yaml.Node, prefix: str) -> None:
        if not isinstance(node, yaml.MappingNode):
            return
        for key, value in node.value:
            is_block = isinstance(value, yaml.CollectionNode) and not value.flow_style
            end = key.end_mark if is_block else value.end_mark
            comment = lines[end.line][end.column :].lstrip(": ") if end.line < len(lines) else ""
            if comment.startswith("#"):
                found[f"{prefix}{key.value}"] = comment.lstrip("# ")
            visit(value, f"{prefix}{key.value}.")

    tree = yaml.compose(text)
    if tree is not None:
        visit(tree, prefix)
    return found
