"""Chooses, checks and locks the folder of a command before Hydra writes into it.

Hydra writes `.hydra/` before it calls the task, so everything is refused here. Hydra turns an
Exception of a callback into a warning; SystemExit ends the command.
"""

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.experimental.callback import Callback
from omegaconf import DictConfig, OmegaConf, open_dict, read_write

from cnnsweep.config.composing.grid_jobs import GridJobs, check_jobs, is_basic, is_grid
from cnnsweep.config.composing.late_keys import restore_typed
from cnnsweep.config.composing.read_once import read_files_once
from cnnsweep.config.error_messages import error_line
from cnnsweep.config.launchers import check_installed
from cnnsweep.config.overrides import as_text, hydra_lines, task_lines
from cnnsweep.config.own_keys import is_ours, resume_of
from cnnsweep.config.trackers import chosen
from cnnsweep.config.typed_keys import check_typed, expand_homes
from cnnsweep.config.validation import checked, resolve
from cnnsweep.errors import UserError
from cnnsweep.folders import lock
from cnnsweep.folders.longer import begun
from cnnsweep.folders.missing_checkpoints import why_not_resumed
from cnnsweep.folders.run_folder import RunFolder, differing_keys
from cnnsweep.folders.sweep_folder import SweepFolder
from cnnsweep.loggers.manager import following
from cnnsweep.process import raise_again, stops_first
from cnnsweep.rules import tree_with_home
from cnnsweep.task.changed_data import DataCheck
from cnnsweep.task.changed_options import refuse_changed_options
from cnnsweep.task.folder_lines import RUN_DIR, SWEEP_DIR
from cnnsweep.task.longer.lengthening import begin_longer, lengthens, settle, with_epochs
from cnnsweep.task.recorded_command import record_run, record_sweep
from cnnsweep.task.resume import chosen_folder, note_unfinished
from cnnsweep.task.resumed_config import take_recorded
from cnnsweep.task.run_info import tracked_sweep
from cnnsweep.task.task import refuse_another_app, refuse_other_config, take_finished


class Folders(Callback):
    """Chooses and locks the folder of a run or a sweep, or ends the command in one line."""

    def on_run_start(self, config: DictConfig, **_: Any) -> None:
        _or_exit(_start_run, config)

    def on_multirun_start(self, config: DictConfig, **_: Any) -> None:
        _or_exit(_start_multirun, config)

    def on_multirun_end(self, config: DictConfig, **_: Any) -> None:
        if not is_ours(config) or _is_dry_run(config):  # or an app of its own, with our callback
            return
        plain: Any = OmegaConf.to_container(config.logger, resolve=True)
        loggers = chosen(tree_with_home(plain))
        if loggers:
            with following(loggers, tracked_sweep(config.hydra), is_sweep=True):
                pass


def _or_exit(start: Callable[[DictConfig], None], config: DictConfig) -> None:
    """Hydra would go on with another run after any error, so each of them ends the command."""
    try:
        with stops_first():
            start(config)
    except Exception as error:
        print(error_line(error), file=sys.stderr)
        raise SystemExit(1) from error
    raise_again()


def checked_run(config: DictConfig) -> tuple[Path | None, dict[str, Any]]:
    """The folder that a run's command names, None for a new one, and its config as plain values.

    ``config`` is changed, in place, into that of the run; nothing is written.

    Raises:
        UserError: it is a sweep's, or cannot be meant.
        hydra.errors.HydraException: what the folder recorded does not compose any more.
        omegaconf.errors.OmegaConfBaseException: an interpolation leads nowhere.
    """
    search = config.hydra.runtime.choices.get("search")
    if search is not None and is_ours(config):
        raise UserError(f"search={search} is a sweep: it needs --multirun")
    if _is_dry_run(config):
        raise UserError("hydra.sweeper.dry_run=true is for sweeps: it needs --multirun")
    if is_ours(config):
        check_typed(config)
    expand_homes(config)
    typed = chosen_folder(config, RUN_DIR)
    resumes = typed is not None and resume_of(config) is not None
    if typed is not None and resumes:
        if is_ours(config):
            checked(config, may_be_recorded=_has_origin(config))
        take_recorded(config, begun(typed) or typed, RUN_DIR)
    HydraConfig.instance().set_config(config)
    with read_write(config.hydra), open_dict(config.hydra):
        config.hydra.runtime.output_dir = str(_folder_of(config, typed).resolve())
    known = resumes or _has_origin(config)
    return typed, checked(config, may_be_recorded=known) if is_ours(config) else resolve(config)


def _folder_of(config: DictConfig, typed: Path | None) -> Path:
    return typed or Path(config.hydra.run.dir)


def _start_run(config: DictConfig) -> None:
    typed, resolved = checked_run(config)
    folder = _folder_of(config, typed)
    if typed is None:
        note_unfinished(RUN_DIR, lambda last: _is_run_of(last, resolved))
    record = partial(record_run, config=config, resolved=resolved)
    if typed is None:
        folder = lock.make_new(folder, record)
    else:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire(folder)
        settle(folder)
        folder = _take_up(RunFolder(folder), config, resolved, record)
    _change(config, "run.dir", folder)


def _take_up(
    run: RunFolder,
    config: DictConfig,
    resolved: dict[str, Any],
    record: Callable[[Path], None],
) -> Path:
    """Where the run of a folder, new or begun, is to work; ends the command if it is finished."""
    refuse_another_app(run, config)
    is_longer = is_ours(config) and lengthens(
        run, resolved, lambda epochs: resolve(with_epochs(config, epochs))
    )
    if not is_longer:
        refuse_other_config(run, resolved, is_ours=is_ours(config))
    if is_ours(config):
        DataCheck().refuse_other_data(run, resolved)
    if is_longer:
        return begin_longer(run, resolved, record)
    if take_finished(run, resolved) is not None:
        raise SystemExit(0)  # before Hydra writes into the folder
    if (why := why_not_resumed(run)) is not None:
        raise UserError(why)
    record(run.path)
    return run.path


def _start_multirun(config: DictConfig) -> None:
    restore_typed(config)
    read_files_once(GlobalHydra.instance().config_loader())
    if is_ours(config):
        check_typed(config)
    expand_homes(config)
    is_latest = resume_of(config) == "latest"
    # What is at work on another host is not the latest unfinished one here.
    typed = None if is_latest and _is_shared(config) else chosen_folder(config, SWEEP_DIR)
    resumes = typed is not None and resume_of(config) is not None
    if typed is not None and resumes:
        take_recorded(config, typed, SWEEP_DIR)
    if typed is not None:
        refuse_changed_options(config, typed)
    check_installed(config)
    shared = _is_shared(config)
    if shared and (typed is None or is_latest):
        raise UserError(
            "hydra.sweeper.shared=true without a folder: hosts share one that each of them names; "
            "allowed: hydra.sweep.dir=FOLDER or resume=FOLDER"
        )
    known = resumes or _has_origin(config)
    jobs = None
    if is_grid(config) and is_ours(config):
        jobs = check_jobs(config, may_be_recorded=known)
    if jobs is not None and jobs.notes and is_basic(config):
        raise UserError(
            f"{jobs.notes[0]}: Hydra's own sweeper leaves nothing out; hydra/sweeper=grid does"
        )
    if typed is None:
        note_unfinished(SWEEP_DIR, lambda last: _is_sweep_of(last, config))
    record = partial(record_sweep, config=config)
    if _is_dry_run(config):
        folder = lock.free_name(Path(config.hydra.sweep.dir)) if typed is None else typed
        lock.refuse_busy(folder, shared=shared)
    elif typed is None:
        folder = lock.make_new(Path(config.hydra.sweep.dir), record)
    else:
        folder = typed
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire(folder, shared=shared)
        if jobs is not None and is_basic(config):
            _refuse_other_jobs(folder, jobs)
        record(folder)
    _change(config, "sweep.dir", folder)


def _refuse_other_jobs(folder: Path, jobs: GridJobs) -> None:
    """Those of Hydra's own grid are where its numbers say."""
    data = DataCheck()
    for number in range(len(jobs.overrides)):
        run = RunFolder(folder / jobs.subdir(number, number))
        resolved = jobs.resolved(number, number)
        refuse_other_config(run, resolved)
        data.refuse_other_data(run, resolved)


def _has_origin(config: DictConfig) -> bool:
    """Whether a part of what was typed is what ``from`` found in a folder."""
    return OmegaConf.select(config, "from") is not None


def _is_shared(config: DictConfig) -> bool:
    return bool(config.hydra.sweeper.get("shared", False))


def _is_dry_run(config: DictConfig) -> bool:
    return bool(config.hydra.sweeper.get("dry_run", False))


def _change(config: DictConfig, key: str, folder: Path) -> None:
    """Also among the overrides, from which launchers compose each job."""
    with read_write(config.hydra), open_dict(config.hydra):
        OmegaConf.update(config.hydra, key, str(folder))
        others = [
            line for line in hydra_lines(config.hydra) if not line.startswith(f"hydra.{key}=")
        ]
        config.hydra.overrides.hydra = [*others, f"hydra.{key}={as_text(str(folder))}"]


def _is_run_of(folder: Path, resolved: dict[str, Any]) -> bool:
    try:
        recorded = RunFolder(folder).read_config()
    except UserError:  # damaged: it cannot be resumed
        return False
    return recorded is not None and not differing_keys(
        recorded, resolved, is_ours=is_ours(resolved)
    )


def _is_sweep_of(folder: Path, config: DictConfig) -> bool:
    sweep = SweepFolder(folder).config
    return sweep.exists() and _typed(OmegaConf.load(sweep)) == _typed(config)


def _typed(config: Any) -> list[str]:
    return [line for line in task_lines(config.hydra) if not line.startswith("resume=")]
