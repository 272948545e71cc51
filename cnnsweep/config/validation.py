"""A config as plain values, and checks of them that need no torch."""

import re
from collections.abc import Mapping
from itertools import permutations
from typing import Any

from omegaconf import DictConfig, ListConfig, OmegaConf

from cnnsweep.config.allowed_targets import check_targets
from cnnsweep.config.key_sources import KeySources, key_sources
from cnnsweep.config.own_keys import GROUPS, check_complete, default_kinds
from cnnsweep.config.trackers import check_loggers
from cnnsweep.config.used_keys import check_used
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
    number,
    numbers,
    or_null,
    share,
    text,
    threads,
    tree_with_home,
    whole,
    within,
)

_DEVICE = re.compile(r"auto|cpu|mps|cuda(:\d+)?")
_OF_PIXELS = "of pixels in 0..1, as torchvision's Normalize has them; divide those of 0..255 by 255"
_VIEWS = ("shift", "flip")
_MOST_OF_SEED = 2**63 - 1  # torch takes no more than 64 bits, and seeds of a sweep count on from it
RULES = (
    Rule(
        "seed",
        lambda v: whole("seed", 0).is_fit(v) and v <= _MOST_OF_SEED,
        f"a whole number from 0 up to {_MOST_OF_SEED}",
    ),
    whole("epochs", 1),
    Rule(
        "device",
        lambda v: isinstance(v, str) and _DEVICE.fullmatch(v) is not None,
        "auto, cpu, cuda, cuda:<number>, mps",
    ),
    choice("precision", "float32", "bfloat16", "auto"),
    flag("deterministic"),
    threads("threads", "auto"),
    flag("test"),
    or_null(whole("early_stopping.patience", 1)),
    from_zero("early_stopping.min_delta"),
    or_null(above_zero("grad_clip")),
    from_zero("l1"),
    flag("freeze"),
    Rule(
        "test_time_augmentation",
        lambda v: v is None or v in _VIEWS or v in map(list, permutations(_VIEWS)),
        "null, shift, flip, or [shift, flip]",
    ),
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
    within("data.mean", least=0, includes_least=True, most=1, why=_OF_PIXELS),
    within("data.std", least=0, includes_least=False, most=1, why=_OF_PIXELS),
    flag("compile"),
    flag("graph"),
    or_null(text("init_from")),
    or_null(text("resume")),
    or_null(text("from")),
)

_WITH_LOGITS = ("cnnsweep.models.", "torchvision.models.")
_ABSENT = object()


def resolve(config: DictConfig) -> dict[str, Any]:
    """A job's config as plain values, interpolations resolved, without Hydra's own part.

    ``~`` is a home folder, and a relative path stands below the folder of the command also where
    ``hydra.job.chdir`` leads elsewhere.
    """
    keys = [str(key) for key in config if key != "hydra"]
    job = OmegaConf.masked_copy(config, keys) if "hydra" in config else config
    return {key: resolve_section(job, key) for key in keys}


def resolve_section(config: DictConfig, key: str) -> Any:
    """One key of a config as :func:`resolve` has it."""
    value = config[key]
    if OmegaConf.is_config(value):
        value = OmegaConf.to_container(value, resolve=True, throw_on_missing=True)
    return tree_with_home(value)


def checked(
    config: DictConfig, sources: KeySources | None = None, *, may_be_recorded: bool = False
) -> dict[str, Any]:
    """A composed config of one of our runs as plain values, refused where it cannot be meant.

    ``sources`` are those of its keys, where they are known. ``may_be_recorded`` as in
    :func:`cnnsweep.config.used_keys.check_used`.

    Raises:
        UserError: a key is not used or lacks, or a value is out of range.
        omegaconf.errors.OmegaConfBaseException: an interpolation leads nowhere.
    """
    resolved = resolve(config)
    check_complete(resolved)
    check(resolved)
    sources = key_sources(config) if sources is None else sources
    check_used(config, resolved, sources, may_be_recorded=may_be_recorded)
    return resolved


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
    _check_default_types(config)
    _check_loss(config)
    if config["graph"] and config["compile"]:
        raise UserError(
            "graph=true, compile=true: each would capture the steps as CUDA graphs; "
            "allowed is one of them"
        )
    names = objective_names(config["objective"])
    if not names:
        raise UserError("objective=[]: at least one metric is needed")
    for name in names:
        if not isinstance(name, str) or name not in DIRECTIONS:
            raise unknown("objective", str(name), DIRECTIONS)
        if names.count(name) > 1:
            raise UserError(f"objective={names}: {name} is there twice; allowed is once")
    _check_validation(config, names)
    if not config["test"] and any(name.startswith("test_") for name in names):
        raise UserError("objective=test_… needs test=true: the test split is not read otherwise")


def _check_validation(config: Mapping[str, Any], objectives: list[Any]) -> None:
    """Refuse what judges by a validation split where there is none.

    val_accuracy alone is the default, also of configs without that split: it stays null there.
    """
    stopping, has_none = config["early_stopping"], config["data"]["val_fraction"] == 0
    if stopping["patience"] is None and stopping["min_delta"] > 0:
        raise UserError(
            f"early_stopping.min_delta={stopping['min_delta']} stops nothing without "
            "early_stopping.patience; allowed is 0, or a patience of 1 epoch or more"
        )
    judging = [f"objective={name}" for name in objectives if name in VALIDATION_METRICS]
    if objectives == ["val_accuracy"]:
        judging = []
    if stopping["patience"] is not None:
        judging.insert(0, "early_stopping.patience")
    if has_none and judging:
        raise UserError(
            f"{judging[0]} needs a validation split to judge by: "
            "data.val_fraction=0 leaves none; allowed is a fraction above 0"
        )


def _check_default_types(config: Mapping[str, Any]) -> None:
    """Refuse text and the like where an option of ours has a number, or true or false."""
    for group in GROUPS:
        for key, allowed in default_kinds(group, config[group].get("_target_")).items():
            value = look_up(config, f"{group}.{key}", _ABSENT)
            if value is not _ABSENT and value is not None:
                rule = {float: number, bool: flag, list: numbers}[allowed]
                rule(f"{group}.{key}").check(value)


def _check_loss(config: Mapping[str, Any]) -> None:
    """Our networks, and torchvision's, end in logits; another's may end in what it likes."""
    loss, model = str(config["loss"]["_target_"]), str(config["model"]["_target_"])
    if loss.rpartition(".")[2].startswith("NLLLoss") and model.startswith(_WITH_LOGITS):
        raise UserError(
            f"loss._target_={loss} is for log-probabilities, and {model} gives logits, for which "
            "its loss falls below 0 without end; allowed is torch.nn.CrossEntropyLoss "
            "(loss=cross_entropy), which is NLLLoss of their log-softmax"
        )


def objective_names(objective: Any) -> list[Any]:
    """The objective's metrics as a list, also where a single name was given."""
    return list(objective) if isinstance(objective, list | tuple | ListConfig) else [objective]


def monitors_validation(config: Mapping[str, Any]) -> bool:
    """Whether an objective is a validation metric."""
    return any(name in VALIDATION_METRICS for name in objective_names(config["objective"]))
