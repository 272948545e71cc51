"""The metrics of a run: their names, which way is better, and seconds as text."""

from typing import Literal

Direction = Literal["maximize", "minimize"]

DIRECTIONS: dict[str, Direction] = {
    "train_loss": "minimize",
    "train_accuracy": "maximize",
    "val_loss": "minimize",
    "val_accuracy": "maximize",
    "val_balanced_accuracy": "maximize",
    "test_loss": "minimize",
    "test_accuracy": "maximize",
    "test_balanced_accuracy": "maximize",
    "epochs": "minimize",
    "best_epoch": "minimize",
    "parameters": "minimize",
    "train_seconds": "minimize",
    "images_per_second": "maximize",
}
VALIDATION_METRICS = ("val_loss", "val_accuracy", "val_balanced_accuracy")
METRICS_COLUMNS = (
    "epoch",
    "learning_rate",
    "train_loss",
    "train_accuracy",
    "val_loss",
    "val_accuracy",
    "train_seconds",
    "images_per_second",
    "val_balanced_accuracy",
)


def duration(seconds: float) -> str:
    """``1 h 05 min``, ``3 min 20 s``, ``12 s``; below one second ``0.35 s``."""
    if 0 < seconds < 1:
        return f"{seconds:.2g} s"
    whole = round(seconds)
    if whole >= 3600:
        return f"{whole // 3600} h {whole % 3600 // 60:02} min"
    return f"{whole // 60} min {whole % 60:02} s" if whole >= 60 else f"{whole} s"
