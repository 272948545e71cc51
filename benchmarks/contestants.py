"""The three that throughput compares: the articles' loop, a bare loop, and cnnsweep itself."""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import Pipe, get_context
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import hydra
import torch
from hydra.utils import execution_whitelist
from omegaconf import DictConfig
from rich.console import Console
from torch import Tensor, nn
from torch.utils.data import Subset

from benchmarks.images import read_idx
from benchmarks.peak import synchronise
from benchmarks.peers import article
from cnnsweep import run as cnnsweep_run
from cnnsweep.config import CONF_DIR
from cnnsweep.config.allowed_targets import allowed_targets
from cnnsweep.folders.result import Outcome
from cnnsweep.folders.run_folder import RunFolder
from cnnsweep.models.cpu_forms import for_cpu
from cnnsweep.session import build
from cnnsweep.session.progress import Bars
from cnnsweep.training.device import autocast
from cnnsweep.training.early_stopping import Row

LR, MOMENTUM = 0.01, 0.5


@dataclass(frozen=True)
class Case:
    """One line of the table."""

    model: str
    layout: str
    precision: str
    batch_size: int
    images: int
    device: str
    folder: Path
    graph: bool = False


class Sizes:
    """What a network must know of MNIST."""

    in_channels = 1
    image_size = (28, 28)
    num_classes = 10


@contextmanager
def composed(case: Case, epochs: int) -> Iterator[DictConfig]:
    """The config of cnnsweep's run, and the right to build what it names."""
    overrides = [
        f"model={case.model}",
        f"model.layout={case.layout}",
        "data=mnist",
        f"data.root={case.folder}",
        f"data.batch_size={case.batch_size}",
        f"data.train_limit={case.images}",
        "data.val_fraction=0",
        f"optim.lr={LR}",
        f"optim.momentum={MOMENTUM}",
        f"precision={case.precision}",
        f"device={case.device}",
        f"graph={str(case.graph).lower()}",
        f"epochs={epochs}",
        f"threads={torch.get_num_threads()}",
        "test=false",
        "objective=train_loss",
    ]
    with (
        hydra.initialize_config_dir(str(CONF_DIR)),
        execution_whitelist(allowed_targets()),
    ):
        yield hydra.compose("config", overrides)


@contextmanager
def article_process(case: Case, workers: int) -> Iterator[Callable[[], None]]:
    """An epoch of the articles' loop in a process of its own, as its users start it.

    So nothing that cnnsweep sets for its own process, such as malloc's thresholds, helps it.
    """
    ours, theirs = Pipe()
    arguments = (theirs, case, workers, torch.get_num_threads())
    process = get_context("spawn").Process(target=_serve_article, args=arguments, daemon=True)
    process.start()

    def epoch() -> None:
        ours.send(True)
        ours.recv()

    try:
        yield epoch
    finally:
        ours.send(False)
        process.join()


def _serve_article(connection: Any, case: Case, workers: int, threads: int) -> None:
    torch.set_num_threads(threads)
    epoch = article_epoch(case, workers)
    while connection.recv():
        epoch()
        synchronise(case.device)
        connection.send(None)


def article_epoch(case: Case, workers: int) -> Callable[[], None]:
    """An epoch of the articles' loop: its own network, its own loader, float32, default layout."""
    torch.manual_seed(0)
    model = article.NETWORKS[case.model]().to(case.device)
    optimizer = torch.optim.SGD(model.parameters(), lr=LR, momentum=MOMENTUM)
    data = Subset(article.mnist(case.folder), range(case.images))
    batches = article.loader(data, case.batch_size, shuffle=True, workers=workers)
    return lambda: void(article.train_epoch(model, batches, optimizer, case.device))


def bare_epoch(case: Case) -> Callable[[], None]:
    """The least that trains cnnsweep's network: no figures, no display, no files.

    Normalised float images lie on the device in the layout asked for; a batch is one gather.
    """
    images, labels = resident(case)
    with composed(case, epochs=1) as config:
        model = build.make_model(config, Sizes(), starts_anew=True).to(case.device)
    if case.layout == "channels_last":
        model.to(memory_format=torch.channels_last)
        if case.device == "cpu" and case.precision == "float32":
            for_cpu(model)
    optimizer = torch.optim.SGD(model.parameters(), lr=LR, momentum=MOMENTUM, fused=True)
    cast = autocast(torch.device(case.device), case.precision)

    def epoch() -> None:
        model.train()
        order = torch.randperm(len(labels), device=case.device)
        for index in torch.split(order, case.batch_size):
            batch = images.index_select(0, index)
            if case.layout == "channels_last":
                batch = batch.permute(0, 3, 1, 2)
            with cast:
                loss = nn.functional.cross_entropy(model(batch), labels.index_select(0, index))
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)

    return epoch


def resident(case: Case) -> tuple[Tensor, Tensor]:
    """Normalised images, N × H × W × C in channels-last, else N × C × H × W; labels (N)."""
    raw = case.folder / "MNIST" / "raw"
    pixels = torch.tensor(read_idx(raw / "train-images-idx3-ubyte")[: case.images])
    labels = torch.tensor(read_idx(raw / "train-labels-idx1-ubyte")[: case.images]).long()
    images = (pixels.float() / 255 - article.MEAN) / article.STD
    images = images.unsqueeze(3 if case.layout == "channels_last" else 1)
    return images.to(case.device), labels.to(case.device)


class Alternating(Bars):
    """cnnsweep's own display on a terminal nobody sees; after each epoch the others have one.

    So the whole of cnnsweep is timed from one epoch's end to the next: training, figures, bars,
    log, metrics.csv, best.pt and last.pt. CPU seconds are this process's, all threads together.
    """

    def __init__(self, device: str, others: dict[str, Callable[[], None]]) -> None:
        super().__init__(Console(force_terminal=True, file=_Nowhere(), width=100))
        self._device = device
        self._others = others
        self._resumed: tuple[float, float] | None = None
        self.seconds: dict[str, list[float]] = {name: [] for name in ("cnnsweep", *others)}
        self.cpu_seconds: dict[str, list[float]] = {name: [] for name in ("cnnsweep", *others)}

    def epoch_ended(self, row: Row) -> None:
        super().epoch_ended(row)
        synchronise(self._device)
        self._count("cnnsweep", self._resumed)
        for name, epoch in self._others.items():
            started = perf_counter(), process_time()
            epoch()
            synchronise(self._device)
            self._count(name, started if self._resumed is not None else None)
        self._resumed = perf_counter(), process_time()

    def _count(self, name: str, started: tuple[float, float] | None) -> None:
        """``started`` on both clocks; None in the first round, which warms up."""
        if started is not None:
            self.seconds[name].append(perf_counter() - started[0])
            self.cpu_seconds[name].append(process_time() - started[1])


def alternate(
    case: Case, others: dict[str, Callable[[], None]], rounds: int, folder: Path
) -> Alternating:
    """The seconds of each contestant's epochs, ``rounds`` each, one after the other in turn."""
    display = Alternating(case.device, others)
    vars(cnnsweep_run)["make_progress"] = lambda: display
    folder.mkdir()
    with composed(case, epochs=rounds + 1) as config:
        outcome = Outcome(seed=0, device=case.device, precision=case.precision, threads="auto")
        cnnsweep_run.run(config, RunFolder(folder), outcome)
    return display


class _Nowhere(io.StringIO):
    """A terminal's file that forgets."""

    def write(self, text: str) -> int:
        return len(text)


def void(_: Any) -> None:
    """Drop a value."""
