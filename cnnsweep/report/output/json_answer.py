"""report.json: the answer for programs, as report.schema.json describes it."""

import json
import math
import os
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np

from cnnsweep import __version__
from cnnsweep.errors import printable
from cnnsweep.report.answer.analysis import Answer
from cnnsweep.report.answer.cost import Cost
from cnnsweep.report.answer.winning.winners import Winner
from cnnsweep.report.read.run_files import not_drawn
from cnnsweep.report.read.run_record import FINGERPRINT, Run
from cnnsweep.report.read.sweeps import Sweep
from cnnsweep.report.stats.comparison import Pair
from cnnsweep.report.stats.drawn_keys import varied_keys
from cnnsweep.report.stats.grouping import Group
from cnnsweep.report.stats.metric import Metric
from cnnsweep.report.stats.nested import Nested

SCHEMA_VERSION = 1
Json = dict[str, Any]
_WRITTEN = {  # fields of the Answer with a place of their own; every other one is a finding
    "question", "gathered", "metric", "grouping", "comparison", "first", "verdicts", "winners",
    "cost", "files", "notes",
}  # fmt: skip


def report_json(answer: Answer) -> str:
    """The text of report.json, with a line break at its end."""
    return json.dumps(as_json(answer), indent=1, allow_nan=False) + "\n"


def as_json(answer: Answer) -> Json:
    """The answer as plain values: what is no number is null, a folder is a relative POSIX path."""
    gathered = answer.gathered
    return {
        "schema_version": SCHEMA_VERSION,
        "cnnsweep": __version__,
        "roots": [as_plain(root) for root in gathered.roots],
        "metric": {
            "name": as_plain(answer.metric.name),
            "maximize": answer.metric.maximize,
            "percent": answer.metric.percent,
        },
        "by": as_plain(answer.question.by),
        "runs": len(answer.runs),
        "counts": gathered.counts(),
        "answer": as_plain(answer.first.sentences),
        "next": [as_plain([*step.commands]) for step in answer.first.steps],
        "verdicts": as_plain(answer.verdicts),
        "groups": [_group(group) for group in answer.grouping.groups],
        "pairs": [_pair(pair) for pair in answer.comparison.pairs],
        "winners": [_winner(winner) for winner in answer.winners],
        "warnings": {"notes": as_plain(answer.notes), "problems": as_plain(gathered.problems)},
        "cost": _cost(answer.cost),
        "findings": {
            one.name: as_plain(getattr(answer, one.name))
            for one in fields(answer)
            if one.name not in _WRITTEN
        },
    }


def as_plain(value: object) -> Any:
    """Any part of an answer as JSON's values: a new finding needs nothing more.

    Runs and sweeps are their folders, groups their labels, metrics their names; other dataclasses
    are objects of their fields.
    """
    if isinstance(value, Path):
        return _path(value)
    if isinstance(value, Run | Sweep):
        return _path(value.folder)
    if isinstance(value, Group):
        return {"group": as_plain(value.label), "stratum": as_plain(value.stratum)}
    if isinstance(value, Metric):
        return as_plain(value.name)
    if isinstance(value, Mapping):
        return {str(as_plain(key)): as_plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return as_plain(value.tolist())
    if isinstance(value, list | tuple):
        return [as_plain(item) for item in value]
    if is_dataclass(value):
        return {one.name: as_plain(getattr(value, one.name)) for one in fields(value)}
    return _scalar(value.value if isinstance(value, Enum) else value)


def _scalar(value: object) -> str | int | float | bool | None:
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return printable(str(value))


def _path(folder: Path) -> str:
    return printable(Path(os.path.relpath(folder)).as_posix())


def _group(group: Group) -> Json:
    return {
        "group": as_plain(group.label),
        "stratum": as_plain(group.stratum),
        "n": group.n,
        "mean": as_plain(group.mean),
        "sd": as_plain(group.deviation),
        "interval": as_plain(group.interval),
        "searches": None if group.nested is None else _searches(group.nested),
        "settings": group.settings,
        "mixes": as_plain(group.mixes),
        "never_learned": group.unlearned,
        "parameters": as_plain(group.mean_of("parameters")),
        "train_seconds": as_plain(group.mean_of("train_seconds")),
        "folders": as_plain(group.runs),
    }


def _searches(nested: Nested) -> Json:
    return {
        "count": nested.searches,
        "sd_of_searches": as_plain(nested.of_searches),
        "sd_of_seeds": as_plain(nested.of_seeds),
    }


def _pair(pair: Pair) -> Json:
    d, images = pair.difference, pair.images
    half = d.half_width
    return {
        "better": as_plain(pair.better.label),
        "worse": as_plain(pair.worse.label),
        "stratum": as_plain(pair.better.stratum),
        "test": d.kind,
        "n": d.n,
        "difference": as_plain(d.mean),
        "interval": None if half is None else as_plain([d.mean - half, d.mean + half]),
        "p": as_plain(d.p),
        "p_holm": as_plain(pair.p_holm),
        "effect": as_plain(d.effect),
        "decided": pair.decided,
        "equivalent": None if pair.p_same is None else pair.equivalent,
        "p_equivalent": as_plain(pair.p_same),
        "probability": as_plain(pair.chance),
        "seeds_needed": pair.needed,
        "images": as_plain(images),
    }


def _winner(winner: Winner) -> Json:
    absent = not_drawn(winner.launch, winner.trial)
    varied = [key for key in varied_keys([winner.sweep], winner.sweep.runs) if key not in absent]
    config = {k: v for k, v in winner.trial.config.items() if k != FINGERPRINT}
    return {
        "sweep": as_plain(winner.sweep),
        "folder": as_plain(winner.trial),
        "objective": as_plain(winner.objective),
        "best": as_plain(winner.best),
        "tried": winner.tried,
        "points_of": winner.beforehand.points_of,
        "chosen_among": winner.among,
        "warm_start": as_plain(winner.beforehand.warm_start),
        "better_elsewhere": as_plain(winner.beforehand.better),
        "bias": as_plain(winner.bias),
        "confirmed": as_plain(winner.confirmed),
        "test_accuracy": as_plain(winner.test),
        "settings": as_plain({key: config.get(key) for key in varied}),
        "config": as_plain(config),
        "words": as_plain(winner.settings),
        "against_default": as_plain(winner.against),
    }


def _cost(cost: Cost) -> Json:
    failures = [
        {"cause": as_plain(cause), "count": count, "folder": as_plain(run)}
        for cause, count, run in cost.failures
    ]
    return {**as_plain(cost), "failures": failures}
