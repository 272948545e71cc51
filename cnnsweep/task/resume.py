"""Which folder a command resumes, and which folders are unfinished.

``resume=latest`` is the newest folder, not at work now, to which the command adds something: one
that is unfinished, or a finished search that has fewer trials, or a smaller budget, than the
command types; else the newest one that the very same command began, which is over. Without
--multirun it is a run's, with it a sweep's; a command that types keys of searches means a search.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from cnnsweep.config.command_words import options_and_others
from cnnsweep.config.composing.grid_jobs import is_grid
from cnnsweep.config.hydra_internals import command_line_parser
from cnnsweep.config.overrides import hydra_lines, typed_lines
from cnnsweep.config.own_keys import resume_of
from cnnsweep.config.sweeper_keys import keys_of
from cnnsweep.errors import UserError
from cnnsweep.folders import lock, run_folder, sweep_folder
from cnnsweep.folders.run_folder import HYDRA, RunFolder
from cnnsweep.folders.sweep_folder import SweepFolder, sweep_around
from cnnsweep.folders.typed_words import out_of_quotes
from cnnsweep.rules import path_with_home
from cnnsweep.task.added_work import adds_work, is_unfinished, missing_work, sweep_config
from cnnsweep.task.folder_lines import RUN_DIR, SWEEP_DIR, folder_word, resume_command
from cnnsweep.task.recorded_command import (
    BASIC,
    GRID,
    is_same_command,
    read_command,
    recorded_places,
    recorded_sweeper,
)

_ROOTS = {RUN_DIR: run_folder.ROOT, SWEEP_DIR: sweep_folder.ROOT}
# Options of Hydra with which a command still runs something.
_LAUNCHING = {"multirun", "config_dir", "config_path", "config_name"}
_SWEEPER_KEY = "hydra.sweeper."
_SWEEPER, _SHARED = "hydra/sweeper", "hydra.sweeper.shared"


def chosen_folder(config: DictConfig, dir_key: str) -> Path | None:
    """The folder that the command names, by ``resume`` or by ``dir_key``; None for a new one.

    Raises:
        UserError: both are given, the folder is not there, holds a sweep and not a run (or the
            other way round), or nothing is unfinished.
    """
    typed = any(line.startswith(f"{dir_key}=") for line in hydra_lines(config.hydra))
    composed = Path(str(OmegaConf.select(config, dir_key)))
    resume = resume_of(config)
    if resume is None:
        return composed if typed else None
    if typed:
        raise UserError(f"resume={resume} and {dir_key}={composed}: give one of them")
    if resume == "latest":
        return _latest(dir_key, typed_lines(config.hydra))
    folder = path_with_home(str(resume))
    if not folder.is_dir():
        raise UserError(f"resume={folder}: there is no such folder; allowed: latest, or a folder")
    is_sweep = SweepFolder(folder).config.exists()
    if not is_sweep and not RunFolder(folder).config.exists():
        around = sweep_around(folder)
        if around is not None:
            raise UserError(f"resume={folder}: it is a part of a sweep, so resume={around}")
        raise UserError(
            f"resume={folder}: it holds nothing that can be resumed; to begin there, type the "
            f"whole command with {dir_key}={folder}"
        )
    if dir_key == RUN_DIR and is_sweep:
        raise UserError(f"resume={folder} is a sweep: it needs --multirun")
    if dir_key == SWEEP_DIR and not is_sweep and RunFolder(folder).config.exists():
        raise UserError(f"resume={folder} is a run: leave --multirun out")
    return folder


def note_unfinished(dir_key: str, is_same: Callable[[Path], bool]) -> None:
    """Name the latest folder, and the command that resumes it, where it is unfinished.

    ``is_same`` tells whether a folder is that of the same command.
    """
    last = next(iter(_newest_first(dir_key)), None)
    if last is not None and _can_resume(last) and is_same(last):
        print(
            f"{last} is unfinished; to resume it instead of starting anew:\n"
            f"  {resume_command(last)}"
        )


def of_the_folder(words: Sequence[str]) -> list[str]:
    """The command line, with what Hydra has to know of the folder that is resumed.

    Hydra composes a config before it calls anything of ours. It needs the recorded ``--config-dir``
    and its like, without which ``experiment=mine`` would be unknown, and for a sweep ``--multirun``
    and the recorded sweeper, else ``hydra.sweeper.n_trials=30`` is. Other lines stay as they are.

    Raises:
        UserError: the record is damaged, a recorded folder of configs is not there, or there is
            nothing that ``resume=latest`` may mean.
    """
    options, others = options_and_others(words)
    typed = _typed(others)
    parsed = command_line_parser().parse_known_args(options)[0]
    asked = {name for name, value in vars(parsed).items() if value not in (None, False, [])}
    if "resume" not in typed or typed.keys() & {RUN_DIR, SWEEP_DIR} or asked - _LAUNCHING:
        return list(words)
    folder = _resumed(typed, others, is_multirun=parsed.multirun)
    if folder is None:
        return list(words)
    more = recorded_places(folder, options, f"resume={folder}")
    if SweepFolder(folder).config.exists():
        more += [] if parsed.multirun else ["--multirun"]
        sweeper = recorded_sweeper(read_command(folder))
        if sweeper is not None and _SWEEPER not in typed and "search" not in typed:
            more.append(f"{_SWEEPER}={sweeper}")
    return [*options, *more, *_with_place(others, [*options, *more], folder)]


def _with_place(words: list[str], options: list[str], folder: Path) -> list[str]:
    """The words, with the folder by Hydra's own key where the config is one that a run recorded.

    That config has nothing of Hydra's part, and so not the callback that ``resume`` needs.
    """
    path = command_line_parser().parse_known_args(options)[0].config_path
    if path is None or Path(path).name != HYDRA:
        return words
    key = SWEEP_DIR if SweepFolder(folder).config.exists() else RUN_DIR
    place = folder_word(key, folder)
    return [place if word.lstrip("+").startswith("resume=") else word for word in words]


def _resumed(typed: Mapping[str, str], words: Sequence[str], *, is_multirun: bool) -> Path | None:
    """The folder that ``resume`` means; None where it is found, or refused, once Hydra composed."""
    if typed["resume"] != "latest":
        folder = Path(typed["resume"])
        is_sweep = SweepFolder(folder).config.exists()
        return folder if is_sweep or RunFolder(folder).config.exists() else None
    if typed.get(_SHARED, "false").lower() == "true":
        return None
    return _latest(SWEEP_DIR if is_multirun or _of_sweeps(typed) else RUN_DIR, words)


def _typed(words: Sequence[str]) -> dict[str, str]:
    """The values of a command line by key, where it is written as plainly as `key=value`."""
    pairs = (word.partition("=") for word in words if not word.startswith("-"))
    return {key.lstrip("+"): out_of_quotes(value) for key, _, value in pairs}


def _of_searches(typed: Mapping[str, str]) -> bool:
    """Whether keys were typed that only a search has."""
    if _SWEEPER in typed:
        return typed[_SWEEPER] not in (BASIC, GRID)
    keys = (key for key in typed if key.startswith(_SWEEPER_KEY))
    return "search" in typed or any(k.removeprefix(_SWEEPER_KEY) not in keys_of(GRID) for k in keys)


def _of_sweeps(typed: Mapping[str, str]) -> bool:
    """Whether keys were typed that only a sweep has."""
    return _of_searches(typed) or any(key.startswith(_SWEEPER_KEY) for key in typed)


def _can_resume(folder: Path) -> bool:
    return is_unfinished(folder) and not lock.is_held_elsewhere(folder)


def _latest(dir_key: str, words: Sequence[str]) -> Path:
    typed = _typed(words)
    folders = partial(_of_kind, dir_key, typed)
    more = (folder for folder in folders() if is_unfinished(folder) or adds_work(folder, typed))
    over = (folder for folder in folders() if is_same_command(folder, words))
    folder = next(chain(more, over), None)
    if folder is None:
        raise UserError(
            f"resume=latest: no {_ROOTS[dir_key]}/<date>/<time> is unfinished"
            f"{missing_work(typed)}; leave resume out to start anew, or name a folder"
        )
    return folder


def _of_kind(dir_key: str, typed: Mapping[str, str]) -> Iterator[Path]:
    return (f for f in _newest_first(dir_key) if _may_be_meant(f, dir_key, typed))


def _may_be_meant(folder: Path, dir_key: str, typed: Mapping[str, str]) -> bool:
    """Whether it is of the kind that ``resume=latest`` means, and not at work."""
    if SweepFolder(folder).config.exists() != (dir_key == SWEEP_DIR):
        return False
    if dir_key == SWEEP_DIR:
        config = sweep_config(folder)
        is_search = config is not None and not is_grid(config)
        if (
            config is None
            or (_of_searches(typed) and not is_search)
            or (typed.get(_SWEEPER) in (BASIC, GRID) and is_search)
        ):
            return False
    return not lock.is_held_elsewhere(folder)


def _newest_first(dir_key: str) -> list[Path]:
    """The folders `<date>/<time>` below the root."""
    found = _ROOTS[dir_key].glob("*/*")
    folders = [one for one in found if one.is_dir() and not one.name.startswith(".")]
    return sorted(folders, key=_started, reverse=True)


def _started(folder: Path) -> tuple[str, str, int]:
    """Names sort by time; runs of one second by their suffix."""
    time, _, suffix = folder.name.partition("_")
    return folder.parent.name, time, int(suffix) if suffix.isdigit() else 0
