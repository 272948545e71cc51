"""A recorded thing of either side, and those of the machine and its libraries."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cnnsweep.report.answer.block import Block
from cnnsweep.report.read.run_record import Run
from cnnsweep.report.read.safe_io import Scalar

NOT_RECORDED = "not recorded"
_MACHINE = ("device", "precision", "threads", "stack")
_LONGEST = 100  # characters of a value in text


@dataclass(frozen=True, slots=True)
class Entry:
    """What either side records of one thing; None: nothing."""

    name: str
    a: Scalar
    b: Scalar

    @property
    def differs(self) -> bool:
        """Whether they are not known to be the same."""
        return not is_same(self.a, self.b)

    @property
    def is_known(self) -> bool:
        """Whether both sides record it."""
        return self.a is not None and self.b is not None

    def row(self) -> list[str]:
        """Cells of a table."""
        texts = (NOT_RECORDED if v is None else shown(v) for v in (self.a, self.b))
        return [self.name, *texts]

    def as_plain(self) -> dict[str, Any]:
        """What JSON holds."""
        return {"name": self.name, "a": in_json(self.a), "b": in_json(self.b)}


def is_same(a: Scalar, b: Scalar) -> bool:
    """Whether two values are one: 1 is 1.0 and no truth value, and what is no number is itself."""
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    return a == b or (a != a and b != b)


def shown(value: Scalar) -> str:
    """A value as it would be typed, on one line of some length."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    text = str(value) or "''"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def in_json(value: Scalar) -> Scalar:
    """JSON has no infinity, and nothing that is no number: these are text."""
    is_finite = not isinstance(value, float) or math.isfinite(value)
    return value if is_finite else str(value)


def entries(names: Iterable[str], a: Mapping[str, Scalar], b: Mapping[str, Scalar]) -> list[Entry]:
    """What either side says of some names, those that neither knows left out."""
    listed = (Entry(name, a.get(name), b.get(name)) for name in dict.fromkeys(names))
    return [entry for entry in listed if (entry.a, entry.b) != (None, None)]


def environment(a: Run, b: Run) -> list[Entry]:
    """Versions, hardware, device, precision, threads, as results record them."""
    names = [n for run in (a, b) for n in run.result if n.startswith(("versions.", "hardware."))]
    return entries([*_MACHINE, *names], a.result, b.result)


def environment_block(found: Sequence[Entry]) -> Block:
    """The differing ones as a table."""
    return entries_block("Environment", found)


def entries_block(title: str, found: Sequence[Entry], said: Sequence[str] = ()) -> Block:
    """Sentences, and the differing ones as a table; one line where nothing differs.

    What only one side records is listed in a sentence.
    """
    rows = [entry.row() for entry in found if entry.differs and entry.is_known]
    sentences = [f"{title}: {line}" for line in [*said, *_by_one_alone(found)]]
    if not rows and not sentences:
        sentences = [f"{title}: {'no difference' if found else NOT_RECORDED}."]
    return Block(title, sentences, columns=["", "A", "B"] if rows else (), rows=rows)


def _by_one_alone(found: Sequence[Entry]) -> Iterator[str]:
    for side, other in (("a", "b"), ("b", "a")):
        alone = [e for e in found if getattr(e, other) is None and getattr(e, side) is not None]
        if alone:
            listed = ", ".join(f"{entry.name} {shown(getattr(entry, side))}" for entry in alone)
            yield f"only {side.upper()} records {listed}."
