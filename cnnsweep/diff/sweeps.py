"""Everything that is said of two sweeps."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cnnsweep.diff.entries import Entry, entries_block
from cnnsweep.diff.groups import Groups, groups_apart
from cnnsweep.diff.metrics import signed
from cnnsweep.diff.settings import Settings, settings_apart
from cnnsweep.diff.sides import SweepSide
from cnnsweep.folders.winner import in_order
from cnnsweep.metric_names import duration
from cnnsweep.report.answer.block import Block
from cnnsweep.report.answer.cost import Cost, cost
from cnnsweep.report.answer.given import Given, given, given_lines, place_of
from cnnsweep.report.answer.winning.find_winners import winners
from cnnsweep.report.answer.winning.winners import Winner
from cnnsweep.report.read.run_record import FINGERPRINT, STATUSES, UNKNOWN
from cnnsweep.report.read.safe_io import Scalar
from cnnsweep.report.stats.options import Question


@dataclass(frozen=True, slots=True)
class Winners:
    """The winners of one search that both sweeps have, by its place below either."""

    place: str
    a: Winner
    b: Winner
    settings: Settings

    def block(self) -> Block:
        """Value and differing settings side by side."""
        said = []
        if self.a.objective.name == self.b.objective.name:
            metric, apart = self.a.objective, self.b.best - self.a.best
            said.append(
                f"Winners of {self.place}: {metric.name} {metric.show(self.a.best)} (A, best of "
                f"{self.a.among}) and {metric.show(self.b.best)} (B, best of {self.b.among}), "
                f"B − A {signed(metric, apart)}; both chosen on validation, hence optimistic."
            )
        if not self.settings.different:
            said.append(f"Winners of {self.place}: the same settings.")
        rows = [setting.row() for setting in self.settings.different]
        title = f"Settings of the winners ({self.place})"
        return Block(title, said, columns=["", "A", "B"] if rows else (), rows=rows)

    def as_plain(self) -> dict[str, Any]:
        """What JSON holds."""
        sides = {
            name: {
                "folder": str(winner.trial.folder), "metric": winner.objective.name,
                "best": winner.best, "tried": winner.tried,
            }
            for name, winner in (("a", self.a), ("b", self.b))
        }  # fmt: skip
        return {"search": self.place, **sides, "settings": self.settings.as_plain()}


@dataclass(frozen=True, slots=True)
class SweepDiff:
    """Two sweeps."""

    a: SweepSide
    b: SweepSide
    settings: Settings
    data: Entry
    code: list[Entry]
    statuses: list[Entry]
    costs: tuple[Cost, Cost]
    given: tuple[list[Given], list[Given]]
    winners: list[Winners]
    groups: Groups
    problems: list[str]

    @property
    def is_different(self) -> bool:
        """Whether settings, what was given, data, code or metrics of groups differ."""
        groups = self.groups
        apart = any(one.difference(groups.metric) for one in groups.common)
        known = any(entry.differs for entry in [self.data, *self.code] if entry.is_known)
        given = self.given[0] != self.given[1]
        return any((self.settings.different, groups.only_a, groups.only_b, apart, known, given))

    def blocks(self) -> list[Block]:
        """The parts in their order."""
        spent = [
            f"Cost of {side.name}: {one.sentence()}"
            for side, one in zip((self.a, self.b), self.costs, strict=True)
        ]
        return [
            Block("In short", [_in_short(self)], strong=True),
            self.settings.block(),
            self._given_block(),
            _named("Data", [self.data]),
            _named("Code", self.code),
            self._by_status(),
            *(pair.block() for pair in self.winners),
            self.groups.block(),
            Block("Cost", spent),
        ]

    def _given_block(self) -> Block:
        found = {side.name: own for side, own in zip((self.a, self.b), self.given, strict=True)}
        sweeps = [side.gathered.sweeps for side in (self.a, self.b)]
        return Block("Given beforehand", given_lines(found, sweeps))

    def _by_status(self) -> Block:
        if not any(entry.differs for entry in self.statuses):
            listed = ", ".join(f"{entry.a} {entry.name}" for entry in self.statuses)
            return Block("Runs by status", [f"Runs by status: no difference ({listed})."])
        rows = [entry.row() for entry in self.statuses]
        return Block("Runs by status", columns=["", "A", "B"], rows=rows)

    def as_plain(self) -> dict[str, Any]:
        """What JSON holds, beside what it holds of any comparison."""
        sides = {
            side.name.lower(): {
                "folder": str(side.folder), "runs": len(side.gathered.runs),
                "train_seconds": spent.seconds, "epochs": spent.epochs, "notes": side.said,
                "given": [one.as_plain() for one in given],
            }
            for side, spent, given in zip((self.a, self.b), self.costs, self.given, strict=True)
        }  # fmt: skip
        return {
            **sides,
            "settings": self.settings.as_plain(),
            "data": self.data.as_plain(),
            "code": [entry.as_plain() for entry in self.code],
            "statuses": [entry.as_plain() for entry in self.statuses],
            "winners": [pair.as_plain() for pair in self.winners],
            "groups": self.groups.as_plain(),
        }


def sweeps_apart(a: SweepSide, b: SweepSide, question: Question) -> SweepDiff:
    """Compare two sweeps. Raises UserError for an unknown metric or column."""
    problems = list(dict.fromkeys([*a.gathered.problems, *b.gathered.problems]))
    first, second = a.gathered.counts(), b.gathered.counts()
    statuses = [status for status in STATUSES if status in first | second]
    return SweepDiff(
        a,
        b,
        settings_apart(a.settings, b.settings),
        Entry(FINGERPRINT, _fingerprint(a), _fingerprint(b)),
        [Entry(key, _recorded(a, key), _recorded(b, key)) for key in ("commit", "changes")],
        [Entry(status, first.get(status, 0), second.get(status, 0)) for status in statuses],
        (cost(a.gathered.runs), cost(b.gathered.runs)),
        (given(a.gathered.sweeps, a.folder), given(b.gathered.sweeps, b.folder)),
        _winners(a, b),
        groups_apart(a, b, question, problems),
        problems,
    )


def _fingerprint(side: SweepSide) -> Scalar:
    """Of the data of all its runs; None where one of them recorded nothing."""
    known = side.settings.get(FINGERPRINT)
    return None if known is None or UNKNOWN in str(known) else known


def _recorded(side: SweepSide, key: str) -> str | None:
    """What the runs' results say, each value once; None where none says anything."""
    said = {str(value) for run in side.gathered.runs if (value := run.result.get(key)) is not None}
    return " | ".join(sorted(said)) or None


def _winners(a: SweepSide, b: SweepSide) -> list[Winners]:
    """Those of the searches that lie at the same place below either sweep."""
    first, second = _by_place(a), _by_place(b)
    return [
        Winners(
            place, one, second[place], settings_apart(one.trial.config, second[place].trial.config)
        )
        for place, one in sorted(first.items(), key=lambda pair: in_order(Path(pair[0])))
        if place in second
    ]


def _by_place(side: SweepSide) -> dict[str, Winner]:
    return {place_of(w.sweep.folder, side.folder): w for w in winners(side.gathered.sweeps, [])}


def _named(title: str, found: Sequence[Entry]) -> Block:
    return entries_block(title, [entry for entry in found if (entry.a, entry.b) != (None, None)])


def _in_short(diff: SweepDiff) -> str:
    if not diff.is_different:
        return "A and B: no difference in settings, data, code or metrics."
    groups = diff.groups
    decided = [one for one in groups.common if one.pair is not None and one.pair.decided]
    of = f"{len(decided)} of {len(groups.common)} common groups differ by more than seeds explain"
    if not groups.common:
        of = "no group is in both"
    named = ", ".join(
        f"{one.label} {signed(groups.metric, one.difference(groups.metric))}" for one in decided
    )
    spent = " and ".join(duration(one.seconds) for one in diff.costs)
    keys = diff.settings.named()
    why = f"Their settings differ in {keys}." if keys else "Their settings are the same."
    if diff.given[0] != diff.given[1]:
        why += " They were given other trials or points beforehand."
    return (
        f"{groups.metric.name}: {of}{f' ({named}, B − A)' if named else ''}; training took "
        f"{spent}. {why}"
    )
