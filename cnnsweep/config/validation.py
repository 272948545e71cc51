"""What can be said about a config before anything is imported, made or trained."""

import math
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from cnnsweep.config.allowed_targets import check_targets
from cnnsweep.config.trackers import check_loggers
from cnnsweep.dotted_keys import look_up
from cnnsweep.errors import UserError, unknown
from cnnsweep.metric_names import DIRECTIONS, VALIDATION_METRICS


class Rule(NamedTuple):
    """A dotted key, whether a value is fit for it, and the allowed values in words."""

    key: str
    is_fit: Callable[[Any], bool]
    allowed: str


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _whole(key: str, least: int, *words: str) -> Rule:
    named = "".join(f"{word}, or " for word in words)
    return Rule(
        key,
        lambda v: v in words or (_is_whole(v) and v >= least),
        f"{named}a whole number from {least} up",
    )


def _whole_or_null(key: str, least: int) -> Rule:
    return Rule(
        key,
        lambda v: v is None or (_is_whole(v) and v >= least),
        f"null, or a whole number from {least} up",
    )


def _above_zero(key: str, extra: str = "") -> Rule:
    return Rule(key, lambda v: _is_number(v) and v > 0, f"a number above 0{extra}")


def _from_zero(key: str) -> Rule:
    return Rule(key, lambda v: _is_number(v) and v >= 0, "a number from 0 up")


def _share(key: str) -> Rule:
    return Rule(
        key, lambda v: _is_number(v) and 0 <= v < 1, "a number from 0 up to, not including, 1"
    )


def _flag(key: str) -> Rule:
    return Rule(key, lambda v: isinstance(v, bool), "true or false")


def _choice(key: str, *names: str) -> Rule:
    return Rule(key, lambda v: v in names, ", ".join(names))


_DEVICE = re.compile(r"auto|cpu|mps|cuda(:\d+)?")
RULES = (
    _whole("seed", 0),
    _whole("epochs", 1),
    Rule(
        "device",
        lambda v: isinstance(v, str) and _DEVICE.fullmatch(v) is not None,
        "auto, cpu, cuda, cuda:<number>, mps",
    ),
    _choice("precision", "float32", "bfloat16", "auto"),
    _flag("deterministic"),
    _whole("threads", 1, "auto"),
    _flag("test"),
    _whole_or_null("early_stopping.patience", 1),
    _from_zero("early_stopping.min_delta"),
    Rule(
        "grad_clip", lambda v: v is None or (_is_number(v) and v > 0), "null, or a number above 0"
    ),
    _from_zero("l1"),
    _flag("freeze"),
    _choice("keep", "all", "best", "none"),
    _flag("pictures"),
    _flag("summary"),
    _above_zero("optim.lr"),
    _share("optim.momentum"),
    _from_zero("optim.weight_decay"),
    _share("model.dropout"),
    _share("loss.label_smoothing"),
    _choice("model.layout", "contiguous", "channels_last"),
    _choice("scheduler.interval", "epoch", "batch"),
    _whole("data.batch_size", 1),
    _whole("data.eval_batch_size", 1),
    _share("data.val_fraction"),
    _flag("data.download"),
    _whole_or_null("data.train_limit", 1),
)

_ABSENT = object()


def check(config: Mapping[str, Any]) -> None:
    """Refuse a resolved config with a value out of range.

    Keys that a user's own objects do not have are passed over.

    Raises:
        UserError: names the key, the value and what is allowed.
    """
    for key, is_fit, allowed in RULES:
        value = look_up(config, key, _ABSENT)
        if value is not _ABSENT and not is_fit(value):
            raise UserError(f"{key}={as_typed(value)} is out of range: allowed is {allowed}")
    check_targets(config)
    check_loggers(config["logger"])
    for name in objective_names(config["objective"]):
        if name not in DIRECTIONS:
            raise unknown("objective", str(name), DIRECTIONS)
    _check_choosing(config)


def objective_names(objective: str | list[str]) -> list[str]:
    """The objective's figures as a list, also where a single name was given."""
    return [objective] if isinstance(objective, str) else list(objective)


def _check_choosing(config: Mapping[str, Any]) -> None:
    has_validation = config["data"]["val_fraction"] > 0
    if config["early_stopping"]["patience"] is not None and not has_validation:
        raise UserError(
            "early_stopping.patience needs a validation split to judge by: "
            "data.val_fraction=0 leaves none; allowed is a fraction above 0"
        )
    names = objective_names(config["objective"])
    if not config["test"] and any(name.startswith("test_") for name in names):
        raise UserError("objective=test_… needs test=true: the test split is not read otherwise")


def monitors_validation(config: Mapping[str, Any]) -> bool:
    """Whether the objective is a validation figure."""
    return any(name in VALIDATION_METRICS for name in objective_names(config["objective"]))


def as_typed(value: Any) -> str:
    """A value as it is typed on Hydra's command line."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)
