"""A line on weights that are not those of a run that was completed."""

from collections.abc import Iterable
from pathlib import Path

from cnnsweep.folders.longer import begun
from cnnsweep.folders.run_folder import PAUSED, RunFolder

_ENDS = {
    PAUSED: "is paused",
    "pruned": "was pruned",
    "failed": "failed",
    "interrupted": "was interrupted",
}


def why_not_final(folder: RunFolder) -> str | None:
    """Why a run's best.pt has less training than its config says; None where it was completed.

    Raises:
        UserError: a file is damaged.
    """
    result, config = folder.read_result() or {}, folder.read_config() or {}
    status = result.get("status")
    if status == "completed":
        return None
    after = f" after epoch {result['epochs']}" if result.get("epochs") else ""
    of = f" of {config['epochs']}" if after and isinstance(config.get("epochs"), int) else ""
    return (
        f"{folder} {_ENDS.get(str(status), 'is not over')}{after}{of}: it is not fully trained; "
        "these are the weights of its best epoch so far"
    )


def since_not_over(runs: Iterable[Path], *, is_search: bool) -> str:
    """A clause on the best of completed runs, where another may be it in the end; else ``""``.

    They are a search's that is not over, or jobs of a grid of which some are being made longer.
    """
    if is_search:
        return " so far, since the search is not over"
    longer = sum(begun(run) is not None for run in runs)
    return f" so far, of which {longer} of fewer epochs are being made longer" if longer else ""
