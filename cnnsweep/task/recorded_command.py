"""What a run or sweep folder tells of the command that began it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from cnnsweep.errors import UserError
from cnnsweep.folders.run_folder import HYDRA, HYDRA_CONFIG, OVERRIDES, RunFolder
from cnnsweep.folders.sweep_folder import SweepFolder

_MULTIRUN = {"-m", "--multirun"}
_CHOOSING = ("hydra/sweeper=", "search=")


class RecordedCommand(NamedTuple):
    """Overrides as they were typed, the option of each config group, and the config itself.

    A run's config is resolved and without Hydra's part. That of a sweep is unresolved and has the
    sweeper's and the launcher's keys, as :func:`sweep_config` gives it.
    """

    overrides: list[str]
    choices: dict[str, Any]
    config: dict[str, Any]


def read_command(folder: Path) -> RecordedCommand | None:
    """The command of a run or sweep folder; None where nothing has begun.

    Raises:
        UserError: a file is damaged.
    """
    path = SweepFolder(folder).config
    if not path.exists():
        config = RunFolder(folder).read_config()
        return None if config is None else _of_run(RunFolder(folder), config)
    whole = _read(path)
    if not _is_whole(whole):
        raise UserError(
            f"{path} is damaged: type the whole command again, with hydra.sweep.dir={folder} "
            "instead of resume"
        )
    return RecordedCommand(_overrides(whole), _choices(whole), sweep_config(whole))


def of_a_sweep(words: Sequence[str]) -> list[str]:
    """A command line whose ``resume`` names a sweep's folder, with that sweep's kind.

    Hydra composes what is typed before it asks anybody: without the recorded sweeper,
    ``hydra.sweeper.n_trials=30`` would be an unknown key. Other command lines stay as they are.

    Raises:
        UserError: the record is damaged.
    """
    typed = [word.partition("=")[2].strip("'\"") for word in words if word.startswith("resume=")]
    flags = {word for word in words if word.startswith("-")}
    if not typed or not SweepFolder(Path(typed[-1])).config.exists() or flags - _MULTIRUN:
        return list(words)
    more = [] if flags else ["--multirun"]
    command = read_command(Path(typed[-1]))
    sweeper = command.choices.get("hydra/sweeper") if command is not None else None
    if sweeper is not None and not any(word.startswith(_CHOOSING) for word in words):
        more.append(f"hydra/sweeper={sweeper}")
    return [*more, *words]


def sweep_config(whole: Mapping[str, Any]) -> dict[str, Any]:
    """A sweep's config with only the sweeper's and the launcher's keys of Hydra's part.

    The space is a list of pairs: its keys are a user's, and have dots.
    """
    config = {key: value for key, value in whole.items() if key != "hydra"}
    sweeper, launcher = dict(whole["hydra"]["sweeper"]), whole["hydra"]["launcher"]
    if isinstance(sweeper.get("params"), Mapping):
        sweeper["params"] = list(sweeper["params"].items())
    return config | {"hydra": {"sweeper": sweeper, "launcher": launcher}}


def _of_run(folder: RunFolder, config: dict[str, Any]) -> RecordedCommand:
    whole = _read(folder.path / HYDRA / HYDRA_CONFIG)
    if _is_whole(whole):
        return RecordedCommand(_overrides(whole), _choices(whole), config)
    typed = _read(folder.path / HYDRA / OVERRIDES)
    return RecordedCommand(typed if isinstance(typed, list) else [], {}, config)


def _is_whole(whole: Any) -> bool:
    """Whether Hydra wrote its part to the end, which it does anew at each start.

    ``verbose`` is its last key.
    """
    return isinstance(whole, dict) and "verbose" in (whole.get("hydra") or {})


def _overrides(whole: Mapping[str, Any]) -> list[str]:
    overrides = whole["hydra"]["overrides"]
    return [*overrides["hydra"], *overrides["task"]]


def _choices(whole: Mapping[str, Any]) -> dict[str, Any]:
    return dict(whole["hydra"]["runtime"]["choices"])


def _read(path: Path) -> Any:
    """None where the file is missing, or a start that was killed left a part of it."""
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, UnicodeDecodeError, yaml.YAMLError):
        return None
