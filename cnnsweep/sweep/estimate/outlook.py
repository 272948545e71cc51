"""What a search, or a grid, has still to do: lines for a person, and runs to be counted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cnnsweep.sweep.freeze_thaw.curve import Curve
from cnnsweep.sweep.freeze_thaw.rule import Terms

Config = Mapping[str, Any]  # resolved, of a run


@dataclass(frozen=True)
class Trial:
    """A trial to train: which of the configs it has, and the epochs that it still lacks."""

    config: int
    epochs: int


@dataclass(frozen=True)
class Pausing:
    """A search whose trials are paused and thawed: its rule, and how far it is."""

    terms: Terms
    epochs: int
    unbegun: int
    curves: Sequence[Curve]


@dataclass(frozen=True)
class Outlook:
    """What is to be done in one study.

    ``lines`` are true of the study that is called ``name``, empty where it is the only one.
    ``configs`` are those that its runs have, or a sample of them; empty where nothing is known of
    them. ``trials`` are to be trained in this order, each as often as ``seeds`` says, unless
    ``pausing``. ``confirm`` runs of ``epochs`` epochs follow at the end. ``pruner`` is named where
    it may end trials early. ``kept`` trials keep their checkpoints, None: all.
    ``in_steps``: the objective is a share of images.
    """

    lines: Sequence[str]
    configs: Sequence[Config]
    trials: Sequence[Trial] = ()
    pausing: Pausing | None = None
    seeds: int = 1
    confirm: int = 0
    epochs: int = 0
    pruner: str | None = None
    kept: int | None = None
    in_steps: bool = False
    name: str = ""
