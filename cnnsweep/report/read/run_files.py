"""What only a few runs are asked for, and so is read when it is: typed words, sizes of splits."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from cnnsweep.dotted_keys import are_same, is_below
from cnnsweep.errors import and_more
from cnnsweep.folders.data_record import validation_images
from cnnsweep.folders.run_folder import CONFIG, HYDRA, OVERRIDES, RESULT, UNCOMPARED
from cnnsweep.folders.typed_words import in_quotes
from cnnsweep.metric_names import direction_of
from cnnsweep.report.read.escape import plain
from cnnsweep.report.read.run_record import Run
from cnnsweep.report.read.safe_io import Damaged, Scalar, flat_yaml, read_json, read_text
from cnnsweep.report.read.spaces import Launch
from cnnsweep.rules import as_typed

COMPOSED = f"{HYDRA}/{CONFIG}"
_NAME = re.compile(r"(?!(?:null|true|false|nan|inf)$)[a-z_][a-z0-9_]*", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True)
class Splits:
    """How many images a run's metrics rest on; None where its folder does not say."""

    validation: int | None
    test: int | None
    brings_validation: bool  # the data have a validation split of their own


def split_sizes(run: Run) -> Splits:
    """The sizes of a run's validation and test split."""
    try:
        record = read_json(run.folder / RESULT).get("data")
    except Damaged:
        record = None
    data: dict[str, Any] = record if isinstance(record, dict) else {}
    test, val = data.get("test"), data.get("val")
    limit, fraction = run.config.get("data.train_limit"), run.config.get("data.val_fraction")
    return Splits(
        validation_images(data.get("train"), val, limit, fraction),
        test if isinstance(test, int) and test > 0 else None,
        isinstance(val, int),
    )


def words_of(run: Run, keys: Iterable[str]) -> list[str]:
    """The words that set these keys as they are in a run: typed, they give the same values.

    As they were typed for it; a key that nobody typed has its value in the config, and so has one
    that was trained with another value than was typed last.
    """
    other = contradicted(run.folder) if run.ours else {}
    typed = {key: word for key, word in _typed(run.folder) if key not in other}
    return [
        typed[key] if key in typed else f"{key}={_value(run.config[key])}"
        for key in keys
        if key in typed or key in run.config
    ]


def not_drawn(launch: Launch | None, run: Run) -> frozenset[str]:
    """The conditional keys of a launch that this trial did not draw: its config has them all."""
    if launch is None or not launch.conditional:
        return frozenset()
    return launch.conditional - dict(_typed(run.folder)).keys()


def _value(value: Scalar) -> str:
    """Lists are text by now, as Hydra takes it."""
    is_plain = not isinstance(value, str) or value.startswith("[") or _NAME.fullmatch(value)
    return as_typed(value) if is_plain else in_quotes(str(value))


def _typed(folder: Path) -> Iterator[tuple[str, str]]:
    """Keys and words of a run's overrides."""
    path = folder / HYDRA / OVERRIDES
    if path.is_symlink() or not path.is_file():
        return
    try:
        words = yaml.safe_load(read_text(path))
    except (Damaged, yaml.YAMLError, ValueError, RecursionError):
        return
    for word in words if isinstance(words, list) else ():
        key, sign, _ = str(word).partition("=")
        if sign:
            yield key.lstrip("+"), plain(str(word))


def contradicted(folder: Path) -> dict[str, Scalar]:
    """What a run of ours has in its own config, where Hydra's copy of it has another value.

    Hydra writes its copy anew at each start, ours is written once. By dotted key; {} where there
    is nothing to compare, or one of the files is damaged.
    """
    try:
        composed, own = read_text(folder / COMPOSED), read_text(folder / CONFIG)
        if {*composed.splitlines()} <= {*own.splitlines()}:  # parsing takes long
            return {}
        now, trained = flat_yaml(composed), flat_yaml(own)
    except Damaged:
        return {}
    return {
        key: trained[key]
        for key, value in now.items()
        if key in trained and not _is_open(value) and not are_same(value, trained[key])
        if not is_below(key, UNCOMPARED)
    }


def _is_open(value: Scalar) -> bool:
    """Whether a value is yet to be resolved: an interpolation, or a path below the home."""
    return isinstance(value, str) and ("${" in value or value.startswith("~"))


def contradiction(folder: Path) -> str | None:
    """A line on it; None where there is none."""
    found = contradicted(folder)
    if not found:
        return None
    said = and_more([f"{key}={value}" for key, value in found.items()])
    return (
        f"{folder / HYDRA} is not of what was trained there: {said} is, by its {CONFIG}, which is "
        "what is shown"
    )


def decided_by(text: str) -> dict[str, str]:
    """The metric and the direction of a sweeper's settings, where one is named.

    A direction that was not typed is that of the metric's name, as the sweeper takes it.
    """
    found = re.findall(r"^    (metric|direction): (\w\S*)$", text, re.MULTILINE)
    named = {key: value for key, value in found if value != "null"}
    way = direction_of(named.get("metric", ""))
    return named if way is None else {"direction": way} | named
