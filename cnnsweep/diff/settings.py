"""Settings that differ between two recorded configs, choices of groups first."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from cnnsweep.diff.entries import in_json, is_same, shown
from cnnsweep.dotted_keys import is_below
from cnnsweep.folders.recorded_defaults import DEFAULTS, RENAMED
from cnnsweep.folders.run_folder import UNCOMPARED
from cnnsweep.report.answer.block import Block
from cnnsweep.report.read.run_record import FINGERPRINT, as_compared
from cnnsweep.report.read.safe_io import Scalar

Known = Literal["recorded", "old default", "absent"]
_NAMES_ONLY = ("experiment", "search", "sweep", "pictures")  # what they choose stands in other keys
_SWEEPER = "hydra.sweeper."


@dataclass(frozen=True, slots=True)
class Setting:
    """A config key that differs; ``choice``: it is the option chosen of a config group.

    How it is known of either side: ``recorded``, the ``old default`` of code that had no such key,
    or ``absent``: that side has none, and its value here is None.
    """

    key: str
    a: Scalar
    b: Scalar
    a_known: Known = "recorded"
    b_known: Known = "recorded"
    choice: bool = False

    @property
    def is_one_sided(self) -> bool:
        """Whether only one side has the key."""
        return "absent" in (self.a_known, self.b_known)

    def row(self) -> list[str]:
        """Cells of a table."""
        return [self.key, _cell(self.a, self.a_known), _cell(self.b, self.b_known)]

    def as_plain(self) -> dict[str, Any]:
        """What JSON holds."""
        return {
            "key": self.key, "a": in_json(self.a), "b": in_json(self.b), "a_known": self.a_known,
            "b_known": self.b_known, "choice": self.choice,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Settings:
    """``different``: what may change results; ``without_effect``: places, pictures, trackers."""

    different: list[Setting]
    without_effect: list[Setting]

    def named(self) -> str:
        """The first few keys that differ, in words; of another choice its name alone."""
        choices = {setting.key for setting in self.different if setting.choice}
        differing = [setting.key for setting in self._told()]
        keys = [k for k in differing if k in choices or k.partition(".")[0] not in choices]
        return ", ".join(keys[:4]) + (f" and {len(keys) - 4} more" if len(keys) > 4 else "")

    def _told(self) -> list[Setting]:
        """Without the keys of another sampler or pruner, which the other side's doesn't have."""
        others = {s.key[:-8] for s in self.different if s.key.endswith("._target_")}
        return [s for s in self.different if not (s.is_one_sided and _sweepers(s.key) in others)]

    def as_plain(self) -> dict[str, Any]:
        """What JSON holds."""
        return {
            "different": [setting.as_plain() for setting in self.different],
            "without_effect": [setting.as_plain() for setting in self.without_effect],
        }

    def block(self) -> Block:
        """The keys as a table; one line where none differs."""
        said = [] if self.different else ["Settings: no difference."]
        if self.without_effect:
            listed = ", ".join(
                f"{key} ({a} → {b})" for key, a, b in (s.row() for s in self.without_effect)
            )
            said.append(f"Settings without effect on the results: {listed}.")
        rows = [setting.row() for setting in self._told()]
        if more := len(self.different) - len(rows):
            said.append(f"Settings of samplers and pruners that only A or B has: {more}.")
        title = f"Settings that differ ({len(self.different)})" if rows else "Settings"
        return Block(title, said, columns=["", "A", "B"] if rows else (), rows=rows)


def settings_apart(
    a: Mapping[str, Scalar], b: Mapping[str, Scalar], *, ours: bool = True
) -> Settings:
    """What differs between two configs by dotted key, choices of groups among the keys.

    ``ours``: keys that one of them lacks may be newer than it; see
    :mod:`cnnsweep.folders.recorded_defaults`.
    """
    found = sorted(_differing(a, b, ours), key=lambda setting: not setting.choice)
    other = {setting.key for setting in found if setting.choice}
    # The class of another choice says nothing new.
    found = [s for s in found if not (s.key.endswith("._target_") and s.key[:-9] in other)]
    idle = [setting for setting in found if is_below(setting.key, (*UNCOMPARED, *_NAMES_ONLY))]
    idle = [setting for setting in idle if not setting.key.startswith(_SWEEPER)]
    return Settings([setting for setting in found if setting not in idle], idle)


def _differing(a: Mapping[str, Scalar], b: Mapping[str, Scalar], ours: bool) -> Iterator[Setting]:
    groups = _groups(a) | _groups(b)
    for key in dict.fromkeys([*a, *b]):
        if key == FINGERPRINT:
            continue
        (left, left_known), (right, right_known) = _value(a, key, b, ours), _value(b, key, a, ours)
        compared = as_compared(left), as_compared(right)
        if "absent" in (left_known, right_known) or not is_same(*compared):
            yield Setting(key, left, right, left_known, right_known, key in groups)


def _sweepers(key: str) -> str | None:
    """``hydra.sweeper.sampler.`` of its keys; None of keys that are no part of a sweeper."""
    parts = key.split(".")
    return ".".join(parts[:3]) + "." if key.startswith(_SWEEPER) and len(parts) > 3 else None


def _groups(config: Mapping[str, Scalar]) -> set[str]:
    """The config groups: keys without a dot that have keys below them too."""
    return {key.partition(".")[0] for key in config if "." in key} & config.keys()


def _value(
    config: Mapping[str, Scalar], key: str, other: Mapping[str, Scalar], ours: bool
) -> tuple[Scalar, Known]:
    """A key's value; where the record is older than the key, what the code then did."""
    if key in config:
        value = config[key]
        is_renamed = key.endswith("_target_") and isinstance(value, str)
        return (RENAMED.get(str(value), value) if is_renamed else value), "recorded"
    group, dot, _ = key.partition(".")
    is_of_same_choice = not dot or is_same(config.get(group), other.get(group))
    if ours and key in DEFAULTS and is_of_same_choice:
        return _as_scalar(DEFAULTS[key].value), "old default"
    return None, "absent"


def _as_scalar(value: Any) -> Scalar:
    return value if value is None or isinstance(value, str | int | float) else str(value)


def _cell(value: Scalar, known: Known) -> str:
    if known == "absent":
        return "–"
    return shown(value) + (" (then without such a key)" if known == "old default" else "")
