"""What the processes that time steps are told, and what they say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cnnsweep.sweep.estimate.costs import Cost


@dataclass(frozen=True)
class Orders:
    """What to do: configs to check only, in which no step is taken, and configs to time.

    Of each of the latter training steps are timed for so many ``seconds``.
    """

    checked: Sequence[Mapping[str, Any]]
    timed: Sequence[Mapping[str, Any]]
    seconds: float


@dataclass(frozen=True)
class Ready:
    """The process has imported all that a run needs."""


@dataclass(frozen=True)
class Share:
    """The share of a core that the process got, computing for a moment beside all others."""

    of_core: float


@dataclass(frozen=True)
class Timed:
    """Of one config, in its order.

    ``once`` are the seconds that its process spends once: reading data, importing. ``validated``:
    images of its validation split.
    """

    once: float
    validated: int
    cost: Cost


@dataclass(frozen=True)
class Refused:
    """A run could not begin, for a reason that a person understands; or it would download."""

    line: str
    is_download: bool = False


@dataclass(frozen=True)
class Unfit:
    """In the place of a Timed: a run of this config could not begin, though others may."""

    line: str


@dataclass(frozen=True)
class Failed:
    """Something else went wrong, which a run might meet too."""

    line: str
