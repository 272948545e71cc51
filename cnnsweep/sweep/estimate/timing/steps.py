"""How long a run's parts take here and now, by some of its steps."""

import os
import tempfile
from collections.abc import Callable, Iterator
from itertools import islice
from time import perf_counter
from typing import Any

import numpy as np
from omegaconf import DictConfig, OmegaConf

from cnnsweep import checkpoint_file
from cnnsweep.data.dataset import Dataset, Images
from cnnsweep.data.image_folder import image_folder, sketched
from cnnsweep.data.split import train_and_val
from cnnsweep.models.inspect import check_fits, layer_table
from cnnsweep.session.build import make_batches, make_dataset, make_loss, make_model, make_trainer
from cnnsweep.sweep.estimate.costs import Cost
from cnnsweep.sweep.estimate.timing.orders import Timed
from cnnsweep.training.device import keep_freed_memory, resolve_device, resolve_precision
from cnnsweep.training.epoch import run_epoch
from cnnsweep.training.threads import use_threads

_EVALUATED = 0.4  # of the time for training steps, that for others
_FIRST = 3  # steps before that, which make kernels
_BEST = 0.6  # of the epochs are the best so far, and write their weights once more
_TEXT = 25_000  # bytes of a run's config, log, result and Hydra's files
_LINE = 34  # of an image in the predictions
_PICTURES = 190_000
_FOLDER = f"{image_folder.__module__}.{image_folder.__name__}"
_MOST_DECODED = 200  # pictures of a folder


def timed(config: DictConfig, seconds: float) -> Timed:
    """A run of this config; raises UserError where it could not begin."""
    keep_freed_memory()
    dataset, once = dataset_of(config)
    began = perf_counter()
    parts = _Parts(config, dataset)
    begin = perf_counter() - began
    train, validation = parts.seconds_of_passes(seconds)
    writing, best, last = parts.checkpoints()
    once_more, pictures = parts.seconds_of_pictures()
    test = parts.images_at_the_end()
    other = _TEXT + _LINE * test * config.test + _PICTURES * config.pictures
    cost = Cost(
        begin=begin,
        epoch=train + validation * parts.validated + writing,
        end=validation * test + pictures,
        best=best,
        last=last,
        other=other,
    )
    return Timed(once + once_more, parts.validated, cost)


def dataset_of(config: DictConfig) -> tuple[Dataset, float]:
    """The data set of a config, and seconds of reading it.

    A folder of many pictures is not read: some stand for all of them.
    """
    began = perf_counter()
    if str(config.data._target_) != _FOLDER:
        return make_dataset(config), perf_counter() - began
    plain: Any = OmegaConf.to_container(config.data, resolve=True)
    keys = {key: plain[key] for key in ("root", "image_size", "channels")}
    dataset, share = sketched(**keys, most=_MOST_DECODED)
    return dataset, (perf_counter() - began) / share


class _Parts:
    """The parts of a run, made as :func:`cnnsweep.run.run` makes them."""

    def __init__(self, config: DictConfig, dataset: Dataset) -> None:
        device = resolve_device(config.device)
        use_threads(config.threads if isinstance(config.threads, int) else 1)
        self.config, self.dataset = config, dataset
        data = config.data
        train, val = train_and_val(self.dataset, data.train_limit, data.val_fraction, config.seed)
        loss = make_loss(config, train, self.dataset.classes)
        self.shown = train if val is None else val
        model = make_model(config, self.dataset, starts_anew=True)
        sizes = self.dataset.in_channels, self.dataset.image_size
        occurring = sorted({data.batch_size, len(train) % data.batch_size} - {0})
        check_fits(model, *sizes, self.dataset.num_classes, train_batches=occurring)
        layer_table(model, *sizes)
        batches = make_batches(config, train, device, is_training=True)
        self.eval = make_batches(config, self.shown, device, is_training=False)
        self.validated = 0 if val is None else len(val)
        precision = resolve_precision(config.precision, device)
        self.trainer = make_trainer(
            config, model, loss, batches, None if val is None else self.eval, device, precision
        )

    def seconds_of_passes(self, seconds: float) -> tuple[float, float]:
        """Of the training images, and of one image that is only evaluated."""
        trainer = self.trainer
        trainer.prepare(trainer.model)

        def train(steps: int) -> None:
            part = _First(trainer.train, steps)
            run_epoch(trainer.model, part, trainer.loss, trainer.cast, trainer.step)

        def evaluate(steps: int) -> None:
            run_epoch(trainer.answers, _First(self.eval, steps), trainer.loss, trainer.cast)

        steps = len(trainer.train)
        training = steps * _seconds_of_step(train, steps, seconds)
        trainer.answers.eval()
        each = _seconds_of_step(evaluate, len(self.eval), _EVALUATED * seconds)
        return training, each * len(self.eval) / self.eval.images

    def checkpoints(self) -> tuple[float, float, float]:
        """Seconds of writing those of an epoch, and the bytes of best.pt and last.pt."""
        began = perf_counter()
        last = checkpoint_file.to_bytes({"training": self.trainer.state_dict()})
        _write(last)
        after_last = perf_counter()
        best = checkpoint_file.to_bytes({"model": self.trainer.model.state_dict()})
        _write(best)
        after_best = perf_counter()
        _write(b"a line of metrics.csv, and one of the study")
        end = perf_counter()
        seconds = after_last - began + _BEST * (after_best - after_last) + 2 * (end - after_best)
        return seconds, float(len(best)), float(len(last))

    def seconds_of_pictures(self) -> tuple[float, float]:
        """As the function of that name; they are timed once in a process."""
        if not self.config.pictures:
            return 0.0, 0.0
        if not _pictures:
            _pictures.append(_seconds_of_pictures(self.shown, self.dataset.classes))
            return _pictures[0]
        return 0.0, _pictures[0][1]

    def images_at_the_end(self) -> int:
        """Those that a run is evaluated on when it is over."""
        contents = self.dataset.contents
        if self.config.test and contents is not None:
            return contents.test
        return len(self.shown)


_pictures: list[tuple[float, float]] = []  # once they were timed


def _seconds_of_pictures(shown: Images, classes: tuple[str, ...]) -> tuple[float, float]:
    """Of importing what draws them, and of drawing them, which no network changes."""
    began = perf_counter()
    from cnnsweep.session import plots

    imported = perf_counter()
    draw = np.random.default_rng(0).dirichlet(np.ones(len(classes)), len(shown))
    chances = draw.astype(np.float32)
    pixels, labels = shown.pixels.numpy(), shown.labels.numpy()
    answers = plots.Answers(pixels, labels, chances, classes, "test")
    values = dict.fromkeys(("train_loss", "train_accuracy", "val_loss", "val_accuracy"), 0.5)
    plots.draw_curves(None, [{**values, "epoch": number} for number in (1, 2)], 1)
    plots.draw_predictions(None, answers)
    plots.draw_confusion(None, answers)
    return imported - began, perf_counter() - imported


class _First:
    """The first batches of a split."""

    def __init__(self, split: Any, steps: int) -> None:
        self._split, self._steps = split, steps
        self.images = split.images

    def __len__(self) -> int:
        return self._steps

    def __iter__(self) -> Iterator[Any]:
        return islice(iter(self._split), self._steps)


def _seconds_of_step(run: Callable[[int], None], most: int, seconds: float) -> float:
    """Of one step on average, in so many seconds; ``run`` takes some, ``most`` at a time."""
    run(min(_FIRST, most))
    taken = steps = 0.0
    number = min(_FIRST, most)
    while taken < seconds:
        began = perf_counter()
        run(number)
        taken += perf_counter() - began
        steps += number
        number = max(1, min(most, int(steps * seconds / max(taken, 1e-4) - steps)))
    return taken / steps


def _write(content: bytes) -> None:
    with tempfile.TemporaryFile() as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
