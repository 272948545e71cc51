"""CUDA graphs by torch: one stream to capture on and one pool of memory for a device."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any
from weakref import WeakSet

import torch


class CudaGraph:
    """A step recorded as a CUDA graph (:class:`cnnsweep.training.graph.steps.Graph`).

    All graphs of a process share one pool of memory: they are replayed one after the other, and
    none leaves anything in it that another step reads. When the last of them is released, its
    memory goes back to the device.
    """

    def __init__(self, device: torch.device, generators: Sequence[torch.Generator] = ()) -> None:
        """``generators`` are those that the step draws from besides the device's global one."""
        self._place = _place(device)
        self._generators = generators
        self._graph = _graph(generators)

    def eagerly(self, step: Callable[[], None]) -> None:
        """On the stream of the capture: what libraries make at a first call is made for it."""
        stream, current = self._place.stream, torch.cuda.current_stream(self._place.device)
        stream.wait_stream(current)
        with torch.cuda.stream(stream):
            step()
        current.wait_stream(stream)

    def capture(self, step: Callable[[], None]) -> None:
        place = self._place
        pool = place.pool()
        try:
            # After a failure torch would stay on the capture's stream.
            with (
                torch.cuda.stream(place.stream),
                torch.cuda.graph(
                    self._graph,
                    pool=pool,
                    stream=place.stream,
                    capture_error_mode="thread_local",  # other threads may use the device
                ),
            ):
                step()
        except BaseException:
            place.clean_up(pool, self._generators)
            raise
        place.alive.add(self)

    def replay(self) -> None:
        self._graph.replay()

    def release(self) -> None:
        torch.cuda.synchronize(self._place.device)  # replays may still be queued
        self._graph.reset()
        self._place.alive.discard(self)
        if not self._place.alive:
            torch.cuda.empty_cache()


class _Place:
    """What the graphs of a device share."""

    def __init__(self, device: torch.device) -> None:
        index = torch.cuda.current_device() if device.index is None else device.index
        self.device = torch.device("cuda", index)
        self.stream = torch.cuda.Stream(self.device)  # type: ignore[no-untyped-call]
        self.alive: WeakSet[CudaGraph] = WeakSet()
        self._pool: Any = None

    def pool(self) -> Any:
        """The pool of the graphs there are; a new one where there is none: torch forgets it."""
        if not self.alive:
            self._pool = torch.cuda.graph_pool_handle()
        return self._pool

    def clean_up(self, pool: Any, generators: Sequence[torch.Generator]) -> None:
        """Undo what torch leaves undone where a capture ends in an error.

        Its allocator would go on putting memory into the pool, and its generators, in some
        releases, would refuse to draw outside of a capture until one ends well: an empty one does.
        """
        index = self.device.index
        try:
            torch._C._cuda_endAllocateToPool(index, pool)
        except RuntimeError:
            pass  # torch has ended it, and gives the pool back itself
        else:
            torch._C._cuda_releasePool(index, pool)
        nothing = torch.zeros((), device=self.device)
        with (
            torch.cuda.stream(self.stream),
            torch.cuda.graph(_graph(generators), stream=self.stream),
        ):
            nothing.add_(0)


@cache
def _place(device: torch.device) -> _Place:
    return _Place(device)


def _graph(generators: Sequence[torch.Generator]) -> torch.cuda.CUDAGraph:
    graph = torch.cuda.CUDAGraph()
    for generator in generators:
        graph.register_generator_state(generator)
    return graph
