"""Trains and evaluates one run; writes its metrics, predictions and pictures."""

import logging
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass

import torch
from torch import Tensor

from cnnsweep import epoch_reporter, process
from cnnsweep.data.batches import Batches
from cnnsweep.data.dataset import Dataset, Images
from cnnsweep.data.fingerprint import with_test
from cnnsweep.errors import one_line
from cnnsweep.folders.result import Outcome
from cnnsweep.folders.run_folder import RunFolder
from cnnsweep.metric_names import EPOCH_METRICS, has_learned
from cnnsweep.session.checkpoints import load_best_weights, write_epoch
from cnnsweep.session.progress import RunProgress
from cnnsweep.training.early_stopping import Row
from cnnsweep.training.epoch import EpochMetrics, run_epoch
from cnnsweep.training.trainer import Trainer

log = logging.getLogger(__name__)


@dataclass
class Session:
    """The parts of one run, and the order in which they are used.

    ``shown`` are the images that the pictures show where ``test`` is false: the validation split,
    or the training images where there is none. ``objective`` names one metric or several, whose
    values become the outcome's objective.
    """

    folder: RunFolder
    outcome: Outcome
    trainer: Trainer
    dataset: Dataset
    shown: Images
    make_batches: Callable[[Images], Batches]
    objective: str | list[str]
    test: bool
    pictures: bool
    display: RunProgress

    def run(self) -> None:
        """Train the epochs that remain, evaluate the best weights, fill in the outcome."""
        with self.display.drawing(), closing(self.trainer):
            self._train()
        load_best_weights(self.folder, self.trainer)
        seen, probabilities = self._evaluate()
        if self.pictures:
            self._try_to_draw(seen, probabilities)
        self._fill_objective()
        self.display.outcome(self.outcome, self.folder)

    def _train(self) -> None:
        trainer = self.trainer
        behind = len(trainer.history)
        self.display.started(trainer.train.images, behind, trainer.epochs)
        if behind:
            log.info("resuming after epoch %d", behind)
            self.display.say(f"resuming after epoch {behind} of {trainer.epochs}")
        self._fill_metrics()
        self.folder.write_metrics(trainer.history)
        for row in trainer.history:
            self._report(row)
        while not trainer.is_finished:
            process.raise_again()
            row = trainer.train_epoch(self.display.batch_ended)
            self.outcome.stack = max(self.outcome.stack, trainer.trained_with)
            with process.held_back():  # no signal between the files of an epoch
                is_best = trainer.record(row)
                write_epoch(self.folder, trainer, self.dataset, self.outcome, is_best)
                self._fill_metrics()
                self.folder.write_metrics(trainer.history)
            log.info("%s", ", ".join(f"{name} {value}" for name, value in row.items()))
            self.display.epoch_ended(row)
            self._report(row)

    def _report(self, row: Row) -> None:
        if epoch_reporter.current is None:
            return
        try:
            epoch_reporter.current.epoch_ended(int(row["epoch"] or 0), row)
        except epoch_reporter.Ended:
            if not self.trainer.is_finished:  # else no training would be saved
                raise

    def _fill_metrics(self) -> None:
        """Put the best epoch's training and validation metrics into the outcome."""
        history, outcome = self.trainer.history, self.outcome
        if not history:
            return
        best = history[self.trainer.score.best_epoch - 1]
        outcome.epochs = len(history)
        outcome.best_epoch = self.trainer.score.best_epoch
        for name in EPOCH_METRICS:
            setattr(outcome, name, best[name])
        if (balanced := best["val_balanced_accuracy"]) is not None:
            outcome.learned = has_learned(balanced, self.shown.by_class(self.dataset.num_classes))
        outcome.train_seconds = round(_total(history, "train_seconds"), 6)
        timed = history[1:] or history
        images = self.trainer.train.images * len(timed)
        outcome.images_per_second = round(images / _total(timed, "train_seconds"), 2)

    def _evaluate(self) -> tuple[Images, Tensor]:
        """The images for the pictures and their class probabilities (N, classes), on the CPU."""
        if not self.test:
            return self.shown, self._predict(self.shown)[1]
        test = self.dataset.test()
        if self.outcome.data is not None:
            self.outcome.data = with_test(self.outcome.data, test)
        metrics, probabilities = self._predict(test)
        self.outcome.test_loss, self.outcome.test_accuracy = metrics.loss, metrics.accuracy
        self.outcome.test_balanced_accuracy = metrics.balanced_accuracy
        self.outcome.learned = has_learned(metrics.balanced_accuracy, metrics.images_by_class)
        confidence, prediction = probabilities.max(dim=1)
        columns = (test.labels.tolist(), prediction.tolist(), confidence.tolist())
        self.folder.write_test_predictions(
            zip(*columns, strict=True), self.dataset.classes, self.dataset.test_files
        )
        return test, probabilities

    def _predict(self, images: Images) -> tuple[EpochMetrics, Tensor]:
        logits: list[Tensor] = []
        trainer = self.trainer
        trainer.answers.eval()
        batches = self.make_batches(images)
        metrics = run_epoch(
            trainer.answers, batches, trainer.loss, trainer.cast, keep_logits=logits
        )
        return metrics, torch.softmax(torch.cat(logits), dim=1).cpu()

    def _try_to_draw(self, seen: Images, probabilities: Tensor) -> None:
        """Pictures are extras: what goes wrong with them is said, and the run is none the worse."""
        try:
            self._draw(seen, probabilities)
        except Exception as error:
            log.exception("pictures")
            self.display.say(f"pictures could not be drawn: {one_line(error)}")

    def _draw(self, seen: Images, probabilities: Tensor) -> None:
        from cnnsweep.session import plots  # matplotlib takes a second to import

        split = "test" if self.test else ("validation" if self.trainer.val else "training")
        plots.draw_curves(self.folder.curves, self.trainer.history, self.outcome.best_epoch)
        answers = plots.Answers(
            pixels=seen.pixels.numpy(),
            labels=seen.labels.numpy(),
            probabilities=probabilities.numpy(),
            classes=self.dataset.classes,
            split=split,
        )
        plots.draw_predictions(self.folder.predictions, answers)
        plots.draw_confusion(self.folder.confusion, answers)

    def _fill_objective(self) -> None:
        metrics, names = self.outcome.as_dict(), self.objective
        self.outcome.objective = (
            metrics[names] if isinstance(names, str) else [metrics[name] for name in names]
        )


def _total(rows: Sequence[Row], name: str) -> float:
    return sum(float(row[name] or 0) for row in rows)
