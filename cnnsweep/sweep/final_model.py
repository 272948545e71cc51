"""The line that trains a sweep's best settings once more, on all data."""

from cnnsweep.dotted_keys import leaves
from cnnsweep.errors import UserError
from cnnsweep.folders.run_folder import RunFolder
from cnnsweep.folders.typed_words import final_words
from cnnsweep.folders.winner import chosen_run
from cnnsweep.sweep.spec.compose import SweepContext
from cnnsweep.task.command_again import shell_line, sources
from cnnsweep.task.folder_lines import FROM, folder_word


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
    words, end = final_words(leaves(config), brings_validation=data.get("val") is not None)
    place = folder_word(FROM, context.folder)
    line = shell_line([*sources(context.config.hydra), place, *words])
    return [f"to train the final model on all data ({end}):", f"  {line}"]
