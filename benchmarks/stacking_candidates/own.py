"""cnnsweep's own runs: what `hydra.sweeper.stack` trains together, and ``graph=true`` one by one.

They draw their own orders and normalise and sum as runs do, so that their losses are compared with
those of eager runs of cnnsweep. Whole epochs are trained; nothing is written.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from benchmarks.contestants import Sizes, composed
from benchmarks.stacking_candidates.setting import MOMENTUM, Setting
from cnnsweep.session import build
from cnnsweep.stack.together import train_together
from cnnsweep.training.trainer import Trainer


class OwnRuns:
    """``together``: as one computation; else one run's epochs, then the next one's."""

    def __init__(
        self,
        setting: Setting,
        *,
        together: bool,
        graph: bool,
        numbers: Sequence[int] | None = None,
    ) -> None:
        """``numbers`` says which of the runs; None: all of them."""
        chosen = range(setting.stack) if numbers is None else numbers
        self._trainers = _trainers(setting, chosen, graph=graph)
        self._steps = len(self._trainers[0].train)
        self._together = together
        self._losses = torch.zeros(len(self._trainers))

    def run(self, steps: int) -> int:
        epochs = max(1, round(steps / self._steps))
        for group in [self._trainers] if self._together else [[one] for one in self._trainers]:
            for _ in range(epochs):
                passes = train_together(group)
                for trainer, (trained, _) in zip(group, passes, strict=True):
                    trainer.history.append({})  # the next epoch draws other numbers
                    self._losses[self._trainers.index(trainer)] += trained.loss * self._steps
        return epochs * self._steps

    def losses(self) -> Tensor:
        return self._losses

    def close(self) -> None:
        """Nothing is left."""


def _trainers(setting: Setting, numbers: Sequence[int], *, graph: bool) -> list[Trainer]:
    case, rates = setting.case, setting.learning_rates()
    made = []
    with composed(case, epochs=10**6) as config:
        config.model.layout = "channels_last"
        config.optim.momentum = MOMENTUM
        config.graph = graph
        dataset = build.make_dataset(config)
        images = dataset.train.take(torch.arange(case.images))
        for number in numbers:
            config.seed, config.optim.lr = number, rates[number]
            train = build.make_batches(config, images, setting.device, is_training=True)
            model = build.make_model(config, Sizes(), starts_anew=True)
            loss = build.make_loss(config, images, dataset.classes)
            made.append(
                build.make_trainer(config, model, loss, train, None, setting.device, case.precision)
            )
    return made
