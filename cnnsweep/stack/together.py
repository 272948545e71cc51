"""An epoch of several runs at once."""

from collections.abc import Sequence

from cnnsweep.training.trainer import Passes, Trainer


def train_together(trainers: Sequence[Trainer]) -> list[Passes]:
    """Train and validate the next epoch of runs of one family; what `Trainer.passes` gives each.

    Weights, buffers, momentum and the schedule's steps of batches end in each trainer. Whatever is
    raised leaves all trainers as they were.
    """
    return [trainer.passes(None) for trainer in trainers]
