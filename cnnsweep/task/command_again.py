"""The one line that makes a run again, whatever it was a part of."""

import os
import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from cnnsweep.config import CONF_DIR
from cnnsweep.config.allowed_targets import VARIABLE
from cnnsweep.config.overrides import as_text, hydra_lines, task_lines
from cnnsweep.dotted_keys import are_same, is_below, leaves
from cnnsweep.folders.run_folder import HYDRA
from cnnsweep.redact import masked_word

_OF_A_FOLDER = ("resume", "from", "search")  # of a launch or a sweep, not of the run
_COMPOSING = ("hydra.searchpath", "hydra.job.env_set")  # what of Hydra's own changes a run
_PLAIN = re.compile(r"[\w/-]+")  # an option that needs no quotes
_known: dict[tuple[str, ...], tuple[list[str], list[str]] | None] = {}


def command_again(config: DictConfig) -> str:
    """A line for a shell in the same folder: the same config, in a new folder.

    ``config`` is that of the job that runs, whose Hydra settings are in place. A trial's line has
    no ``search=``, which would be a search again, but the keys that this sets.
    """
    hydra: Any = HydraConfig.get()
    lines = [line for line in task_lines(hydra) if not _is_of_a_folder(line)]
    more = _set_by_search(config, hydra, lines)
    if more is None:  # what was typed goes with the search only
        path = Path(str(hydra.runtime.output_dir)) / HYDRA
        words = ["--config-path", str(path), "--config-name", "config"]
    else:
        kept = [line for line in hydra_lines(hydra) if is_below(_key(line), _COMPOSING)]
        words = [*sources(hydra), *map(masked_word, [*kept, *more[0], *lines, *more[1]])]
    return shell_line(words)


def shell_line(words: Sequence[str]) -> str:
    """A command of ours for a shell, with the targets that are allowed now."""
    allowed = os.environ.get(VARIABLE)
    before = f"{VARIABLE}={shlex.quote(allowed)} " if allowed else ""
    return before + shlex.join(["python", "-m", "cnnsweep", *words])


def _is_of_a_folder(line: str) -> bool:
    """Whether it says nothing of another run; the number that ``auto`` finds is added later."""
    return _key(line) in _OF_A_FOLDER or line.lstrip("+") == "threads=auto"


def _key(line: str) -> str:
    return str(line).lstrip("+~").partition("=")[0].partition("@")[0]


def sources(hydra: Mapping[str, Any]) -> list[str]:
    """The options that say where a config comes from, where it isn't ours.

    ``hydra`` is Hydra's own part of that config.
    """
    words = []
    for source in hydra["runtime"]["config_sources"]:
        if source["provider"] == "main" and str(source["path"]) != str(CONF_DIR):
            words += ["--config-path", str(source["path"])]
        if source["provider"] == "command-line":
            words += ["--config-dir", str(source["path"])]
    if hydra["job"]["config_name"] not in (None, "config"):
        words += ["--config-name", str(hydra["job"]["config_name"])]
    return words


def _set_by_search(
    config: DictConfig, hydra: Any, lines: list[str]
) -> tuple[list[str], list[str]] | None:
    """Options of groups and values that a chosen search sets besides the space.

    Composing takes a tenth of a second: trials that differ in values alone have it in common. None
    where the lines do not compose without the search.
    """
    choices = hydra.runtime.choices
    if choices.get("search") is None:
        return [], []
    shape = (str(choices.search), *(x if _key(x) in choices else _key(x) for x in lines))
    if shape not in _known:
        try:
            _known[shape] = _differences(config, hydra, lines)
        except (HydraException, OmegaConfBaseException):
            _known[shape] = None
    return _known[shape]


def _differences(config: DictConfig, hydra: Any, lines: list[str]) -> tuple[list[str], list[str]]:
    composed = _compose(hydra, lines)
    now = composed.hydra.runtime.choices
    options = [
        f"{group}={option if _PLAIN.fullmatch(str(option)) else as_text(option)}"
        for group, option in hydra.runtime.choices.items()
        if group != "search" and not group.startswith("hydra/") and now.get(group) != option
    ]
    if options:
        composed = _compose(hydra, [*options, *lines])
    wanted, there = _leaves(config), _leaves(composed)
    values = [
        f"++{key}={as_text(value)}"
        for key, value in wanted.items()
        if key not in there or not are_same(there[key], value)
    ]
    return options, values + [f"~{key}" for key in there if key not in wanted]


def _compose(hydra: Any, lines: list[str]) -> DictConfig:
    loader = GlobalHydra.instance().config_loader()
    return loader.load_configuration(hydra.job.config_name, list(lines), run_mode=RunMode.RUN)


def _leaves(config: DictConfig) -> dict[str, Any]:
    job = OmegaConf.masked_copy(config, [str(key) for key in config if key != "hydra"])
    plain: Any = OmegaConf.to_container(job, resolve=False)
    return leaves({key: value for key, value in plain.items() if key not in _OF_A_FOLDER})
