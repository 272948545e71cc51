"""From the files of a run folder to a Run: ours, or any other Hydra app's."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from cnnsweep.errors import on_one_line
from cnnsweep.folders import run_folder
from cnnsweep.folders.run_folder import (
    APP,
    CONFIG,
    HYDRA,
    HYDRA_CONFIG,
    METRICS,
    OVERRIDES,
    RESULT,
    RUNNING,
    TEST_PREDICTIONS,
)
from cnnsweep.folders.sweep_folder import SWEEP_CONFIG
from cnnsweep.report.read.find import Found
from cnnsweep.report.read.own_targets import is_replaced
from cnnsweep.report.read.run_files import COMPOSED, contradiction, decided_by
from cnnsweep.report.read.run_record import (
    FINGERPRINT,
    UNFINISHED,
    UNKNOWN,
    Columns,
    Run,
    finite,
)
from cnnsweep.report.read.safe_io import (
    Damaged,
    Scalar,
    flat_yaml,
    flatten,
    read_columns,
    read_json,
    read_text,
    read_yaml,
)

T = TypeVar("T")

_OURS = (CONFIG, run_folder.LOG)
_OUR_NAME = run_folder.LOG.removesuffix(".log")
_CHOICES = f"{HYDRA}/{HYDRA_CONFIG}"
_DATA, _OWN_IMAGES = "data", ".image_folder"
_NOT_SHOWN = (
    "data.",
    "classes",
    "earlier",
    "lengthened",
)  # fields of result.json, and what lies below them
_SHOWN = 12  # characters of a fingerprint
_STEPS = ("epoch", "epochs", "step", "iteration")
_NOT_METRICS = (CONFIG, OVERRIDES, HYDRA_CONFIG, SWEEP_CONFIG, "hparams.yaml")


def read_run(found: Found) -> Run:
    """The run in a folder. Damage costs it a line in ``problems``, and its status."""
    run = Run(found.folder, images=TEST_PREDICTIONS in found.files)
    name = CONFIG if CONFIG in found.files else COMPOSED
    config = _try(run, name, found, lambda path: flat_yaml(read_text(path)))
    hydra = _try(run, _CHOICES, found, _hydra) or {}
    run.multirun = hydra.get("mode") == "MULTIRUN"
    run.app = hydra.get("app")
    run.decides, run.direction = hydra.get("metric"), hydra.get("direction")
    result = _try(run, RESULT, found, _result) if RESULT in found.files else None
    # Of a job that has just begun there is only what Hydra wrote.
    begun = any(name in found.files for name in _OURS) or run.app == _OUR_NAME
    run.told = result is not None and APP in result
    run.ours = begun or (result is not None and not run.told)
    run.config = _with_choices(config or {}, hydra.get("choices", {}), run.ours)
    if run.ours:
        run.config[FINGERPRINT] = _fingerprint(run, result or {})
    damaged = bool(run.problems)
    if run.ours and name == CONFIG and (line := contradiction(found.folder)) is not None:
        run.problems.append(line)
    if run.ours:
        run.metrics = _try(run, METRICS, found, read_columns) or {}
        _tell(run, result)
    elif run.told and result is not None:
        run.app = str(result.pop(APP))
        run.take_objective(result)
        run.metrics = _try(run, METRICS, found, lambda path: _by_epoch(read_columns(path))) or {}
        _tell(run, result)
    else:
        _read_metrics(run, found)
    if damaged:
        run.status = "damaged"
    return run


def _try(run: Run, name: str, found: Found, read: Callable[[Path], T]) -> T | None:
    """What ``read`` makes of a file; None where it is absent or damaged."""
    if name not in found.files:
        return None
    try:
        return read(found.folder / name)
    except Damaged as damage:
        run.problems.append(f"{found.folder / name}: {damage}")
        return None


def _result(path: Path) -> dict[str, Scalar] | None:
    """Our result.json, flat; None where another app wrote a file of that name."""
    content = read_json(path)
    if content.get("status") == RUNNING and APP in content:
        content["status"] = UNFINISHED
    elif content.get("status") not in run_folder.STATUSES:
        if "status" in content:
            raise Damaged(f"unknown status {content['status']!r:.40}")
        return None
    content.pop("classes", None)  # names, no figure
    objectives = content.get("objective")
    if isinstance(objectives, list):
        content["objective"] = dict(enumerate(objectives))
    return flatten(content)


def _fingerprint(run: Run, result: dict[str, Scalar]) -> str:
    """What tells the run's data from others: of them only this is kept, not each class.

    Where older code recorded nothing, the folder of one's own images stands in for it.
    """
    known = {key: result.pop(key) for key in list(result) if key.startswith(_NOT_SHOWN)}
    fingerprint = known.get(f"{_DATA}.hash")
    if fingerprint is not None:
        return str(fingerprint)[:_SHOWN]
    if str(run.config.get(f"{_DATA}._target_")).endswith(_OWN_IMAGES):
        return f"{UNKNOWN} (below {run.config.get(f'{_DATA}.root')})"
    return UNKNOWN


def _tell(run: Run, result: dict[str, Scalar] | None) -> None:
    if result is None:
        seconds = [value for value in run.metrics.get("train_seconds", []) if value is not None]
        run.result = {"epochs": run.epochs_done, "train_seconds": sum(seconds)}
        return
    run.status = str(result.pop("status"))
    learned = result.get("learned")
    run.learned = learned if isinstance(learned, bool) else None
    error = result.pop("error", None)
    run.error = None if error is None else on_one_line(error)
    run.result = result
    for name, value in result.items():
        if name.endswith(("accuracy", "loss")) and value is not None and finite(value) is None:
            run.problems.append(f"{run.folder / RESULT}: {name} is {value!r:.40}, no number")


def _hydra(path: Path) -> dict[str, Any]:
    """Mode, the app's name, choices, and what decides in our sweeper, from Hydra's own settings.

    Only these few lines are parsed: the file is long, and the same for all jobs but for them.
    """
    text = read_text(path)
    mode = re.search(r"^  mode: (\w+)$", text, re.MULTILINE)
    block = re.search(r"^    choices:\n((?:      .*\n?)+)", text, re.MULTILINE)
    choices = {} if block is None else flat_yaml(re.sub(r"(?m)^      ", "", block[1]))
    app = re.search(r"^  job:\n    name: (\S+)$", text, re.MULTILINE)
    ours = re.search(
        r"^  sweeper:\n    _target_: cnnsweep\.\S+\n((?:    .*\n)+)", text, re.MULTILINE
    )
    return {
        "mode": mode and mode[1],
        "app": app and app[1],
        "choices": choices,
        **(decided_by(ours[1]) if ours else {}),
    }


def _with_choices(
    config: dict[str, Scalar], choices: dict[str, Any], ours: bool
) -> dict[str, Scalar]:
    """The config with the choice of each group under the group's name (``model: resnet``).

    Without Hydra's settings the last part of the group's ``_target_`` stands in for it; so it does
    where one of our choices was given another target (``model._target_=my.Net``).
    """
    named: dict[str, Scalar] = {
        key.removesuffix("._target_"): str(value).rpartition(".")[2]
        for key, value in config.items()
        if key.endswith("._target_") and key.count(".") == 1 and value is not None
    }
    named |= {
        str(group): None if choice is None else str(choice)
        for group, choice in choices.items()
        if "/" not in str(group)
        and not (ours and is_replaced(str(group), str(choice), config.get(f"{group}._target_")))
    }
    return named | config


def _read_metrics(run: Run, found: Found) -> None:
    """Fill in another app's metrics: a CSV with a row an epoch, a JSON or YAML of final values.

    Where there is no final value of a metric, its last one counts. Such an app
    records no outcome: a run with metrics is taken as completed.
    """
    for name in sorted(found.files, key=lambda name: (name.count("/"), name)):
        if name.startswith(HYDRA) or name.rpartition("/")[2] in _NOT_METRICS:
            continue
        try:
            if name.endswith(".csv"):
                run.metrics = run.metrics or _by_epoch(read_columns(found.folder / name))
            else:
                read = read_json if name.endswith(".json") else read_yaml
                run.result |= flatten(read(found.folder / name))
        except Damaged as damage:
            run.problems.append(f"{found.folder / name}: {damage}")
    finals = {name: _last(column) for name, column in run.metrics.items() if name not in _STEPS}
    for name, value in finals.items():
        if value is not None:
            run.result.setdefault(name, value)
    if any(finite(value) is not None for value in run.result.values()):
        run.status = "completed"


def _by_epoch(columns: Columns) -> Columns:
    """One row an epoch, as ``epoch``; {} where there is no such column.

    Loggers such as Lightning's write training and validation metrics on rows of their own: the
    last value of each metric in an epoch counts.
    """
    step = next((name for name in _STEPS if name in columns), None)
    if step is None:
        return {}
    rows: dict[float, dict[str, float]] = {}
    for number, epoch in enumerate(columns[step]):
        if epoch is not None:
            values = {k: v[number] for k, v in columns.items() if k != step}
            rows.setdefault(epoch, {}).update({k: v for k, v in values.items() if v is not None})
    epochs = sorted(rows)
    names = [name for name in columns if name != step]
    table: Columns = {name: [rows[epoch].get(name) for epoch in epochs] for name in names}
    return {
        "epoch": list(epochs),
        **{k: v for k, v in table.items() if any(x is not None for x in v)},
    }


def _last(column: list[float | None]) -> float | None:
    return next((value for value in reversed(column) if value is not None), None)
