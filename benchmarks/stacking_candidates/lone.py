"""Each network by itself: eager, as a CUDA graph, on streams, as branches of one graph."""

from collections.abc import Callable, Sequence
from copy import deepcopy

import torch
from torch import Tensor, nn

from benchmarks.stacking_candidates.setting import MOMENTUM, Setting

_WARM_UP = 3  # steps before a capture, after which everything that lasts has been allocated


class Lone:
    """One network with torch's SGD, as anybody would train it."""

    def __init__(
        self, setting: Setting, model: nn.Module, number: int, layout: torch.memory_format
    ) -> None:
        self._model = model.to(memory_format=layout)
        self._began = deepcopy(self._model.state_dict())
        self._feed = setting.feed_of(number)
        self._cast = setting.cast()
        self._optimizer = torch.optim.SGD(
            self._model.parameters(),
            lr=setting.learning_rates()[number],
            momentum=MOMENTUM,
            fused=True,
        )
        self.loss = torch.zeros((), device=setting.device)

    def step(self) -> None:
        images, labels = self._feed.next()
        with self._cast:
            loss = nn.functional.cross_entropy(self._model(images), labels)
        loss.backward()  # type: ignore[no-untyped-call]
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        self.loss.add_(loss.detach())

    def rewind(self) -> None:
        """Back to before the first step, in place."""
        self._model.load_state_dict(self._began)
        for state in self._optimizer.state.values():
            state["momentum_buffer"].zero_()
        self._feed.rewind()
        self.loss.zero_()


def captured(step: Callable[[], None], rewind: Callable[[], None]) -> torch.cuda.CUDAGraph:
    """The step as a CUDA graph; what it trains is as before.

    Not by `torch.cuda.graph`, which collects garbage each time: a second for a dozen networks.
    """
    side, graph = torch.cuda.Stream(), torch.cuda.CUDAGraph()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(_WARM_UP):
            step()
        torch.cuda.synchronize()
        graph.capture_begin()
        try:
            step()
        finally:
            graph.capture_end()
    torch.cuda.current_stream().wait_stream(side)
    rewind()
    return graph


class OneAfterAnother:
    """Each network's steps, then the next one's; with ``graph`` each step is a replay.

    ``numbers`` says which of the networks; None: all of them.
    """

    def __init__(
        self,
        setting: Setting,
        *,
        graph: bool,
        numbers: Sequence[int] | None = None,
        layout: torch.memory_format = torch.channels_last,
    ) -> None:
        networks = setting.networks()
        chosen = range(setting.stack) if numbers is None else numbers
        self._lone = [Lone(setting, networks[number], number, layout) for number in chosen]
        self._steps: list[Callable[[], None]] = [lone.step for lone in self._lone]
        if graph:
            self._steps = [captured(lone.step, lone.rewind).replay for lone in self._lone]

    def run(self, steps: int) -> int:
        for step in self._steps:
            for _ in range(steps):
                step()
        return steps

    def losses(self) -> Tensor:
        return torch.stack([lone.loss for lone in self._lone])

    def close(self) -> None:
        """Nothing is left."""


class OnStreams(OneAfterAnother):
    """Each network's graph on a stream of its own (torch has 32 of them, which come in turn)."""

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting, graph=True)
        self._streams = [torch.cuda.Stream() for _ in self._steps]

    def run(self, steps: int) -> int:
        here = torch.cuda.current_stream()
        for stream in self._streams:
            stream.wait_stream(here)
        for _ in range(steps):
            for stream, step in zip(self._streams, self._steps, strict=True):
                with torch.cuda.stream(stream):
                    step()
        for stream in self._streams:
            here.wait_stream(stream)
        return steps


class OneGraphOfBranches(OneAfterAnother):
    """One graph whose branches are the networks' steps."""

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting, graph=False)
        self._streams = [torch.cuda.Stream() for _ in self._lone]
        self._graph = captured(self._branches, self._rewind)

    def run(self, steps: int) -> int:
        for _ in range(steps):
            self._graph.replay()
        return steps

    def _branches(self) -> None:
        trunk = torch.cuda.current_stream()
        for stream, lone in zip(self._streams, self._lone, strict=True):
            stream.wait_stream(trunk)
            with torch.cuda.stream(stream):
                lone.step()
        for stream in self._streams:
            trunk.wait_stream(stream)

    def _rewind(self) -> None:
        for lone in self._lone:
            lone.rewind()
