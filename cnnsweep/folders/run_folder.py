"""The run folder: the one owner of every file name in it.

A file appears whole or not at all. Text formats and plain tensors only.
"""

import csv
import io
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from cnnsweep.dotted_keys import are_same, is_below, leaves
from cnnsweep.errors import UserError, on_one_line, printable
from cnnsweep.folders.lock import LOCK_NAME
from cnnsweep.folders.recorded_defaults import completed, with_old_defaults
from cnnsweep.metric_names import METRICS_COLUMNS
from cnnsweep.rules import tree_with_home

ROOT = Path("outputs")  # where Hydra puts single runs unless told otherwise
CONFIG, RESULT, METRICS = "config.yaml", "result.json", "metrics.csv"
BEST, LAST = "best.pt", "last.pt"
LOG = "cnnsweep.log"  # so named by hydra.job.name
PAUSED = "paused"  # a trial that waits and may go on; also its attribute in the study
RUNNING = "running"  # of another app's run that has no outcome yet; ours have no RESULT then
APP = "app"  # the key of RESULT that names the app, where that is another one
OBJECTIVE_IS = "objective_is"  # such an app's: the objective's metric, and which way is better
STATUSES = ("completed", "pruned", PAUSED, "failed", "interrupted")  # in RESULT
RUN_MARKS = (METRICS, LOG, LAST, BEST)  # with CONFIG, one of them makes a folder a run's
TEST_PREDICTIONS = "test_predictions.csv"
PREDICTION_COLUMNS = (
    "index", "label", "prediction", "confidence", "label_name", "prediction_name", "file",
)  # fmt: skip
PICTURES = ("curves.png", "predictions.png", "confusion.png")
DATA_FILES = "data.csv"
PATCH, FOLDER_PATCH = "code.patch", "code_of_folder.patch"
ONNX, PROGRAM = "model.onnx", "model.pt2"
HYDRA = ".hydra"  # in it CONFIG as it was composed, and:
OVERRIDES, HYDRA_CONFIG = "overrides.yaml", "hydra.yaml"
COMMAND = "command.yaml"  # ours: Hydra writes its files anew at each start, not at once
TRACKERS = ".trackers"
UNFINISHED = ".unfinished"  # ends the names of files that are being written
LONGER = ".longer"  # in a finished run's folder: the same run, as it is trained for more epochs
LENGTHENED = ".lengthened"  # that one once it is finished, as its files take their places
GONE = ".gone"  # ends the name of an empty file there, for one that the longer run lacks

_OUTCOME = {"status", "objective", "versions"}  # keys of RESULT as every version of ours wrote it
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # a tenth of the time, where it is there
UNCOMPARED = (
    "hydra", "resume", "from", "logger", "summary", "keep", "data.root", "data.download",
)  # fmt: skip


class RunFolder:
    """The files of one run below ``path``; reading them needs neither torch nor Hydra.

    Where the run ``is_ours``, such files are as we wrote them. Another app may have any of its own
    under their names: what is not an outcome as we write it is none.
    """

    def __init__(self, path: Path, *, is_ours: bool = True) -> None:
        self.path = path
        self.is_ours = is_ours
        is_lengthened = (path / LENGTHENED).is_dir()  # rarely: asked once, not for each file
        place = partial(present, path) if is_lengthened else path.joinpath
        self.config = place(CONFIG)
        self.result = place(RESULT)
        self.metrics = place(METRICS)
        self.best = place(BEST)
        self.last = place(LAST)
        self.test_predictions = place(TEST_PREDICTIONS)
        self.curves, self.predictions, self.confusion = (place(name) for name in PICTURES)
        self.data_files = place(DATA_FILES)
        self.patch = place(PATCH)
        self.folder_patch = place(FOLDER_PATCH)
        self.onnx = path / ONNX
        self.program = path / PROGRAM
        self.tracker_id = path / TRACKERS / "id"

    def __str__(self) -> str:
        """The folder as a person here would type it."""
        path = self.path.parent if self.path.name == LONGER else self.path
        here = Path.cwd()
        is_below = here in path.parents  # a run may work in its own folder
        return str(path.relative_to(here) if is_below else path)

    def pictures(self) -> list[Path]:
        """The pictures that are there."""
        drawn = (self.curves, self.predictions, self.confusion)
        return [path for path in drawn if path.exists()]

    def tracker_lock(self, tracker: str) -> Path:
        """Locked by the tracker's process while it is at work on this run."""
        return self.path / TRACKERS / f"{tracker}{LOCK_NAME}"

    def tracker_log(self, tracker: str) -> Path:
        """What the tracker's process prints."""
        return self.path / TRACKERS / f"{tracker}.log"

    def read_config(self) -> dict[str, Any] | None:
        """The run's resolved config; None where no run has begun.

        Raises:
            UserError: the file is damaged.
        """
        return read_mapping(self.config, partial(yaml.load, Loader=_LOADER), yaml.YAMLError)

    def read_result(self) -> dict[str, Any] | None:
        """The run's outcome; None where it has none yet. Raises UserError for a damaged file."""
        try:
            content = read_mapping(self.result, json.loads, json.JSONDecodeError)
        except UserError:
            if self.is_ours:
                raise
            return None
        is_outcome = self.is_ours or (content is not None and content.keys() >= _OUTCOME)
        return content if is_outcome else None

    def write_config(self, config: Mapping[str, Any]) -> None:
        """Write the resolved config, once: a resumed run's config is compared with it."""
        write_text_whole(self.config, yaml.safe_dump(dict(config), sort_keys=False))

    def write_result(self, result: Mapping[str, Any]) -> None:
        """Write the outcome; it comes last, so a folder with one has all its files."""
        write_text_whole(self.result, json.dumps(result, indent=2) + "\n")

    def write_metrics(self, rows: Iterable[Mapping[str, float | int | None]]) -> None:
        """Write a line an epoch, header first; a metric that does not exist is left empty."""
        body = ([r[c] for c in METRICS_COLUMNS] for r in rows)
        write_text_whole(self.metrics, as_csv(METRICS_COLUMNS, body))

    def read_metrics(self) -> list[dict[str, float | int | None]]:
        """The rows of metrics.csv; [] where there is no such file."""
        if not self.metrics.exists():
            return []
        with self.metrics.open(encoding="utf-8", newline="") as file:
            return [
                {k: int(v) if k == "epoch" else float(v) if v else None for k, v in row.items()}
                for row in csv.DictReader(file)
            ]

    def write_test_predictions(
        self, rows: Iterable[tuple[int, int, float]], classes: Sequence[str], files: Sequence[str]
    ) -> None:
        """Write label, prediction and confidence (0..1) of each test image, with names and file.

        ``files`` is empty where images have no files of their own. What is no character in a name
        is escaped.
        """
        names = [printable(name) for name in classes]
        named = (
            (index, *row, names[row[0]], names[row[1]], printable(files[index]) if files else "")
            for index, row in enumerate(rows)
        )
        write_text_whole(self.test_predictions, as_csv(PREDICTION_COLUMNS, named))

    def remove_torn_files(self) -> None:
        """Remove files that a killed process was writing."""
        for torn in self.path.glob(f"*{UNFINISHED}"):
            torn.unlink()


def present(folder: Path, name: str) -> Path:
    """Where a file of a run is: in its folder, or as :mod:`cnnsweep.folders.longer` puts it there.

    Files of the former and of the longer run never mix, whatever was killed in between.
    """
    lengthened = folder / LENGTHENED
    if lengthened.is_dir():
        at = lengthened / name
        if at.exists() or at.with_name(name + GONE).exists():
            return at
    return folder / name


def as_csv(header: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    """A table as text, a line a row."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()


def write_whole(path: Path, content: bytes) -> None:
    """Write a file beside ``path``, then put it in its place in one step."""
    unfinished = path.with_name(path.name + UNFINISHED)
    try:
        with unfinished.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except BaseException as error:
        unfinished.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise


def write_text_whole(path: Path, text: str) -> None:
    """As :func:`write_whole`, for UTF-8 text."""
    write_whole(path, text.encode())


def differing_keys(
    recorded: Mapping[str, Any], present: Mapping[str, Any], *, is_ours: bool = True
) -> list[str]:
    """Dotted keys in which two resolved configs differ; [] where they are the same config.

    ``recorded`` may be older code's: see :mod:`cnnsweep.folders.recorded_defaults`. Where they are
    not ``is_ours`` but another app's, every key counts, whatever its name.
    """
    before = completed(tree_with_home(recorded), present) if is_ours else leaves(recorded)
    now, missing = leaves(present), object()
    differing = [
        key for key in before | now if not are_same(before.get(key, missing), now.get(key, missing))
    ]
    return [key for key in differing if not (is_ours and is_below(key, UNCOMPARED))]


def comparable(config: Mapping[str, Any], *, is_ours: bool = True) -> dict[str, Any]:
    """What is equal for equal configs, old and new: all that is compared, by dotted key."""
    if not is_ours:
        return leaves(config)
    found = with_old_defaults(tree_with_home(config))
    return {key: value for key, value in found.items() if not is_below(key, UNCOMPARED)}


def read_mapping(
    path: Path, parse: Callable[[str], Any], damage: type[Exception]
) -> dict[str, Any] | None:
    """What ``parse`` makes of a file, None without one; UserError for ``damage``, or no dict."""
    try:
        content = parse(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (damage, UnicodeDecodeError) as error:
        raise UserError(f"{path} is damaged: {on_one_line(error)}") from error
    if not isinstance(content, dict):
        raise UserError(f"{path} is damaged: a mapping was expected, not {content!r:.40}")
    return content
