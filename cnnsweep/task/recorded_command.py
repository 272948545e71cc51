"""The command that began a run or sweep, as its folder records it."""

from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf, open_dict, read_write

from cnnsweep.config.composing.grid_jobs import is_grid
from cnnsweep.config.composing.typed_conditions import with_condition
from cnnsweep.config.hydra_internals import command_line_parser
from cnnsweep.config.overrides import by_key, hydra_lines, typed_lines
from cnnsweep.errors import UserError
from cnnsweep.folders.run_folder import (
    COMMAND,
    HYDRA,
    HYDRA_CONFIG,
    OVERRIDES,
    RunFolder,
    present,
    write_text_whole,
)
from cnnsweep.folders.sweep_folder import SweepFolder
from cnnsweep.redact import masked_word
from cnnsweep.task.command_again import sources

SWEEPER, BASIC, GRID = "hydra/sweeper", "basic", "grid"  # a config group, and options of it
# What resuming puts among the words, or takes from there.
_OF_THE_FOLDER = ("resume", "hydra.run.dir", "hydra.sweep.dir", "hydra.mode", SWEEPER)


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
    whole = _read(path if is_sweep else present(folder, f"{HYDRA}/{HYDRA_CONFIG}"))
    # Hydra writes its part anew at each start, `verbose` last: without it a start was killed, and
    # the command is that of the first start.
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
    ours = _read(present(folder, f"{HYDRA}/{COMMAND}"))
    if isinstance(ours, dict):
        return RecordedCommand(ours["overrides"], ours["choices"], config)
    typed = _read(present(folder, f"{HYDRA}/{OVERRIDES}"))
    return RecordedCommand(typed if isinstance(typed, list) else [], {}, config)


def recorded_sweeper(record: RecordedCommand) -> str | None:
    """The sweeper with which a sweep goes on, by the name of its option.

    A grid that older code left to Hydra's sweeper, for want of another, goes on with ours.
    """
    option = record.choices.get(SWEEPER)
    is_typed = any(line.startswith(f"{SWEEPER}=") for line in record.overrides)
    return GRID if option == BASIC and not is_typed else option


def is_same_command(folder: Path, words: Iterable[str]) -> bool:
    """Whether a folder's command had these words, but for those that say which folder.

    With ``from`` among them it has those as well that ``from`` found.
    """
    try:
        record = read_command(folder)
        typed, recorded = _meant(words), _meant(record.overrides)
    except (UserError, HydraException):
        return False
    has_more = "from" in typed
    is_same = typed.items() <= recorded.items() if has_more else typed == recorded
    return bool(record.config) and is_same


def _meant(words: Iterable[str]) -> dict[str, str]:
    """Words by key, of which the later counts."""
    found = by_key(masked_word(with_condition(word)) for word in words)
    return {key: str(o.input_line) for key, o in found.items() if key not in _OF_THE_FOLDER}


def recorded_places(folder: Path, options: Sequence[str], said: str) -> list[str]:
    """The options by which a run or sweep found configs of somebody's own, where none is typed now.

    Args:
        options: those that are typed, with their values.
        said: the word that names the folder, for an error.

    Raises:
        UserError: its --config-dir is not there.
    """
    parsed = command_line_parser().parse_known_args(list(options))[0]
    recorded = _places(folder)
    words: list[str] = []
    for name, value in zip(recorded[::2], recorded[1::2], strict=True):
        typed = getattr(parsed, name.removeprefix("--").replace("-", "_"))
        is_gone = name != "--config-name" and not Path(value).is_dir()
        if typed is None and is_gone and name == "--config-dir":
            raise UserError(
                f"{said}: its configs came from --config-dir {value}, which is not there: "
                "type --config-dir with its present place"
            )
        is_our_conf = (Path(value) / "hydra" / "sweeper" / "optuna.yaml").is_file()  # elsewhere
        if typed is None and not is_gone and not is_our_conf:
            words += [name, value]
    return words


def _places(folder: Path) -> list[str]:
    sweep = SweepFolder(folder).config
    whole = _read(sweep if sweep.exists() else present(folder, f"{HYDRA}/{HYDRA_CONFIG}"))
    try:
        return sources(whole["hydra"])
    except (KeyError, TypeError):  # it was killed as it began
        ours = _read(present(folder, f"{HYDRA}/{COMMAND}"))
        return list(ours.get("options", [])) if isinstance(ours, dict) else []


def record_run(folder: Path, config: DictConfig, resolved: Mapping[str, Any]) -> None:
    """Leave what resumes a run in its new folder, before anything else is done there."""
    run, hydra = RunFolder(folder), config.hydra
    if run.read_config() is not None:
        return
    command = {
        "overrides": typed_lines(hydra),
        "choices": OmegaConf.to_container(hydra.runtime.choices),
        "options": sources(hydra),
    }
    (folder / HYDRA).mkdir(exist_ok=True)
    write_text_whole(folder / HYDRA / COMMAND, yaml.safe_dump(command, sort_keys=False))
    run.write_config(resolved)


def record_sweep(folder: Path, config: DictConfig) -> None:
    """The same for a sweep of Hydra's sweeper or ours, which write the file again."""
    path, target = SweepFolder(folder).config, str(config.hydra.sweeper._target_)
    if not path.exists() and (is_grid(config) or target.startswith("cnnsweep.")):
        masked = deepcopy(config)
        mask_password(masked)
        try:
            write_text_whole(path, OmegaConf.to_yaml(masked))
        except OSError:
            if not path.exists():  # else another launch of a shared sweep was faster
                raise


def mask_password(config: DictConfig) -> None:
    """Mask a password in the storage's URL, in place: Hydra writes its config into every folder."""
    plain: Any = OmegaConf.to_container(config.hydra, resolve=False)  # ${oc.env:...} stays that
    url = plain["sweeper"].get("storage")
    with read_write(config.hydra), open_dict(config.hydra):
        config.hydra.overrides.hydra = [masked_word(line) for line in hydra_lines(config.hydra)]
        if isinstance(url, str):
            config.hydra.sweeper.storage = masked_word(url)


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
