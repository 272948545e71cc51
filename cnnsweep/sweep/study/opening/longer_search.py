"""The command that trains a search's best points for more epochs."""

from cnnsweep.config.overrides import by_key, typed_lines
from cnnsweep.dotted_keys import is_below
from cnnsweep.folders.run_folder import RunFolder
from cnnsweep.folders.typed_words import path_word
from cnnsweep.redact import masked_word
from cnnsweep.sweep.earlier.points_file import POINTS_KEY
from cnnsweep.sweep.earlier.warm_start import KEY as WARM_START_KEY
from cnnsweep.sweep.spec.compose import SweepContext
from cnnsweep.task.command_again import shell_line, sources

_TRIALS = "hydra.sweeper.n_trials"
_BEST = 5  # points
# Those of the former search alone; trials of fewer epochs are none for a warm start.
_LEFT_OUT = (
    "resume", "from", "hydra.sweep.dir", POINTS_KEY, _TRIALS, WARM_START_KEY,
    "hydra.sweeper.storage", "hydra.sweeper.study_name", "hydra.sweeper.default_first",
    "hydra.sweeper.dry_run", "hydra.mode", "hydra.sweeper.pruner",
)  # fmt: skip
# The default config is none of the best, and each of those is trained to its end.
_ALONE = ("hydra.sweeper.default_first=false", "hydra/sweeper/pruner=none")


def longer_search(context: SweepContext, points: int, paused: int) -> str | None:
    """A sentence with what was typed for a search, and now, as a new search of its best points.

    ``points`` of it have a value, and ``paused`` trials have none yet. None of another app's, and
    where no point has a value.
    """
    if not context.is_our_task or points == 0:
        return None
    hydra = context.config.hydra
    typed = by_key(typed_lines(hydra))
    words = [
        masked_word(str(o.input_line)) for key, o in typed.items() if not is_below(key, _LEFT_OUT)
    ]
    number = min(points, _BEST)
    search = str(RunFolder(context.folder))
    best = [path_word(POINTS_KEY, search), f"{_TRIALS}={number}"]
    line = shell_line([*sources(hydra), "--multirun", *words, *best, *_ALONE])
    its, own = ("point", "its") if number == 1 else (f"{number} points", "their")
    without = _without(search, paused)
    return f"To train its best {its} for as long, in a folder of {own} own{without}: {line}"


def _without(search: str, paused: int) -> str:
    """That paused trials have no value yet, and what completes them first."""
    if paused == 0:
        return ""
    one = "its paused trial is", "it"
    are, them = one if paused == 1 else (f"its {paused} paused trials are", "them")
    line = shell_line([path_word("resume", search), "hydra.sweeper.pruner.budget=1"])
    return f" ({are} left out: {line} first completes {them})"
