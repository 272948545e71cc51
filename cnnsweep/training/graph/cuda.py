"""CUDA graphs by torch: one stream to capture on for a device, one pool of memory for a process."""

from collections.abc import Callable
from functools import cache
from typing import Any, ClassVar
from weakref import WeakSet

import torch


class CudaGraph:
    """A step recorded as a CUDA graph (:class:`cnnsweep.training.graph.steps.Graph`).

    All graphs of a process share one pool of memory: they are replayed one after the other, and
    none leaves anything in it that another step reads. When the last of them is released, its
    memory goes back to the device.
    """

    _alive: ClassVar[WeakSet["CudaGraph"]] = WeakSet()
    _pool: ClassVar[Any] = None

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._graph = torch.cuda.CUDAGraph()

    def eagerly(self, step: Callable[[], None]) -> None:
        """On the stream of the capture: what libraries make at a first call is made for it."""
        stream, current = _stream(self._device), torch.cuda.current_stream(self._device)
        stream.wait_stream(current)
        with torch.cuda.stream(stream):
            step()
        current.wait_stream(stream)

    def capture(self, step: Callable[[], None]) -> None:
        stream, kind = _stream(self._device), type(self)
        if not kind._alive:  # torch forgets a pool that no graph uses any more
            kind._pool = torch.cuda.graph_pool_handle()
        try:
            # After a failure torch would stay on the capture's stream.
            with (
                torch.cuda.stream(stream),
                torch.cuda.graph(
                    self._graph,
                    pool=kind._pool,
                    stream=stream,
                    capture_error_mode="thread_local",  # other threads may use the device
                ),
            ):
                step()
        except BaseException:
            _clean_up(self._device, stream, kind._pool)
            raise
        kind._alive.add(self)

    def replay(self) -> None:
        self._graph.replay()

    def release(self) -> None:
        torch.cuda.synchronize(self._device)  # replays may still be queued
        self._graph.reset()
        self._alive.discard(self)
        if not self._alive:
            torch.cuda.empty_cache()


@cache
def _stream(device: torch.device) -> torch.cuda.Stream:
    return torch.cuda.Stream(device)  # type: ignore[no-untyped-call]


def _clean_up(device: torch.device, stream: torch.cuda.Stream, pool: Any) -> None:
    """Undo what torch leaves undone where a capture ends in an error.

    Its allocator would go on putting memory into the pool, and its generator would refuse to draw
    outside of a capture (some releases) until one ends well: an empty one does.
    """
    index = torch.cuda.current_device() if device.index is None else device.index
    try:
        torch._C._cuda_endAllocateToPool(index, pool)
    except RuntimeError:
        pass  # torch has ended it, and gives the pool back itself
    else:
        torch._C._cuda_releasePool(index, pool)
    nothing = torch.zeros((), device=device)
    with torch.cuda.stream(stream), torch.cuda.graph(torch.cuda.CUDAGraph(), stream=stream):
        nothing.add_(0)
