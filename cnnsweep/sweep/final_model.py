"""The line that trains a sweep's best settings once more, on all data."""

from collections.abc import Iterator, Mapping
from typing import Any

from cnnsweep.config.validation import monitors_validation, objective_names
from cnnsweep.errors import UserError
from cnnsweep.folders.run_folder import RunFolder
from cnnsweep.folders.winner import chosen_run
from cnnsweep.sweep.spec.compose import SweepContext
from cnnsweep.task.command_again import shell_line, sources
from cnnsweep.task.folder_lines import FROM, folder_word

_NEEDS_NONE = "train_loss"  # an objective for runs without a validation split


def final_lines(context: SweepContext) -> list[str]:
    """The line, once the results are written, and how it was chosen where that isn't plain."""
    if not context.is_our_task:
        return []
    try:
        chosen = chosen_run(context.folder)
    except UserError as error:
        return [f"a final model needs one run: {error}"]
    run = RunFolder(chosen.run)
    config, result = run.read_config(), run.read_result() or {}
    if config is None:
        return []
    data = result.get("data") or {}
    why = _needs_validation(config, has_own=data.get("val") is not None)
    words = list(_words(config, keeps_split=why is not None))
    place = folder_word(FROM, context.folder)
    line = shell_line([*sources(context.config.hydra), place, *words])
    end = "its last epoch counts" if why is None else f"data.val_fraction stays, since {why}"
    return [f"to train the final model on all data ({end}):", f"  {line}"]


def _words(config: Mapping[str, Any], *, keeps_split: bool) -> Iterator[str]:
    if "train_limit" in config["data"]:
        yield "data.train_limit=null"
    if keeps_split or "val_fraction" not in config["data"]:
        return
    yield "data.val_fraction=0"
    if monitors_validation(config) and objective_names(config["objective"]) != ["val_accuracy"]:
        yield f"objective={_NEEDS_NONE}"


def _needs_validation(config: Mapping[str, Any], *, has_own: bool) -> str | None:
    """Why the validation split must stay; None where it need not."""
    if config["early_stopping"]["patience"] is not None:
        return "early_stopping judges by it"
    if str(config["scheduler"]["_target_"]).endswith("ReduceLROnPlateau"):
        return "scheduler=reduce_on_plateau judges by it"
    return "the data bring it, apart from the training images" if has_own else None
