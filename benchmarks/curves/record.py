"""Recording the learning curves of random settings, by a search that prunes nothing."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from subprocess import run
from sys import executable
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from optuna import load_study
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial

from benchmarks.machine import facts
from benchmarks.rows import write_csv


class Task(NamedTuple):
    """A search as typed: its words, and what is to be known of it."""

    words: tuple[str, ...]
    about: str


_FEW_IMAGES = ("data.train_limit=4000", "data.val_fraction=0.25")  # 3,000 to train, 1,000 to judge

TASKS = {
    "mnist_relu": Task(
        ("search=sgd", "model=lenet", "model.norm=none", "data=mnist", *_FEW_IMAGES, "epochs=9"),
        "LeNet with ReLU, SGD, 3,000 + 1,000 images of MNIST",
    ),
    "fashion_adam": Task(
        ("search=adam", "model=lenet", "data=fashion_mnist", *_FEW_IMAGES, "epochs=9"),
        "LeNet with batch norm, Adam, 3,000 + 1,000 images of Fashion-MNIST",
    ),
    "fashion_sigmoid": Task(
        (
            *("search=sgd", "experiment=fashion_lenet", "model.hidden=[84]", "epochs=15"),
            *("data.train_limit=6000", f"data.val_fraction={1 / 6}"),  # 5,000 and 1,000
            "optim.lr=tag(log, interval(0.1, 3))",
            "optim.momentum=interval(0, 0.9)",
            "data.batch_size=choice(16, 32, 64, 128)",
        ),
        "LeNet with sigmoids, SGD, 5,000 + 1,000 images of Fashion-MNIST: it rises late",
    ),
    "digits_noisy": Task(
        ("search=sgd", "model=lenet", "data=digits", "data.val_fraction=0.07", "epochs=10"),
        "LeNet with batch norm, SGD, the digits, about 100 images to judge: a noisy objective",
    ),
}


def record(name: str, out: Path, trials: int, data: Path | None) -> None:
    """Train ``trials`` random settings to their end and write every epoch's objective."""
    task = TASKS[name]
    about = facts(("torch", "cnnsweep", "optuna")) | {"task": task.about, "n": f"{trials} settings"}
    with TemporaryDirectory() as scratch:
        root = (
            [] if data is None or "data=digits" in task.words else [f"data.root={data.resolve()}"]
        )
        words = [*_command(task, trials), *root, f"hydra.sweep.dir={scratch}/sweep"]
        run([executable, "-m", "cnnsweep", *words], check=True)
        rows = list(_rows(_trials(Path(scratch) / "sweep" / "study.journal")))
    write_csv(out / f"{name}.csv", rows, about | {"trained_by": " ".join(_command(task, trials))})


def _command(task: Task, trials: int) -> list[str]:
    return [
        *("--multirun", *task.words, "hydra/sweeper/sampler=random", "hydra/sweeper/pruner=none"),
        *(f"hydra.sweeper.n_trials={trials}", "hydra.sweeper.n_jobs=1", "threads=1"),
        "hydra.sweeper.keep_best=0",
    ]


def _trials(journal: Path) -> Sequence[FrozenTrial]:
    storage = JournalStorage(JournalFileBackend(str(journal)))
    return load_study(study_name="cnnsweep", storage=storage).trials


def _rows(trials: Sequence[FrozenTrial]) -> Iterator[dict[str, Any]]:
    """One an epoch; a trial that diverged has those before it did."""
    for trial in trials:
        for epoch, value in sorted(trial.intermediate_values.items()):
            yield {"trial": trial.number, "epoch": epoch, "value": round(value, 6)}
