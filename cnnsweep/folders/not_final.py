"""A line on weights that are not those of a run that was completed."""

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
