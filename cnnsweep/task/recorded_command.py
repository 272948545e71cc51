"""The command that began a run or sweep, as its folder records it."""

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


def read_command(folder: Path) -> RecordedCommand:
    """The command of a run or sweep folder; all of it is empty where nothing has begun.

    Raises:
        UserError: a file is damaged.
    """
    path, run = SweepFolder(folder).config, RunFolder(folder)
    is_sweep = path.exists()
    config = {} if is_sweep else run.read_config()
    if config is None:
        return RecordedCommand([], {}, {})
    whole = _read(path if is_sweep else folder / HYDRA / HYDRA_CONFIG)
    # Hydra writes its part anew at each start, `verbose` last: without it a start was killed.
    if isinstance(whole, dict) and "verbose" in (whole.get("hydra") or {}):
        hydra = whole["hydra"]
        overrides = [*hydra["overrides"]["hydra"], *hydra["overrides"]["task"]]
        return RecordedCommand(
            overrides, hydra["runtime"]["choices"], sweep_config(whole) if is_sweep else config
        )
    if is_sweep:
        raise UserError(
            f"{path} is damaged: type the whole command again, with hydra.sweep.dir={folder} "
            "instead of resume"
        )
    typed = _read(folder / HYDRA / OVERRIDES)
    return RecordedCommand(typed if isinstance(typed, list) else [], {}, config)


def of_a_sweep(words: Sequence[str]) -> list[str]:
    """The command line, with ``--multirun`` and the recorded sweeper if it resumes a sweep.

    Hydra composes a config before it calls anything of ours: without the recorded sweeper,
    ``hydra.sweeper.n_trials=30`` would be an unknown key. Other command lines stay as they are.

    Raises:
        UserError: the record is damaged.
    """
    typed = [word.partition("=")[2].strip("'\"") for word in words if word.startswith("resume=")]
    flags = {word for word in words if word.startswith("-")}
    if not typed or not SweepFolder(Path(typed[-1])).config.exists() or flags - _MULTIRUN:
        return list(words)
    more = [] if flags else ["--multirun"]
    sweeper = read_command(Path(typed[-1])).choices.get("hydra/sweeper")
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


def _read(path: Path) -> Any:
    """A YAML file's content; None where it is missing or cannot be parsed."""
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, UnicodeDecodeError, yaml.YAMLError):
        return None
