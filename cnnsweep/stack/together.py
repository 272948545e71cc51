"""An epoch of several runs at once."""

import math
from collections.abc import Sequence
from time import perf_counter

from cnnsweep.data.batches import Batches
from cnnsweep.stack.epoch import MakeGraph, Stack
from cnnsweep.stack.images import share_pixels
from cnnsweep.stack.kept import KeptStacks
from cnnsweep.stack.members import Members
from cnnsweep.stack.update import plan_epoch
from cnnsweep.training.epoch import EpochMetrics
from cnnsweep.training.graph.cuda import CudaGraph
from cnnsweep.training.trainer import Passes, Trainer

_kept = KeptStacks()


def train_together(
    trainers: Sequence[Trainer], make_graph: MakeGraph | None = None
) -> list[Passes]:
    """Train and validate the next epoch of runs of one family; what `Trainer.passes` gives each.

    Weights, buffers, momentum and the schedule's steps of batches end in each trainer. Whatever is
    raised leaves all trainers as they were. A run whose loss is not finite disturbs no other: it
    gets this loss, and its weights as they became. One run alone trains as it always does.

    The seconds of each are its share of the time that all took, so that sums over runs are the
    time of the device. ``make_graph`` makes the graphs of steps that are captured; None: torch's,
    where the runs have ``graph=true`` and a CUDA device. Where an epoch fails, captured steps give
    back their memory, of which there may have been too little.
    """
    if len(trainers) == 1:
        return [trainers[0].passes(None)]
    try:
        return _train(trainers, make_graph)
    except Exception:
        forget()
        raise


def _train(trainers: Sequence[Trainer], make_graph: MakeGraph | None) -> list[Passes]:
    members = Members(trainers)
    with members.all_or_nothing():
        started = perf_counter()
        train = [_batches(trainer.train) for trainer in trainers]
        stack = _stack(trainers, train, make_graph)
        plan = plan_epoch(trainers, len(train[0]))
        members.load(stack)
        trained = stack.train(trainers, train, plan)
        seconds = (perf_counter() - started) / len(trainers)
        passes: list[Passes] = [(_timed(metrics, seconds), None) for metrics in trained]
        if trainers[0].val is not None and any(math.isfinite(m.loss) for m in trained):
            started = perf_counter()
            val = [_batches(trainer.val) for trainer in trainers]
            validated = stack.validate(trainers[0], val)
            seconds = (perf_counter() - started) / len(trainers)
            passes = [
                (own, _timed(metrics, seconds) if math.isfinite(own.loss) else None)
                for (own, _), metrics in zip(passes, validated, strict=True)
            ]
        members.store(stack, plan)
    return passes


def forget() -> None:
    """Give back the memory of steps that were captured for later epochs."""
    _kept.forget()


def _stack(
    trainers: Sequence[Trainer], train: Sequence[Batches], make_graph: MakeGraph | None
) -> Stack:
    if make_graph is None and trainers[0].graphed is not None:
        make_graph = CudaGraph
    val = [_batches(trainer.val) for trainer in trainers if trainer.val is not None]
    if make_graph is None or not (share_pixels(train) and share_pixels(val)):
        return Stack(trainers[0], train, len(trainers))
    return _kept.find(trainers, train, make_graph)


def _batches(split: object) -> Batches:
    assert isinstance(split, Batches)
    return split


def _timed(metrics: EpochMetrics, seconds: float) -> EpochMetrics:
    return metrics._replace(seconds=seconds)
