"""Lines for a shell that name a folder, as whoever reads folders writes them: without Hydra."""

import re
import shlex
from collections.abc import Mapping
from typing import Any

from cnnsweep.metric_names import VALIDATION_METRICS

PROGRAM = ("python", "-m", "cnnsweep")
_PLAIN = re.compile(r"[\w/.:+-]+", re.ASCII)  # what Hydra reads without quotes
_ENDING = re.compile(r"(\\*)('|$)")  # backslashes that Hydra would take for those of a quote
_NEEDS_NONE = "train_loss"  # an objective for runs without a validation split


def path_word(key: str, path: str) -> str:
    """``key=path``, quoted for Hydra where it needs that, before a shell's own quotes."""
    return f"{key}={path if _PLAIN.fullmatch(path) else in_quotes(path)}"


def in_quotes(text: str) -> str:
    """A text in the single quotes of Hydra's command line."""
    inside = _ENDING.sub(lambda found: found[1] * 2 + ("\\'" if found[2] else ""), text)
    return f"'{inside}'"


def out_of_quotes(text: str) -> str:
    """A value of Hydra's command line as the text that it stands for, quoted or not."""
    quote = text[:1]
    if quote not in ("'", '"') or len(text) < 2 or text[-1] != quote:
        return text
    ending = re.compile(rf"(\\+)({quote}|$)")  # half of the backslashes are those of a quote
    return ending.sub(lambda found: found[1][: len(found[1]) // 2] + found[2], text[1:-1])


def command(*words: str) -> str:
    """The line that a shell takes."""
    return shlex.join([*PROGRAM, *words])


def final_words(config: Mapping[str, Any], *, brings_validation: bool) -> tuple[list[str], str]:
    """What trains a config on all images, and what becomes of the validation split, in words.

    Args:
        config: by dotted key.
        brings_validation: whether its data bring a validation split of their own.
    """
    words = ["data.train_limit=null"] if "data.train_limit" in config else []
    why = _needs_validation(config, brings_validation)
    if why is None and "data.val_fraction" in config:
        words.append("data.val_fraction=0")
        named = config.get("objective")
        names = named if isinstance(named, list) else [named]
        if names != ["val_accuracy"] and any(name in VALIDATION_METRICS for name in names):
            words.append(f"objective={_NEEDS_NONE}")
    if why is not None:
        return words, f"data.val_fraction stays, since {why}"
    return words, "its last epoch counts"


def _needs_validation(config: Mapping[str, Any], brings: bool) -> str | None:
    if config.get("early_stopping.patience") is not None:
        return "early_stopping judges by it"
    if str(config.get("scheduler._target_")).endswith("ReduceLROnPlateau"):
        return "scheduler=reduce_on_plateau judges by it"
    return "the data bring it, apart from the training images" if brings else None
