"""What a run shows: bars on a terminal, plain lines in a pipe, nothing in a sweep."""

from contextlib import AbstractContextManager, nullcontext
from time import monotonic

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from torch import Tensor

from cnnsweep import epoch_reporter
from cnnsweep.folders.result import Outcome
from cnnsweep.folders.run_folder import RunFolder
from cnnsweep.training.early_stopping import Row

_REFRESH_SECONDS = 0.2


class RunProgress:
    """What can be shown of a run. Shows nothing itself: so it is for a trial of a sweep."""

    def drawing(self) -> AbstractContextManager[object]:
        """Surrounds the training; takes back what was drawn, also after an error."""
        return nullcontext()

    def say(self, text: str) -> None:
        """Show a text as it is."""

    def note(self, line: str) -> None:
        """Show what a person should know of the data; in a sweep once, of all its runs."""
        if epoch_reporter.current is not None:
            epoch_reporter.current.note(line)

    def started(self, images: int, epochs_behind: int, epochs: int) -> None:
        """Training begins: images in an epoch, epochs trained before a resume, epochs in all."""

    def batch_ended(self, done: int, loss_sum: Tensor, right: Tensor) -> None:
        """Images done in this epoch and the running sums of loss and right answers."""

    def epoch_ended(self, row: Row) -> None:
        """``row`` is the epoch's line of metrics.csv."""

    def outcome(self, outcome: Outcome, folder: RunFolder) -> None:
        """The run is over."""


def make_progress() -> RunProgress:
    """Bars where standard output is a terminal, lines where it is not."""
    console = Console()
    return Bars(console) if console.is_terminal else Lines()


class Lines(RunProgress):
    """A line an epoch, and one for each line of the outcome."""

    def say(self, text: str) -> None:
        print(text, flush=True)

    def note(self, line: str) -> None:
        self.say(line)

    def started(self, images: int, epochs_behind: int, epochs: int) -> None:
        self._images = images
        self._epochs = epochs
        self._behind = epochs_behind
        self._began = monotonic()

    def epoch_ended(self, row: Row) -> None:
        epoch = int(row["epoch"] or 0)
        done = epoch - self._behind
        left = (monotonic() - self._began) / done * (self._epochs - epoch)
        self.say(f"epoch {epoch}/{self._epochs}  {_metrics(row)}  {left:.0f} s left")

    def outcome(self, outcome: Outcome, folder: RunFolder) -> None:
        for name, value in _outcome_rows(outcome):
            self.say(f"{name}: {value}")
        if (learning := _learning(outcome)) is not None:
            self.say(learning)
        self.say(f"results: {folder}")


class Bars(Lines):
    """A bar for the epoch that runs, with loss, accuracy, images per second and time left."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[metrics]}"),
            TimeRemainingColumn(),
            transient=True,
            console=console,
            refresh_per_second=1 / _REFRESH_SECONDS,  # each drawing takes the trainer 0.6 ms
        )
        self._shown = 0.0

    def drawing(self) -> AbstractContextManager[object]:
        return self._progress

    def say(self, text: str) -> None:
        self._console.print(text, highlight=False, markup=False, emoji=False)

    def started(self, images: int, epochs_behind: int, epochs: int) -> None:
        super().started(images, epochs_behind, epochs)
        self._epoch_began = monotonic()
        self._task: TaskID = self._progress.add_task(
            self._title(epochs_behind + 1),
            total=images * epochs,
            completed=images * epochs_behind,
            metrics="",
        )
        self._done = epochs_behind

    def batch_ended(self, done: int, loss_sum: Tensor, right: Tensor) -> None:
        now = monotonic()
        if now - self._shown < _REFRESH_SECONDS:
            return
        self._shown = now
        metrics = f"{done / (now - self._epoch_began):,.0f} images/s"
        if loss_sum.device.type == "cpu":  # reading a sum would make a GPU wait
            metrics = f"loss {loss_sum / done:.4f}  accuracy {right / done:.4f}  {metrics}"
        completed = self._done * self._images + done
        self._progress.update(self._task, completed=completed, metrics=metrics)

    def epoch_ended(self, row: Row) -> None:
        self._done = int(row["epoch"] or 0)
        self._epoch_began = monotonic()
        self.say(f"epoch {self._done}/{self._epochs}  {_metrics(row)}")
        self._progress.update(
            self._task,
            completed=self._done * self._images,
            description=self._title(min(self._done + 1, self._epochs)),
        )

    def outcome(self, outcome: Outcome, folder: RunFolder) -> None:
        table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
        for name, value in _outcome_rows(outcome):
            table.add_row(name, value)
        self._console.print(table)
        if (learning := _learning(outcome)) is not None:
            self._console.print(learning, style="yellow", highlight=False)
        self._console.print(f"results: {folder}", soft_wrap=True, highlight=False)

    def _title(self, epoch: int) -> str:
        return f"epoch {epoch}/{self._epochs}"


def _metrics(row: Row) -> str:
    shown = [f"loss {row['train_loss']:.4f}  accuracy {row['train_accuracy']:.4f}"]
    if row["val_loss"] is not None:
        shown.append(f"val_loss {row['val_loss']:.4f}  val_accuracy {row['val_accuracy']:.4f}")
    shown.append(f"{row['images_per_second']:,.0f} images/s")
    return "  ".join(shown)


def _outcome_rows(outcome: Outcome) -> list[tuple[str, str]]:
    rows = [("epochs", f"{outcome.epochs} (best: {outcome.best_epoch})")]
    for split in ("train", "val", "test"):
        loss, accuracy = (getattr(outcome, f"{split}_{name}") for name in ("loss", "accuracy"))
        if loss is not None:
            balanced = getattr(outcome, f"{split}_balanced_accuracy", None)
            also = "" if balanced is None else f"  balanced {balanced:.4f}"
            rows.append((split, f"accuracy {accuracy:.4f}  loss {loss:.4f}{also}"))
    rows.append(("parameters", f"{outcome.parameters:,}"))
    speed = f"{outcome.images_per_second:,.0f} images/s"
    threads = "1 thread" if outcome.threads == 1 else f"{outcome.threads} threads"
    where = f"{outcome.device}, {outcome.precision}, {threads}"
    rows.append(("training", f"{outcome.train_seconds:.1f} s, {speed} ({where})"))
    return rows


def _learning(outcome: Outcome) -> str | None:
    """What to say where the network did not learn, or where that cannot be told."""
    balanced = outcome.test_balanced_accuracy
    split = "validation" if balanced is None else "test"
    shown = outcome.val_balanced_accuracy if balanced is None else balanced
    if shown is None or outcome.learned:
        return None
    if outcome.learned is None:
        return f"whether it learned cannot be told: too few {split} images of a class"
    return (
        f"did not learn: {split} balanced accuracy {shown:.4f} is no better than guessing; try "
        "another optim.lr (ten times or a tenth), more epochs, model.activation=relu, for unequal "
        "classes loss.weight=balanced, or --multirun search=sgd"
    )
