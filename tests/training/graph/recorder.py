"""A CUDA graph's behaviour on the CPU, as the contract of `cnnsweep.training.graph.steps.Graph`.

Every operation of a captured step is recorded with its very tensors and its numbers as they are,
and no state is left changed. A replay executes the operations again, in order, into the memory of
the recorded outputs, and runs nothing of the step's Python. As on a GPU, a step cannot read a
tensor in Python while it is captured, what it leaves in memory is worthless until a replay, and
what draws at random draws anew in each replay.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

_READS = ("aten::_local_scalar_dense", "aten::nonzero", "aten::equal", "aten::is_nonzero")


class Recorder:
    """Captures and replays one step.

    ``beside`` a GPU: what stands on the CPU may be read, and its generator is not the graph's.
    """

    def __init__(self, *, beside: bool = False) -> None:
        self._beside = beside
        self._recording = _Recording(() if beside else _READS)

    def eagerly(self, step: Callable[[], None]) -> None:
        step()

    def capture(self, step: Callable[[], None]) -> None:
        generator = torch.get_rng_state()
        try:
            with self._recording:
                step()
        finally:
            self._recording.restore()
            if not self._beside:
                torch.set_rng_state(generator)

    def replay(self) -> None:
        with torch.no_grad():
            for operation in self._recording.operations:
                operation.execute()

    def release(self) -> None:
        self._recording.operations.clear()


class _Operation:
    def __init__(self, function: Any, args: Any, kwargs: Any, outputs: Any) -> None:
        self._call = function, args, kwargs
        self._outputs = _tensors(outputs)
        inputs = {_memory(tensor) for tensor in _tensors((args, kwargs))}
        self._own = [_memory(tensor) not in inputs for tensor in self._outputs]
        self._writes = function._schema.is_mutable
        self.made = [tensor for tensor, own in zip(self._outputs, self._own, strict=True) if own]

    def execute(self) -> None:
        if not self.made and not self._writes and self._outputs:
            return  # a view, which is still where it was
        function, args, kwargs = self._call
        outputs = _tensors(function(*args, **kwargs))
        for kept, new, own in zip(self._outputs, outputs, self._own, strict=True):
            if own:
                kept.copy_(new)


class _Recording(TorchDispatchMode):  # type: ignore[no-untyped-call]
    def __init__(self, reads: tuple[str, ...]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._reads = reads
        self.operations: list[_Operation] = []
        self._before: dict[int, tuple[Tensor, Tensor]] = {}
        self._generators: dict[torch.Generator, Tensor] = {}
        self._made: dict[int, Tensor] = {}

    def __torch_dispatch__(
        self, function: Any, _types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        name = function._schema.name
        if name in self._reads:
            raise RuntimeError(f"{name}: not permitted when stream is capturing")
        for tensor in _tensors((args, kwargs)):
            self._keep(tensor)
        generator = kwargs.get("generator")
        if generator is not None:
            self._generators.setdefault(generator, generator.get_state())
        outputs = function(*args, **kwargs)
        operation = _Operation(function, args, kwargs, outputs)
        self.operations.append(operation)
        self._made |= {_memory(tensor): tensor for tensor in operation.made}
        return outputs

    def restore(self) -> None:
        """Nothing was executed: what was there is as it was, and what was made is not there yet."""
        for memory, copy in self._before.values():
            memory.copy_(copy)
        for generator, state in self._generators.items():
            generator.set_state(state)
        for tensor in self._made.values():
            _bytes(tensor).fill_(255)  # NaN in each floating type, -1 in whole numbers

    def _keep(self, tensor: Tensor) -> None:
        place = _memory(tensor)
        if place not in self._before and place not in self._made:
            memory = _bytes(tensor)
            self._before[place] = memory, memory.clone()


def _tensors(tree: Any) -> list[Tensor]:
    return [leaf for leaf in tree_leaves(tree) if isinstance(leaf, Tensor)]


def _memory(tensor: Tensor) -> int:
    return tensor.untyped_storage().data_ptr()


def _bytes(tensor: Tensor) -> Tensor:
    """All memory that a tensor, maybe with others, has a part of."""
    return torch.empty(0, dtype=torch.uint8).set_(tensor.untyped_storage())
