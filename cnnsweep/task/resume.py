"""Which folder a command resumes, and which folders are unfinished."""

import re
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from cnnsweep.config.grid_jobs import is_grid, job_overrides
from cnnsweep.config.overrides import as_text
from cnnsweep.errors import UserError
from cnnsweep.folders import lock, run_folder, sweep_folder
from cnnsweep.folders.run_folder import RESULT, RunFolder
from cnnsweep.folders.sweep_folder import SweepFolder
from cnnsweep.redact import masked_word

RUN_DIR, SWEEP_DIR = "hydra.run.dir", "hydra.sweep.dir"
_ROOTS = {RUN_DIR: run_folder.ROOT, SWEEP_DIR: sweep_folder.ROOT}
_PLAIN = re.compile(r"[\w/.:+-]+")  # what Hydra reads without quotes
_FINISHED = ("completed", "pruned", "failed")


def chosen_folder(config: DictConfig, dir_key: str) -> Path | None:
    """The folder that the command names, by ``resume`` or by ``dir_key``; None for a new one.

    Raises:
        UserError: both are given, the folder is not there, holds a sweep and not a run (or the
            other way round), or nothing is unfinished.
    """
    typed = any(str(o).startswith(f"{dir_key}=") for o in config.hydra.overrides.hydra)
    composed = Path(str(OmegaConf.select(config, dir_key)))
    if config.resume is None:
        return composed if typed else None
    if typed:
        raise UserError(f"resume={config.resume} and {dir_key}={composed}: give one of them")
    if config.resume == "latest":
        return _latest_unfinished(dir_key)
    folder = Path(str(config.resume))
    if not folder.is_dir():
        raise UserError(f"resume={folder}: there is no such folder; allowed: latest, or a folder")
    is_sweep = SweepFolder(folder).config.exists()
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


def resume_command(folder: Path) -> str:
    """This command again, for a folder that it left unfinished."""
    words = [masked_word(word) for word in sys.argv[1:] if not word.startswith("resume=")]
    if not any(word.startswith((RUN_DIR, SWEEP_DIR)) for word in words):
        place = str(RunFolder(folder))
        words.append(f"resume={place if _PLAIN.fullmatch(place) else as_text(place)}")
    return shlex.join(["python", "-m", "cnnsweep", *words])


def is_unfinished(folder: Path) -> bool:
    """Whether there is anything to resume in the folder of a run or sweep.

    A run is finished once its result.json has a status other than `interrupted`, a grid once every
    job is, a search once its optimization_results.yaml is there.
    """
    sweep = SweepFolder(folder)
    if sweep.config.exists():
        config = OmegaConf.load(sweep.config)
        assert isinstance(config, DictConfig)
        if not is_grid(config):
            return not sweep.results.exists()
        done = sum(_is_finished(result.parent) for result in folder.rglob(RESULT))
        return done < len(job_overrides(config))
    return RunFolder(folder).config.exists() and not _is_finished(folder)


def _is_finished(folder: Path) -> bool:
    try:
        result = RunFolder(folder).read_result()
    except UserError:  # damaged: it cannot be resumed, and is no reason to refuse others
        return True
    return result is not None and result["status"] in _FINISHED


def _can_resume(folder: Path) -> bool:
    return is_unfinished(folder) and not lock.is_held_elsewhere(folder)


def _latest_unfinished(dir_key: str) -> Path:
    folder = next(filter(_can_resume, _newest_first(dir_key)), None)
    if folder is None:
        raise UserError(
            f"resume=latest: nothing below {_ROOTS[dir_key]}/ is unfinished; leave resume out to "
            "start anew, or name a folder"
        )
    return folder


def _newest_first(dir_key: str) -> list[Path]:
    """The folders `<date>/<time>` below the root."""
    folders = [folder for folder in _ROOTS[dir_key].glob("*/*") if folder.is_dir()]
    return sorted(folders, key=_started, reverse=True)


def _started(folder: Path) -> tuple[str, str, int]:
    """Names sort by time; runs of one second by their suffix."""
    time, _, suffix = folder.name.partition("_")
    return folder.parent.name, time, int(suffix) if suffix.isdigit() else 0
