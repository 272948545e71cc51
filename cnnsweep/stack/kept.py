"""Stacks whose steps are captured as graphs, kept from one epoch to the next."""

from collections import OrderedDict
from collections.abc import Sequence

from cnnsweep.data.batches import Batches
from cnnsweep.stack.epoch import MakeGraph, Stack
from cnnsweep.training.trainer import Trainer

MOST_KEPT = 8  # one for each batch size of a search, and some in which members are fewer


class KeptStacks:
    """Captured stacks by family and size, those used last.

    A captured stack has room for a power of two of runs, so that one which leaves needs no other
    capture. Rows that no run has are computed and change nothing.
    """

    def __init__(self) -> None:
        self._stacks: OrderedDict[tuple[str, int], Stack] = OrderedDict()

    def find(
        self, trainers: Sequence[Trainer], splits: Sequence[Batches], make_graph: MakeGraph
    ) -> Stack:
        """The stack for these runs of one family, whose ``splits`` all gather from one tensor."""
        size = 1 << (len(trainers) - 1).bit_length()
        key = trainers[0].family.key, size
        stack = self._stacks.pop(key, None)
        if stack is not None and not stack.gathers_from(splits[0]):
            stack.release()
            stack = None
        if stack is None:
            stack = Stack(trainers[0], splits, size, make_graph)
        self._stacks[key] = stack
        while len(self._stacks) > MOST_KEPT:
            self._stacks.popitem(last=False)[1].release()
        return stack

    def forget(self) -> None:
        """Give back the memory of all of them."""
        while self._stacks:
            self._stacks.popitem()[1].release()
