"""Which sweeper has a key, which search goes through one, and commands that mix two sweepers."""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from cnnsweep.config import CONF_DIR, plain_yaml
from cnnsweep.config.nearest_key import suggestion
from cnnsweep.errors import UserError
from cnnsweep.redact import masked_word

NODE = "hydra.sweeper."
_SWEEPER = "hydra/sweeper"
_SEARCHES, _OURS, _HYDRAS = "optuna", "grid", "basic"
_KEYS_OF_HYDRAS = ("params", "max_batch_size")  # of its basic sweeper, which has no file here
_SCHEMA = ("_target_", "defaults")
FORMER = ("search_space", "optuna_config", "experiment_sequence")
"""Keys that older releases of Hydra's Optuna sweeper had."""
_TO_SEARCH = (
    "a search is chosen by search=sgd and its like, or hydra/sweeper=optuna (of another app "
    "hydra/sweeper=cnnsweep)"
)


@cache
def keys_of(option: str) -> tuple[str, ...]:
    """The keys below ``hydra.sweeper`` of a sweeper: optuna, grid or basic."""
    if option == _HYDRAS:
        return _KEYS_OF_HYDRAS
    whole = _read(f"hydra/sweeper/{option}.yaml")
    groups = [next(iter(one)) for one in whole.get("defaults", []) if isinstance(one, dict)]
    return tuple(key for key in (*whole, *groups) if key not in _SCHEMA)


def unknown_key(name: str, allowed: Iterable[str]) -> str:
    """The line for a key below ``hydra.sweeper`` that the chosen sweeper does not have."""
    listed = sorted(set(allowed) - {*_SCHEMA, *FORMER})
    is_search = "n_trials" in listed
    is_ours = is_search or "n_jobs" in listed
    if not is_search and name in keys_of(_SEARCHES) and name not in keys_of(_OURS):
        return f"{NODE}{name} is for searches, and this is a grid: {_TO_SEARCH}"
    if is_search and name in keys_of(_OURS):
        jobs = f"; {NODE}n_jobs says how many run at a time" if name == "max_batch_size" else ""
        return f"{NODE}{name} is for grids, and this is a search: leave it out{jobs}"
    if not is_ours and name in keys_of(_OURS):
        return f"hydra/sweeper=basic has no {NODE}{name}: leave out hydra/sweeper=basic"
    near = suggestion(NODE + name, [NODE + key for key in (*listed, *keys_of(_SEARCHES))])
    if name.partition(".")[0] == FORMER[0]:
        near = f" Did you mean '{NODE}params'?"
    return f"unknown key '{NODE}{name}'.{near} Allowed in hydra.sweeper: {', '.join(listed)}."


def searches_over(key: str) -> list[str]:
    """The searches in conf/search that go through a key."""
    files = sorted((CONF_DIR / "search").glob("*.yaml"))
    spaces = {path.stem: _read(f"search/{path.name}")["hydra"]["sweeper"] for path in files}
    return [name for name, sweeper in spaces.items() if key in (sweeper.get("params") or {})]


def check_sweepers(words: Sequence[str]) -> None:
    """Refuse a command that chooses a search and a grid, or a part of a search for a grid.

    What an experiment or a main config of somebody's own chooses is not known here.

    Raises:
        UserError: names the words, and what to leave out.
    """
    typed = {key: value for key, _, value in (word.partition("=") for word in words)}
    sweeper, search = typed.get(_SWEEPER), typed.get("search")
    if search is not None and sweeper in (_OURS, _HYDRAS):
        raise UserError(
            f"search={search} is a search, and {_SWEEPER}={sweeper} a grid: leave one of them out"
        )
    parts = [word for word in words if word.startswith(f"{_SWEEPER}/")]
    is_open = any(word.startswith(("experiment", "-", "resume=")) for word in words if word != "-m")
    if parts and search is None and sweeper in (None, _OURS, _HYDRAS) and not is_open:
        raise UserError(f"{masked_word(parts[0])!r} is for searches: {_TO_SEARCH}")


@cache
def _read(name: str) -> dict[str, Any]:
    whole: dict[str, Any] = plain_yaml((CONF_DIR / name).read_text(encoding="utf-8"))
    return whole
