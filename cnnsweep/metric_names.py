"""The figures of a run by name, and which way is better."""

from typing import Literal

Direction = Literal["maximize", "minimize"]

DIRECTIONS: dict[str, Direction] = {
    "train_loss": "minimize",
    "train_accuracy": "maximize",
    "val_loss": "minimize",
    "val_accuracy": "maximize",
    "test_loss": "minimize",
    "test_accuracy": "maximize",
    "epochs": "minimize",
    "best_epoch": "minimize",
    "parameters": "minimize",
    "train_seconds": "minimize",
    "images_per_second": "maximize",
}
VALIDATION_METRICS = ("val_loss", "val_accuracy")
METRICS_COLUMNS = (
    "epoch",
    "learning_rate",
    "train_loss",
    "train_accuracy",
    "val_loss",
    "val_accuracy",
    "train_seconds",
    "images_per_second",
)
