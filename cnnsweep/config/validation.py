"""A config as plain values, and checks of them that need no torch."""

import re
from collections.abc import Mapping
from typing import Any, cast

from omegaconf import DictConfig, OmegaConf

from cnnsweep.config.allowed_targets import check_targets
from cnnsweep.config.trackers import check_loggers
from cnnsweep.dotted_keys import look_up
from cnnsweep.errors import UserError, unknown
from cnnsweep.metric_names import DIRECTIONS, VALIDATION_METRICS
from cnnsweep.rules import (
    Rule,
    above_zero,
    choice,
    flag,
    from_zero,
    is_numbers,
    or_null,
    share,
    whole,
)

_DEVICE = re.compile(r"auto|cpu|mps|cuda(:\d+)?")
RULES = (
    whole("seed", 0),
    whole("epochs", 1),
    Rule(
        "device",
        lambda v: isinstance(v, str) and _DEVICE.fullmatch(v) is not None,
        "auto, cpu, cuda, cuda:<number>, mps",
    ),
    choice("precision", "float32", "bfloat16", "auto"),
    flag("deterministic"),
    whole("threads", 1, "auto"),
    flag("test"),
    or_null(whole("early_stopping.patience", 1)),
    from_zero("early_stopping.min_delta"),
    or_null(above_zero("grad_clip")),
    from_zero("l1"),
    flag("freeze"),
    choice("keep", "all", "best", "none"),
    flag("pictures"),
    flag("summary"),
    above_zero("optim.lr"),
    share("optim.momentum"),
    from_zero("optim.weight_decay"),
    share("model.dropout"),
    share("loss.label_smoothing"),
    Rule(
        "loss.weight",
        lambda v: v in (None, "balanced") or is_numbers(v),
        "null, balanced, or a list of numbers above 0, one for each class",
    ),
    choice("model.layout", "contiguous", "channels_last"),
    choice("scheduler.interval", "epoch", "batch"),
    whole("data.batch_size", 1),
    whole("data.eval_batch_size", 1),
    share("data.val_fraction"),
    flag("data.download"),
    or_null(whole("data.train_limit", 1)),
)

_ABSENT = object()


def resolve(config: DictConfig) -> dict[str, Any]:
    """A job's config as plain values, interpolations resolved, without Hydra's own part."""
    job = OmegaConf.masked_copy(config, [str(key) for key in config if key != "hydra"])
    return cast(dict[str, Any], OmegaConf.to_container(job, resolve=True, throw_on_missing=True))


def check(config: Mapping[str, Any]) -> None:
    """Refuse a resolved config with a value out of range.

    Keys that a user's own objects do not have are passed over.

    Raises:
        UserError: names the key, the value and what is allowed.
    """
    for rule in RULES:
        value = look_up(config, rule.key, _ABSENT)
        if value is not _ABSENT:
            rule.check(value)
    check_targets(config)
    check_loggers(config["logger"])
    names = objective_names(config["objective"])
    for name in names:
        if name not in DIRECTIONS:
            raise unknown("objective", str(name), DIRECTIONS)
    if config["early_stopping"]["patience"] is not None and config["data"]["val_fraction"] == 0:
        raise UserError(
            "early_stopping.patience needs a validation split to judge by: "
            "data.val_fraction=0 leaves none; allowed is a fraction above 0"
        )
    if not config["test"] and any(name.startswith("test_") for name in names):
        raise UserError("objective=test_… needs test=true: the test split is not read otherwise")


def objective_names(objective: str | list[str]) -> list[str]:
    """The objective's metrics as a list, also where a single name was given."""
    return [objective] if isinstance(objective, str) else list(objective)


def monitors_validation(config: Mapping[str, Any]) -> bool:
    """Whether an objective is a validation metric."""
    return any(name in VALIDATION_METRICS for name in objective_names(config["objective"]))
