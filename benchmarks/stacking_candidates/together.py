"""All networks as one computation: parameters (K, …), and SGD with a learning rate for each."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from benchmarks.stacking_candidates.lone import captured
from benchmarks.stacking_candidates.setting import MOMENTUM, Feed, Setting

Logits = Callable[[Tensor], Tensor]  # of folded images (K·B, …): in the same order (K·B, classes)


class Together:
    """Trains ``parameters``, each (K, …), by the logits that ``forward`` makes of folded images."""

    def __init__(
        self,
        setting: Setting,
        feed: Feed,
        forward: Logits,
        parameters: list[Tensor],
        buffers: list[Tensor],
        *,
        by_image: bool,
        graph: bool,
    ) -> None:
        self._setting, self._feed, self._forward = setting, feed, forward
        self._by_image = by_image
        self._parameters, self._buffers = parameters, buffers
        self._began = [tensor.detach().clone() for tensor in parameters + buffers]
        self._velocities = [torch.zeros_like(parameter) for parameter in parameters]
        rates = -torch.tensor(setting.learning_rates(), device=setting.device)  # (K)
        # As large as the parameters: only then one kernel serves them all.
        self._rates = [
            rates.view(-1, *[1] * (p.dim() - 1)).expand_as(p).contiguous() for p in parameters
        ]
        self._losses = torch.zeros(setting.stack, device=setting.device)
        self._step: Callable[[], None] = self.step
        if graph:
            self._graph = captured(self.step, self._rewind)
            self._step = self._graph.replay

    def run(self, steps: int) -> int:
        for _ in range(steps):
            self._step()
        return steps

    def losses(self) -> Tensor:
        return self._losses

    def close(self) -> None:
        """Nothing is left."""

    def step(self) -> None:
        images, labels = self._feed.next()
        with self._setting.cast():
            logits = self._forward(images)
            each = nn.functional.cross_entropy(logits, labels, reduction="none")
        stack = self._setting.stack
        losses = each.view(-1, stack).mean(0) if self._by_image else each.view(stack, -1).mean(1)
        losses.sum().backward()  # type: ignore[no-untyped-call]
        self._sgd()
        self._losses.add_(losses.detach())

    @torch.no_grad()
    def _sgd(self) -> None:
        gradients = [parameter.grad for parameter in self._parameters]
        torch._foreach_mul_(self._velocities, MOMENTUM)
        torch._foreach_add_(self._velocities, gradients)
        torch._foreach_addcmul_(self._parameters, self._velocities, self._rates)
        for parameter in self._parameters:
            parameter.grad = None

    @torch.no_grad()
    def _rewind(self) -> None:
        for tensor, began in zip(self._parameters + self._buffers, self._began, strict=True):
            tensor.copy_(began)
        for velocity in self._velocities:
            velocity.zero_()
        self._losses.zero_()
        self._feed.rewind()
