"""Commands as functions."""

import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

from cnnsweep.api.child import COMPOSE, JOBS_FAILED, REFUSED, RUN, SWEEP
from cnnsweep.api.command import Ended, run_command, uninterrupted
from cnnsweep.api.runs import Run, RunFailed
from cnnsweep.api.sweeps import Sweep
from cnnsweep.api.words import folder_words, hint_of_sweeper, words_of
from cnnsweep.errors import UserError

if TYPE_CHECKING:
    from omegaconf import DictConfig

_RUN_DIR, _SWEEP_DIR = "hydra.run.dir", "hydra.sweep.dir"


def compose(*overrides: str, config_dir: Path | str | None = None, **keys: Any) -> "DictConfig":
    """The config that `run` would train with the same words, resolved and checked as there.

    Args:
        overrides: words as on the command line: ``"model=lenet"``, ``"+model.width=64"``.
        config_dir: a folder with configs of your own.
        keys: the same by name: ``epochs=3``, ``optim={"lr": 0.1}``, ``**{"optim.lr": 0.1}``;
            ``from_=FOLDER`` is the command line's ``from``.

    Raises:
        UserError: with the line of the command: a key that nothing uses, a value out of range …

    Example:
        >>> compose(model="lenet", epochs=3).epochs
        3
    """
    ended = run_command(COMPOSE, words_of(overrides, keys, config_dir=config_dir))
    if ended.report.config is None:
        raise _failure(ended)
    with uninterrupted():
        from omegaconf import OmegaConf

    config = OmegaConf.create(ended.report.config)
    OmegaConf.set_struct(config, True)
    return config


def run(
    *overrides: str,
    folder: Path | str | None = None,
    config_dir: Path | str | None = None,
    **keys: Any,
) -> Run:
    """Train one run, as ``python -m cnnsweep`` does, and show its progress.

    The same call with the same ``folder`` resumes what was stopped, and takes what is finished as
    it is. Interrupted (Ctrl-C, or a notebook's stop button), it stops as the command does.

    Args:
        overrides: words as on the command line.
        folder: for the run, new or not; a new ``outputs/<date>/<time>`` where None.
        config_dir: a folder with configs of your own.
        keys: as those of `compose`; ``resume="latest"`` or ``resume=FOLDER`` as there.

    Raises:
        UserError: it was refused, with the line of the command, and nothing was trained.
        RunFailed: it began and failed; a UserError too.
        KeyboardInterrupt: it was interrupted.

    Example:
        >>> trained = run(model="lenet", epochs=3, optim={"lr": 0.1}, folder="outputs/first")
        >>> trained.result.metrics["val_accuracy"], trained.metrics.columns, trained.model()
    """
    words = words_of(overrides, keys, config_dir=config_dir)
    ended = run_command(RUN, [*words, *folder_words(_RUN_DIR, folder)])
    if ended.code != 0:
        raise _failure(ended)
    return Run(_folder(ended))


@overload
def sweep(
    *overrides: str,
    folder: Path | str | None = None,
    config_dir: Path | str | None = None,
    dry_run: Literal[False] = False,
    **keys: Any,
) -> Sweep: ...


@overload
def sweep(
    *overrides: str,
    folder: Path | str | None = None,
    config_dir: Path | str | None = None,
    dry_run: Literal[True],
    **keys: Any,
) -> None: ...


def sweep(
    *overrides: str,
    folder: Path | str | None = None,
    config_dir: Path | str | None = None,
    dry_run: bool = False,
    **keys: Any,
) -> Sweep | None:
    """Run a grid or a search, as ``python -m cnnsweep --multirun`` does, and show its progress.

    The same call with the same ``folder`` resumes what was stopped. A list is values to try:
    ``seed=[0, 1, 2]``; one that is itself a value stands in another list. Keys of the sweeper need
    no prefix: ``n_trials=40``. A grid of which some jobs fail is returned, with the line that says
    which, and ``failed`` has their rows.

    Args:
        overrides: words as on the command line: ``"search=sgd"``, ``"optim.lr=interval(0.01, 1)"``.
        folder: for the sweep, new or not; a new ``multirun/<date>/<time>`` where None.
        config_dir: a folder with configs of your own.
        dry_run: train nothing and leave nothing: say what would be done, and return None.
        keys: as those of `run`.

    Raises:
        UserError: it was refused, with the line of the command, and nothing was trained.
        RunFailed: it stopped early, or no job was completed; a UserError too.
        KeyboardInterrupt: it was interrupted.

    Example:
        >>> found = sweep(search="sgd", model="resnet", n_trials=40, folder="multirun/mine")
        >>> found.best.result, found.table, found.report
    """
    given = {**keys, "dry_run": True} if dry_run else keys
    words = words_of(overrides, given, config_dir=config_dir, is_sweep=True)
    ended = run_command(SWEEP, ["--multirun", *words, *folder_words(_SWEEP_DIR, folder)])
    if ended.code != 0 and not _has_completed(ended):
        raise _failure(ended, given)
    if dry_run:
        return None
    if ended.report.error is not None:
        print(ended.report.error, file=sys.stderr)
    return Sweep(_folder(ended))


def _has_completed(ended: Ended) -> bool:
    """Whether it is a grid that was gone through, and has anything to show."""
    if ended.report.ending != JOBS_FAILED or ended.report.folder is None:
        return False
    return bool((Sweep(ended.report.folder).table["status"] == "completed").any())


def _folder(ended: Ended) -> Path:
    if ended.report.folder is None:
        raise UserError("the command has left no folder; a dry run is sweep(…, dry_run=True)")
    return ended.report.folder


def _failure(ended: Ended, of_sweep: Mapping[str, Any] | None = None) -> UserError:
    """The error for a command that did not do what was asked; with the keys of a sweep."""
    report, code = ended.report, ended.code
    if report.ending == REFUSED and report.error is not None:
        if of_sweep is not None:
            return UserError(report.error + hint_of_sweeper(of_sweep, report.error))
        is_for_sweeps = "--multirun" in report.error
        return UserError(report.error + ("; from Python: sweep()" if is_for_sweeps else ""))
    if report.error is not None:
        return RunFailed(report.error, report.folder)
    name = signal.Signals(-code).name if code < 0 else f"exit code {code}"
    more = ": the machine may have been out of memory" if code == -signal.SIGKILL else ""
    where = "" if report.folder is None else f"; to resume: resume={str(report.folder)!r}"
    return RunFailed(f"the command was ended by {name}{more}{where}", report.folder)
