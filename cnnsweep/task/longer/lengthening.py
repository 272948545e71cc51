"""``resume=RUN epochs=20``: whether a finished run of 10 epochs can become the one of 20."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml
from omegaconf import DictConfig, OmegaConf, open_dict, read_write
from omegaconf.errors import OmegaConfBaseException

from cnnsweep import epoch_reporter
from cnnsweep.config.composing.grid_jobs import is_grid
from cnnsweep.errors import UserError, and_more
from cnnsweep.folders import lock
from cnnsweep.folders.longer import begin, begun, take_place
from cnnsweep.folders.run_folder import LENGTHENED, LONGER, RESULT, RunFolder, differing_keys
from cnnsweep.folders.sweep_folder import SweepFolder, sweep_around
from cnnsweep.folders.typed_words import path_word

EPOCHS = "epochs"

ResolveWith = Callable[[int], Mapping[str, Any]]


def with_epochs(config: DictConfig, epochs: int) -> DictConfig:
    """A copy of a composed config that differs in ``epochs``, and in what is computed from it."""
    changed = deepcopy(config)
    with read_write(changed), open_dict(changed):
        changed[EPOCHS] = epochs
    return changed


def lengthens(run: RunFolder, resolved: Mapping[str, Any], resolve_with: ResolveWith) -> bool:
    """Whether ``resolved`` is the config of a folder's finished run but for more epochs.

    ``resolve_with`` gives that config with another number of epochs.

    Raises:
        UserError: it differs in the epochs only, and cannot become a run of that length.
    """
    if not differs_in_epochs(run, resolved, resolve_with):
        return False
    around = sweep_around(run.path)
    if around is not None:
        raise UserError(
            f"{run} is a run of a sweep, whose runs have the same number of epochs. "
            f"{_all_of(around, resolved[EPOCHS])}; to train this one as a run of its own: "
            f"{_anew(run, resolved)}"
        )
    refuse_what_cannot(run, resolved)
    return True


def _all_of(sweep: Path, epochs: int) -> str:
    """How the runs of a sweep come to more epochs; trials of a search do in a search of their own.

    Of a record that cannot be read, both ways.
    """
    try:
        config = OmegaConf.load(SweepFolder(sweep).config)
        grid = isinstance(config, DictConfig) and is_grid(config)
    except (yaml.YAMLError, UnicodeDecodeError, OmegaConfBaseException):
        grid = True
    if grid:
        return (
            f"To lengthen all of them: python -m cnnsweep {_word('resume', sweep)} epochs={epochs}"
        )
    return (
        f"To train the search's best points for {epochs} in another search: its command with "
        f"epochs={epochs} {_word('hydra.sweeper.points', sweep)} hydra/sweeper/pruner=none (each "
        "is trained to its end) and another hydra.sweep.dir"
    )


def differs_in_epochs(
    run: RunFolder, resolved: Mapping[str, Any], resolve_with: ResolveWith
) -> bool:
    """Whether a folder's run has the config ``resolved`` but for its number of epochs."""
    recorded = run.read_config()
    if recorded is None or EPOCHS not in differing_keys(recorded, resolved):
        return False
    return not differing_keys(recorded, resolve_with(recorded[EPOCHS]))


def refuse_what_cannot(
    run: RunFolder, resolved: Mapping[str, Any], *, may_begin_anew: bool = False
) -> None:
    """Refuse a run that differs from ``resolved`` in its epochs only and cannot be made longer.

    ``may_begin_anew``: where its last.pt is gone it is trained from its first epoch on.

    Raises:
        UserError: says why, and what to type instead.
    """
    recorded, result = run.read_config() or {}, run.read_result() or {}
    was, wanted = recorded[EPOCHS], resolved[EPOCHS]
    if result.get("status") != "completed":
        raise UserError(
            f"{run} is a run of {was} epochs that is not completed: only a completed one can be "
            f"lengthened. Type epochs={was}, or train another run: {_anew(run, resolved)}"
        )
    if wanted < was:
        raise UserError(
            f"{run} has {was} epochs, and epochs={wanted} are fewer: {_anew(run, resolved)}"
        )
    depending = [key for key in differing_keys(recorded, resolved) if key != EPOCHS]
    if depending:
        raise UserError(
            f"{run} cannot be lengthened: {and_more(depending)} "
            f"{'depends' if len(depending) == 1 else 'depend'} on the number of epochs, so that a "
            f"run of {wanted} is another one from its first on: {_anew(run, resolved)}"
        )
    if may_begin_anew and not run.last.exists():
        return
    _refuse_missing(run, recorded, resolved)
    _refuse_early_stopped(run, recorded, resolved)


def _refuse_missing(
    run: RunFolder, recorded: Mapping[str, Any], resolved: Mapping[str, Any]
) -> None:
    """Without checkpoints nothing can be trained on."""
    for path in (run.last, run.best):
        if not path.exists():
            dropped = f" (keep={recorded['keep']} dropped it)" if recorded["keep"] != "all" else ""
            raise UserError(
                f"{run} cannot be lengthened: it has no {path.name}{dropped}; to train it anew: "
                f"{_anew(run, resolved)}"
            )


def _refuse_early_stopped(
    run: RunFolder, recorded: Mapping[str, Any], resolved: Mapping[str, Any]
) -> None:
    patience = recorded["early_stopping"]["patience"]
    if patience is None:
        return
    from cnnsweep import checkpoint_file  # torch

    training = checkpoint_file.read(run.last, "cpu")["training"]
    done = len(training["history"])
    if training["score"]["stale_epochs"] >= patience:
        raise UserError(
            f"{run} was ended by early stopping after epoch {done}, where a run of "
            f"{resolved[EPOCHS]} epochs ends too: there is nothing to add. For another patience: "
            f"{_anew(run, resolved)} early_stopping.patience=null"
        )


def _anew(run: RunFolder, resolved: Mapping[str, Any]) -> str:
    return f"python -m cnnsweep {_word('from', run.path)} epochs={resolved[EPOCHS]}"


def _word(key: str, folder: Path) -> str:
    return path_word(key, str(RunFolder(folder)))


def begin_longer(run: RunFolder, resolved: dict[str, Any], record: Callable[[Path], None]) -> Path:
    """The folder in which a run that :func:`lengthens` allows goes on; says so."""
    place = begin(run, resolved, record)
    lock.acquire(place)
    if (RunFolder(place).read_result() or {}).get("status") == "completed":
        end_longer(RunFolder(place))  # it was killed before it could
        print(f"already finished: {run}")
        raise SystemExit(0)
    former = (run.read_config() or {})[EPOCHS]
    print(
        f"lengthening {run} from {former} to {resolved[EPOCHS]} epochs; what it has stays until "
        "they are over" + (", when the test split is read once more" if resolved["test"] else "")
    )
    return place


def end_longer(folder: RunFolder) -> None:
    """Where a longer run has been completed in its folder, put it into the former's place."""
    if folder.path.name == LONGER:
        _take_place(folder.path.parent)


def settle(run: Path) -> None:
    """Finish what a killed process began: a longer run's files that had not all their places."""
    completed = begun(run) is not None and (run / LONGER / RESULT).exists()
    if completed or (run / LENGTHENED).exists():
        with lock.held(run):
            _take_place(run)


def _take_place(run: Path) -> None:
    for line in take_place(run):
        if epoch_reporter.current is None:
            print(f"note: {line}")
