"""Rounds of epochs: of each job that wants one, those of a family at once."""

import logging
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any

from cnnsweep.errors import one_line
from cnnsweep.sweep.workers.member import Member, WantsEpoch

log = logging.getLogger(__name__)

TrainTogether = Callable[[Sequence[Any]], Sequence[object]]
"""What `Trainer.passes` gives each of several trainers, as `cnnsweep.stack.together` has it."""

_BY_ITSELF = (None, 1)


class Rounds:
    """Trains an epoch of each member that wants one, and goes on with it.

    Where the epochs of a group cannot be trained together, as for lack of memory, halves of it are
    tried, down to runs that train by themselves.
    """

    def __init__(
        self,
        go_on: Callable[[Member, object], None],
        say: Callable[[Member, str], None],
        train: TrainTogether,
    ) -> None:
        """``go_on`` gives a member its epoch; ``say`` says a line on the terminal.

        An epoch is what `Trainer.passes` returns and the number of runs that were trained at once;
        None and 1 where the member is to train it by itself.
        """
        self._go_on = go_on
        self._say = say
        self._train_together = train
        self._most: dict[str, int] = {}  # by a family's key, where not all can be trained at once

    def train(self, members: Sequence[Member]) -> None:
        """One round."""
        waiting = [member for member in members if isinstance(member.wish, WantsEpoch)]
        for member in waiting:
            if member.trains_alone:
                self._go_on(member, _BY_ITSELF)
        together = sorted((m for m in waiting if not m.trains_alone), key=_family)
        for key, group in groupby(together, key=_family):
            several = list(group)
            most = self._most.get(key, len(several))
            for start in range(0, len(several), most):
                self._train(key, several[start : start + most])

    def _train(self, key: str, group: Sequence[Member]) -> bool:
        """Train the epochs of a group; returns whether that was done in one go."""
        if len(group) == 1:
            self._go_on(group[0], _BY_ITSELF)
            return True
        passes = self._passes(group)
        if passes is not None:
            for member, its_own in zip(group, passes, strict=True):
                self._go_on(member, (its_own, len(group)))
            return True
        if len(group) == 2:
            for member in group:
                member.trains_alone = True
        _free_memory()
        half = (len(group) + 1) // 2
        worked = [self._train(key, part) for part in (group[:half], group[half:])]
        if all(worked):
            self._most[key] = half
        return False

    def _passes(self, group: Sequence[Member]) -> Sequence[object] | None:
        """The epochs of a group, trained together; None where that failed, which is logged."""
        group[0].use_torch_settings()
        try:
            return self._train_together([_trainer(member) for member in group])
        except Exception as error:
            log.exception("%d epochs could not be trained together", len(group))
            half = (len(group) + 1) // 2
            self._say(
                group[0],
                f"note: {half} trials are trained at a time, not {len(group)}: {one_line(error)}",
            )
            return None


def _trainer(member: Member) -> Any:
    assert isinstance(member.wish, WantsEpoch)
    return member.wish.trainer


def _family(member: Member) -> str:
    return str(_trainer(member).family.key)


def _free_memory() -> None:
    """Give back what the failed attempt has kept on a GPU."""
    import torch

    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        torch.cuda.empty_cache()
