"""Runs that another Hydra app left: a CSV of metrics per epoch, a JSON or YAML of final figures."""

from cnnsweep.folders.run_folder import CONFIG, HYDRA, HYDRA_CONFIG, OVERRIDES
from cnnsweep.folders.sweep_folder import SWEEP_CONFIG
from cnnsweep.report.read.find import Found
from cnnsweep.report.read.run_record import Columns, Run, finite
from cnnsweep.report.read.safe_io import Damaged, flatten, read_columns, read_json, read_yaml

_STEPS = ("epoch", "epochs", "step", "iteration")
_NOT_METRICS = (CONFIG, OVERRIDES, HYDRA_CONFIG, SWEEP_CONFIG, "hparams.yaml")


def read_metrics(run: Run, found: Found) -> None:
    """Fill in metrics and final figures; the last value of a metric where none is final.

    Such an app records no outcome: a run with figures is taken as completed.
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

    Loggers such as Lightning's write training and validation figures on rows of their own: the
    last value of each figure in an epoch counts.
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
