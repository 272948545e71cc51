"""``from=FOLDER``: a command that starts from the config of a run, or of a sweep's winner.

It is read before Hydra composes. What is recorded is put before what was typed, as if somebody had
typed it, and so is composed, checked, recorded and resumed like the words of any command.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from hydra import compose, initialize_config_dir
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from omegaconf import DictConfig

from cnnsweep.config import CONF_DIR
from cnnsweep.config.command_words import options_and_others
from cnnsweep.config.hydra_internals import command_line_parser
from cnnsweep.config.overrides import Overrides, as_text, by_key
from cnnsweep.config.own_keys import GROUPS, is_ours, own_leaves
from cnnsweep.dotted_keys import are_same, is_below, leaves
from cnnsweep.errors import UserError
from cnnsweep.folders.recorded_defaults import completed
from cnnsweep.folders.run_folder import CONFIG
from cnnsweep.folders.winner import chosen_run
from cnnsweep.rules import path_with_home, tree_with_home
from cnnsweep.task.computed_values import as_run_records
from cnnsweep.task.folder_lines import FROM
from cnnsweep.task.global_options import keys_of_options
from cnnsweep.task.recorded_command import RecordedCommand, read_command, recorded_places
from cnnsweep.task.resumed_config import recorded_options

_OF_THE_COMMAND = (FROM, "resume", "search", "sweep", "hydra")
_NO_SETTINGS = ("hydra", "logger", "search", "sweep")
_EACH_RUNS_OWN = ("test", "pictures", "summary", "keep", "logger")
_COMPOSING = ("hydra.searchpath", "hydra.job.env_set")  # what of Hydra's own changes a run
_SEARCHPATH, _EXPERIMENT = _COMPOSING[0], "experiment"
_SHOWING = ("--cfg", "-c", "--info", "-i")
_HELPING = ("--help", "-h", "--hydra-help", "--version", "--shell-completion", "-sc")


class _Recorded(NamedTuple):
    """What a folder's run adds to a command: options, overrides, and keys that only it knows."""

    options: list[str]
    lines: list[str]
    added: set[str]


def with_recorded(words: Sequence[str]) -> list[str]:
    """The command line, with what the run of a ``from=FOLDER`` recorded before what was typed.

    Typed keys count, and typed options of config groups, which bring their own defaults. `test`,
    `pictures`, `summary`, `keep` and `logger` are those of a new run, as is Hydra's part. Other
    command lines stay as they are.

    Raises:
        UserError: the folder holds neither a run of ours nor a sweep that has a single best one.
        hydra.errors.HydraException: what is recorded does not compose any more.
    """
    options, others = options_and_others(words)
    helps = any(option.partition("=")[0] in _HELPING for option in options)
    if helps or not any(word.lstrip("+").startswith(f"{FROM}=") for word in others):
        return list(words)
    try:
        typed = by_key(others)
    except HydraException:
        return list(words)  # which Hydra says better
    folder = _folder(typed[FROM])
    if folder is None:
        return list(words)
    run = _chosen(folder, is_shown=any(option.startswith(_SHOWING) for option in options))
    record = read_command(run)
    if not record.config:
        raise UserError(f"{FROM}={folder}: {run} has no {CONFIG}, where a run records its config")
    if not is_ours(record.config):
        raise UserError(f"{FROM}={folder}: {run} is no run of cnnsweep, but another app's")
    found = _recorded(run, record, options, typed)
    return [*options, *found.options, *found.lines, *(_adding(w, found.added) for w in others)]


def _folder(override: Override) -> Path | None:
    value = override.value()
    if override.is_sweep_override() or isinstance(value, list | dict):
        raise UserError(f"{override.input_line}: allowed is one folder, of a run or a sweep")
    if value is None:
        return None
    folder = path_with_home(str(value))
    if not folder.is_dir():
        raise UserError(
            f"{FROM}={folder}: there is no such folder; allowed is that of a run or sweep"
        )
    return folder


def _chosen(folder: Path, *, is_shown: bool) -> Path:
    try:
        chosen = chosen_run(folder)
    except UserError as error:
        raise UserError(f"{FROM}={error}") from error
    if chosen.said is not None:
        print(f"{FROM}={chosen.said}", file=sys.stderr if is_shown else sys.stdout)
    return chosen.run


def _recorded(
    run: Path, record: RecordedCommand, options: list[str], typed: Overrides
) -> _Recorded:
    more = recorded_places(run, options, f"{FROM}={run}")
    folders = [CONF_DIR, *_config_folders([*options, *more])]
    settled = _settled(record, typed, folders)
    groups = [group for group in record.choices if not is_below(group, _NO_SETTINGS)]
    is_free = not any(is_below(group, settled) for group in groups)
    left = [*settled, *_OF_THE_COMMAND, *_EACH_RUNS_OWN, *([] if is_free else [_EXPERIMENT])]
    lines: Overrides = {}
    for override in OverridesParser.create().parse_overrides(record.overrides):
        key = override.get_key_element().lstrip("+~")
        if not is_below(key, left) or (is_below(key, _COMPOSING) and key not in typed):
            # All that was typed for a key: what an earlier word read would be unread without it.
            lines[key if key not in lines else str(override.input_line)] = override
    choices = {g: option for g, option in record.choices.items() if not is_below(g, left)}
    meant = RecordedCommand(record.overrides, choices, record.config)
    with composing([*options, *more]) as composed:
        present = composed(lines)
        asked = recorded_options(meant, present, lines, left)
        if asked:
            lines = asked | lines
            present = composed(lines)
        now = tree_with_home(as_run_records(present, record.config))
    before, there = completed(tree_with_home(record.config), now), leaves(now)
    values = _values(before, there, left)
    texts = [str(line.input_line) for line in lines.values()]
    return _Recorded(more, [*texts, *values], before.keys() - there.keys())


def _settled(record: RecordedCommand, typed: Overrides, folders: list[Path]) -> list[str]:
    """Keys and groups of which nothing recorded is wanted: they are typed, or a typed option's."""
    settled: list[str] = []
    for key, override in typed.items():
        settled += _keys(key, override)
        if key in GROUPS or key not in (*record.choices, "search", _EXPERIMENT):
            continue
        settled += keys_of_options(key, _options(override), folders)
    return settled


def _keys(key: str, override: Override) -> list[str]:
    """The keys that an override sets."""
    is_plain = not override.is_sweep_override() and not override.is_delete()
    value = override.value() if is_plain else None
    return list(leaves({key: value})) if isinstance(value, Mapping) else [key]


def _options(override: Override) -> list[str]:
    """The options of a group that an override chooses, each of a sweep's."""
    if override.is_delete():
        return []
    if override.is_sweep_override():
        return list(override.sweep_string_iterator()) if override.is_discrete_sweep() else []
    value = override.value()
    return [str(name) for name in (value if isinstance(value, list) else [value])]


def _values(before: dict[str, Any], now: dict[str, Any], left: Sequence[str]) -> list[str]:
    """Overrides for what composes otherwise than it was recorded, though the words are the same."""
    tops = {*GROUPS, *(key.partition(".")[0] for key in own_leaves())}
    absent = object()
    changed = [
        f"++{key}={as_text(value)}"
        for key, value in before.items()
        if not are_same(now.get(key, absent), value)
        and (key in now or key.partition(".")[0] in tops)
        and not is_below(key, left)
    ]
    removed = [
        f"~{key}"
        for key in now
        if key.partition(".")[0] in GROUPS
        and not is_below(key, [*before, *left])
        and not any(is_below(kept, [key]) for kept in before)
    ]
    return [*changed, *removed]


def _adding(word: str, added: set[str]) -> str:
    """A typed word for a key that only the record knows, so that Hydra takes it."""
    return f"++{word}" if word.partition("=")[0] in added else word


def _config_folders(options: list[str]) -> list[Path]:
    parsed = command_line_parser().parse_known_args(options)[0]
    return [Path(f).resolve() for f in (parsed.config_path, parsed.config_dir) if f is not None]


@contextmanager
def composing(options: list[str]) -> Iterator[Any]:
    """A function that composes overrides, Hydra's part included, as a command with these options.

    What Hydra has in place is afterwards as it was.
    """
    parsed = command_line_parser().parse_known_args(options)[0]
    main = CONF_DIR if parsed.config_path is None else Path(parsed.config_path).resolve()
    more = [] if parsed.config_dir is None else [f"file://{Path(parsed.config_dir).resolve()}"]

    def composed(lines: Overrides) -> DictConfig:
        path = lines.get(_SEARCHPATH)
        typed: Any = [] if path is None else path.value()
        places = [*typed, *more]
        words = [str(line.input_line) for key, line in lines.items() if key != _SEARCHPATH]
        if places:
            words.append(f"{_SEARCHPATH}={as_text(places)}")
        return compose(parsed.config_name or "config", words, return_hydra_config=True)

    before = HydraConfig.instance().cfg
    with initialize_config_dir(str(main), job_name="cnnsweep"):
        try:
            yield composed
        finally:
            HydraConfig.instance().cfg = before
