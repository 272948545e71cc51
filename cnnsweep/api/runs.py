"""A run as an object: what its folder holds, read when it is asked for."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnsweep.errors import UserError
from cnnsweep.folders.run_folder import PREDICTION_COLUMNS, RunFolder
from cnnsweep.folders.winner import chosen_run
from cnnsweep.metric_names import DIRECTIONS, METRICS_COLUMNS

if TYPE_CHECKING:
    import pandas as pd
    from omegaconf import DictConfig

    from cnnsweep.predict import Prediction
    from cnnsweep.task.load_model import InferenceModel

_METRICS = tuple(name for name in DIRECTIONS if name.endswith(("loss", "accuracy")))


class RunFailed(UserError):
    """A run or a sweep began, and failed; the line says why.

    ``folder`` holds what it reached, and its log; the same call with that folder tries again. It is
    None where the process was killed before it had one.
    """

    def __init__(self, line: str, folder: Path | None = None) -> None:
        super().__init__(line)
        self.folder = folder


@dataclass(frozen=True, kw_only=True)
class Result:
    """The outcome of a run, as its ``result.json`` has it.

    Attributes:
        status: completed, pruned, paused, failed or interrupted.
        objective: the value of the config's objective, a list for several, None without one.
        metrics: losses (means per image) and accuracies (0..1) by name; those of training and
            validation are the best epoch's. None where a split was not read.
        epochs: those that were trained.
        best_epoch: the one whose weights are kept, from 1.
        seconds: time spent in training epochs.
        parameters: numbers that the network learns.
        learned: False where it is no better than guessing, None where that can't be told.
        error: why it failed, on one line.
        command: the line for a shell that makes the same run again; None of an older run.
        recorded: all of result.json.
    """

    status: str
    objective: float | list[float | None] | None
    metrics: dict[str, float | None]
    epochs: int
    best_epoch: int | None
    seconds: float
    parameters: int | None
    learned: bool | None
    error: str | None
    command: str | None
    recorded: dict[str, Any]

    def __repr__(self) -> str:
        """What was reached, on one line."""
        known = {name: value for name, value in self.metrics.items() if value is not None}
        shown = [f"{name} {value:.4g}" for name, value in known.items() if "accuracy" in name]
        return f"Result({', '.join([self.status, *shown, f'epochs {self.epochs}'])})"


@dataclass(frozen=True)
class Run:
    """A run in its folder, whoever trained it, and wherever; made by `run` and :meth:`load`."""

    folder: Path

    @classmethod
    def load(cls, folder: Path | str) -> "Run":
        """The run in a folder; of a sweep's folder its best run.

        Raises:
            UserError: the folder holds neither, or a sweep without a single best run.
        """
        return cls(whole(chosen_run(there(folder)).run))

    @property
    def config(self) -> "DictConfig":
        """The config that was trained, resolved.

        Raises:
            UserError: no run has begun there, or the file is damaged.
        """
        from omegaconf import OmegaConf

        recorded = RunFolder(self.folder).read_config()
        if recorded is None:
            raise UserError(f"{self.folder} holds no run: it has no config of one")
        return OmegaConf.create(recorded)

    @property
    def result(self) -> Result:
        """What came of it.

        Raises:
            UserError: the run is not over, or was killed; or the file is damaged.
        """
        recorded = RunFolder(self.folder).read_result()
        if recorded is None:
            raise UserError(f"{self.folder}: the run is not over; run(resume=FOLDER) goes on")
        return Result(
            status=str(recorded["status"]),
            objective=recorded.get("objective"),
            metrics={name: recorded.get(name) for name in _METRICS},
            epochs=int(recorded.get("epochs") or 0),
            best_epoch=recorded.get("best_epoch"),
            seconds=float(recorded.get("train_seconds") or 0),
            parameters=recorded.get("parameters"),
            learned=recorded.get("learned"),
            error=recorded.get("error"),
            command=recorded.get("command"),
            recorded=recorded,
        )

    @property
    def metrics(self) -> "pd.DataFrame":
        """metrics.csv: a row an epoch; no row before the first has ended."""
        import pandas as pd

        path = RunFolder(self.folder).metrics
        return pd.read_csv(path) if path.exists() else pd.DataFrame(columns=METRICS_COLUMNS)

    @property
    def predictions(self) -> "pd.DataFrame":
        """test_predictions.csv: a row a test image; no row where the test split was not read."""
        import pandas as pd

        path, names = RunFolder(self.folder).test_predictions, PREDICTION_COLUMNS
        if not path.exists():
            return pd.DataFrame(columns=names)
        texts = {name: str for name in names if name.endswith("_name") or name == "file"}
        return pd.read_csv(path, dtype=texts, keep_default_na=False)  # a class may be named None

    @property
    def figures(self) -> list[Path]:
        """The pictures that the run has drawn: curves, predictions, confusion matrix."""
        return RunFolder(self.folder).pictures()

    def model(self) -> "InferenceModel":
        """The network with its best weights, on the CPU, in evaluation mode.

        It takes uint8 images (N, C, H, W) with pixels 0..255 and gives probabilities (N, classes);
        ``.network`` is the network alone, for normalised images.

        Raises:
            UserError: the weights are not there (``keep``), or the files do not fit each other.
        """
        from cnnsweep.task.load_model import load_model

        return load_model(self.folder).network

    def predict(self, *images: Path | str, invert: bool = False) -> "list[Prediction]":
        """Classes and probabilities of image files, or of folders of them.

        Each has ``image``, ``classes`` (names with probabilities, the likeliest first) and
        ``note``. ``invert`` swaps dark and light first.

        Raises:
            UserError: an image is missing or can't be read, or there are no weights.
        """
        from cnnsweep.predict import predict

        answers = predict(
            self.folder, [Path(image).expanduser() for image in images], invert=invert
        )
        if answers.problems:
            raise UserError("; ".join(answers.problems))
        return answers.predictions

    def __repr__(self) -> str:
        """The folder, and what was reached, on one line."""
        recorded = RunFolder(self.folder).read_result()
        said = "not over" if recorded is None else repr(self.result)
        return f"Run({str(self.folder)!r}: {said})"


def whole(folder: Path) -> Path:
    """A folder as an absolute path without ``..``; links stay as they are named otherwise."""
    return folder.resolve() if ".." in folder.parts else folder.absolute()


def there(folder: Path | str) -> Path:
    """A folder as it was given; UserError where there is none."""
    path = Path(folder).expanduser()
    if not path.is_dir():
        raise UserError(f"{path}: there is no such folder")
    return path
