"""The launches of one run: what code each ran, and what a later one says of an earlier one."""

from collections.abc import Mapping
from typing import Any

from cnnsweep.folders.result import Outcome

_OF_A_LAUNCH = ("started", "versions", "commit", "commit_of_folder", "changes", "hardware")
_COMMIT = 12  # characters of a commit that a line shows


def launch_of(outcome: Outcome) -> dict[str, Any]:
    """What last.pt keeps of this launch."""
    return {name: getattr(outcome, name) for name in _OF_A_LAUNCH}


def take_up(outcome: Outcome, state: Mapping[str, Any]) -> str | None:
    """Put what earlier launches left in last.pt into the outcome; a line where the code changed."""
    outcome.stack = state.get("stack", 1)  # older code had none
    before = state.get("launch")
    if before is None:  # older code recorded none
        return None
    outcome.earlier = list(state["earlier"])
    changes = _changes(before, launch_of(outcome))
    if changes:
        outcome.earlier.append({**before, "epochs": len(state["training"]["history"])})
    outcome.started = state["started"]
    return f"resumed by other code than began it: {'; '.join(changes)}" if changes else None


def _changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    said = [
        f"{name.replace('_', ' ')} {_short(before[name])} → {_short(now[name])}"
        for name in ("commit", "commit_of_folder")
        if before[name] != now[name]
    ]
    if not said and before["changes"] != now["changes"]:
        said.append(f"uncommitted changes {before['changes']} → {now['changes']}")
    was, are = before["versions"], now["versions"]
    said += [
        f"{name} {was.get(name)} → {are.get(name)}"
        for name in {**was, **are}
        if was.get(name) != are.get(name)
    ]
    return said


def _short(commit: str | None) -> str:
    if commit is None:
        return "none"
    return commit[:_COMMIT] + ("-dirty" if commit.endswith("-dirty") else "")
