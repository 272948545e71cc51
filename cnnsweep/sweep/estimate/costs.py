"""What runs cost, and how that of one is told from those of others: plain numbers."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from statistics import fmean


@dataclass(frozen=True)
class Cost:
    """Of one run: seconds and bytes.

    ``begin`` are the seconds before its first epoch, each time that it starts or goes on; ``epoch``
    those of an epoch with validation and checkpoints; ``end`` those after the last one. ``best``,
    ``last`` and ``other`` are the bytes of its two checkpoints and of all else in its folder.
    """

    begin: float
    epoch: float
    end: float
    best: float
    last: float
    other: float

    def seconds(self, epochs: float) -> float:
        """Of a whole run, or what is left of one."""
        return self.begin + epochs * self.epoch + self.end


@dataclass(frozen=True)
class Kind:
    """Runs of one kind cost the same.

    Kinds of one ``family`` differ in their ``batch`` size alone (None: they have none).
    """

    family: str
    batch: int | None


def mean(costs: Sequence[Cost]) -> Cost:
    """The mean of each figure."""
    return Cost(*map(fmean, zip(*map(astuple, costs), strict=True)))


def filled(known: Mapping[Kind, Cost], wanted: Sequence[Kind]) -> dict[Kind, Cost]:
    """A cost for each wanted kind, of which some, or their like, are known.

    An epoch of N images in batches of B takes ``a + b / B`` seconds: so much an image, so much a
    step. Two batch sizes of a family tell both; one tells neither, and counts for all. A family of
    which nothing is known has the mean of the others.
    """
    families: dict[str, dict[int | None, Cost]] = defaultdict(dict)
    for kind, cost in known.items():
        families[kind.family][kind.batch] = cost
    found = {kind: known.get(kind) or _of_family(families[kind.family], kind) for kind in wanted}
    others = mean(list(known.values()))
    return {kind: others if cost is None else cost for kind, cost in found.items()}


def _of_family(known: Mapping[int | None, Cost], kind: Kind) -> Cost | None:
    if not known:
        return None
    cost = mean(list(known.values()))
    sized = sorted((batch, one.epoch) for batch, one in known.items() if batch)
    if kind.batch is None or len(sized) < 2:
        return cost
    (small, slow), (large, fast) = sized[0], sized[-1]
    step = max(0.0, (slow - fast) / (1 / small - 1 / large))
    image = max(0.0, fast - step / large)
    epoch = image + step / kind.batch
    return Cost(cost.begin, epoch, cost.end, cost.best, cost.last, cost.other)


def to_measure(wanted: Mapping[Kind, int], most: int) -> list[Kind]:
    """The kinds that tell most of all, ``most`` of them: ``wanted`` says how often each occurs.

    Of each family its smallest and its largest batch size, families that occur often first.
    """
    families: dict[str, list[Kind]] = defaultdict(list)
    for kind in wanted:
        families[kind.family].append(kind)
    ordered = sorted(families.values(), key=lambda kinds: -sum(wanted[kind] for kind in kinds))
    firsts: list[Kind] = []
    seconds: list[Kind] = []
    for kinds in ordered:
        by_size = sorted(kinds, key=lambda kind: kind.batch or 0)
        firsts.append(by_size[0])
        seconds += by_size[-1:] if len(by_size) > 1 else []
    return [*firsts, *seconds][:most]
