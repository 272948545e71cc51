"""What is taken from the runs before an epoch, and given back to them after it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from cnnsweep.process import held_back
from cnnsweep.stack.epoch import Stack
from cnnsweep.stack.torch_internals import say_stepped
from cnnsweep.stack.update import Plan
from cnnsweep.training.trainer import Trainer

_MOMENTUM = "momentum_buffer"  # as torch's SGD names it in its state


class Members:
    """The runs of a stack; entry k of its tensors is run k's."""

    def __init__(self, trainers: Sequence[Trainer]) -> None:
        self._trainers = trainers

    @contextmanager
    def all_or_nothing(self) -> Iterator[None]:
        """Whatever is raised in the block leaves the runs as they were before it."""
        undo = [trainer.step.schedule.remembered() for trainer in self._trainers]
        try:
            yield
        except BaseException:
            for put_back in undo:
                put_back()
            raise

    @torch.no_grad()
    def load(self, stack: Stack) -> None:
        """Copy weights, buffers and momentum of the runs into the stack."""
        stack.network.load([trainer.model for trainer in self._trainers])
        stack.update.velocity.zero_()
        velocity = stack.network.parts(stack.update.velocity)
        for number, trainer in enumerate(self._trainers):
            for name, parameter in trainer.model.named_parameters():
                buffer = _momentum(trainer, parameter)
                if buffer is not None:
                    velocity[name][number].copy_(buffer)

    @torch.no_grad()
    def store(self, stack: Stack, plan: Plan) -> None:
        """Copy weights, buffers and momentum of the stack into the runs, all of them or none."""
        pairs: list[tuple[Tensor, Tensor]] = []
        new: list[tuple[Trainer, nn.Parameter, Tensor]] = []  # momentum buffers that were not there
        velocity = stack.network.parts(stack.update.velocity)
        stacked = stack.network.state
        for number, trainer in enumerate(self._trainers):
            own = trainer.model.state_dict()
            pairs += [(own[name], tensor[number]) for name, tensor in stacked.items()]
            if not plan.has_velocity[number]:
                continue
            for name, parameter in trainer.model.named_parameters():
                buffer = _momentum(trainer, parameter)
                if buffer is None:
                    buffer = torch.empty_like(parameter)
                    new.append((trainer, parameter, buffer))
                pairs.append((buffer, velocity[name][number]))
        with held_back():
            for there, here in pairs:
                there.copy_(here)
            for trainer, weights, buffer in new:
                trainer.step.optimizer.state[weights][_MOMENTUM] = buffer
            for trainer in self._trainers:
                say_stepped(trainer.step.optimizer)


def _momentum(trainer: Trainer, parameter: nn.Parameter) -> Tensor | None:
    """A parameter's momentum buffer, where its optimizer has made one."""
    buffer: Tensor | None = trainer.step.optimizer.state.get(parameter, {}).get(_MOMENTUM)
    return buffer
