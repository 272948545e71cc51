"""Why a run folder lacks a checkpoint that its run wrote, and how to get it again."""

from cnnsweep.folders.run_folder import PAUSED, RunFolder
from cnnsweep.folders.sweep_folder import sweep_around

_BY_SWEEP = "hydra.sweeper.keep_best dropped it, for better trials"


def why_no_weights(folder: RunFolder) -> str:
    """One line on a run folder without best.pt."""
    none = f"{folder} has no {folder.best.name}"
    result, config = folder.read_result() or {}, folder.read_config() or {}
    if not result.get("best_epoch"):
        return f"{none}: no epoch is over yet"
    if config.get("keep") == "none":
        return f"{none}: keep=none dropped it; {_again(folder)} keep=best"
    dropped = _BY_SWEEP if sweep_around(folder.path) else "it was removed"
    return f"{none}: {dropped}; {_again(folder)}"


def why_not_resumed(folder: RunFolder) -> str | None:
    """One line on a run of a sweep that nobody can resume by itself; None for any other.

    Its last.pt was dropped before its last epoch, or it is a paused trial, which the search has in
    its books: trained on behind its back, its epochs would be nobody's.
    """
    result, sweep = folder.read_result() or {}, sweep_around(folder.path)
    if sweep is None:
        return None
    if result.get("status") == PAUSED:
        return (
            f"{folder} is a paused trial, with which its search goes on: python -m cnnsweep "
            f"resume={RunFolder(sweep)} hydra.sweeper.pruner.budget=1; to train it as a run of its "
            f"own: python -m cnnsweep from={folder}"
        )
    is_short = result.get("status") in ("pruned", "failed") and result.get("epochs", 0) > 0
    if folder.last.exists() or not is_short:
        return None
    return (
        f"{folder} cannot be resumed, it has no {folder.last.name}: {_BY_SWEEP}; {_again(folder)}"
    )


def _again(folder: RunFolder) -> str:
    return f"to train it again: python -m cnnsweep from={folder}"
