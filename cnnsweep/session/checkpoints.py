"""What best.pt and last.pt hold, and when they are written and read."""

from cnnsweep import checkpoint_file
from cnnsweep.data.dataset import Dataset
from cnnsweep.folders.result import Outcome
from cnnsweep.folders.run_folder import RunFolder, write_whole
from cnnsweep.session.launches import launch_of
from cnnsweep.training.trainer import Trainer


def write_epoch(
    folder: RunFolder, trainer: Trainer, data: Dataset, outcome: Outcome, is_best: bool
) -> None:
    """Write an epoch's checkpoints: best.pt where it is the best so far, then last.pt.

    A run killed between the two trains the epoch again and rewrites best.pt with equal bytes.
    """
    if is_best:
        content = {
            "model": trainer.model.state_dict(),
            "epoch": len(trainer.history),
            "in_channels": data.in_channels,
            "image_size": list(data.image_size),
            "classes": list(data.classes),
            "lightness": data.lightness,
        }
        write_whole(folder.best, checkpoint_file.to_bytes(content))
    state = {
        "training": trainer.state_dict(),
        "threads": outcome.threads,
        "stack": outcome.stack,
        "data": outcome.data,
        "started": outcome.started,
        "launch": launch_of(outcome),
        "earlier": outcome.earlier,
    }
    write_whole(folder.last, checkpoint_file.to_bytes(state))


def load_best_weights(folder: RunFolder, trainer: Trainer) -> None:
    """Put the weights of the best epoch into the model."""
    if trainer.score.best_epoch != len(trainer.history):
        best = checkpoint_file.read(folder.best, "cpu")
        trainer.model.load_state_dict(best["model"])
