"""The space of a search, as its sweep's multirun.yaml has it in Hydra's words: read as text."""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cnnsweep.dotted_keys import look_up
from cnnsweep.folders.sweep_folder import SweepFolder, sweep_around
from cnnsweep.report.read.safe_io import Damaged, read_yaml
from cnnsweep.rules import SPACE, conditional

_WRAPPED = re.compile(r"(tag|int|float|interval|range)\((.*)\)", re.DOTALL)
_SWEPT = re.compile(r"(tag|int|float|interval|range|choice|shuffle|sort|glob)\(", re.DOTALL)
_NEAR = 0.05  # of the scale, from a bound
_SHARES = ("momentum", "dampening", "dropout", "label_smoothing", "val_fraction")  # below 1


@dataclass(frozen=True, slots=True)
class Dimension:
    """A key with a lower and an upper bound; ``step`` is that of whole numbers in a range."""

    key: str
    low: float
    high: float
    log: bool = False
    whole: bool = False
    step: float | None = None

    def bound_near(self, value: float) -> float | None:
        """The bound within 5 % of whose scale a value lies; None in the middle."""
        if not self.low <= value <= self.high or self.low == self.high:
            return None
        low, high, at = (self._scaled(v) for v in (self.low, self.high, value))
        place = (at - low) / (high - low)
        if _NEAR < place < 1 - _NEAR:
            return None
        return self.low if place <= _NEAR else self.high

    def _scaled(self, value: float) -> float:
        return math.log(value) if self.log else value

    def wider(self, bound: float) -> str | None:
        """The word of a space that goes on beyond a bound; None where values must not."""
        low, high = (self._below(), self.high) if bound == self.low else (self.low, self._above())
        if (low, high) == (self.low, self.high):
            return None
        return f"{self.key}={self._text(low, high)}"

    def _below(self) -> float:
        if self.log:
            return max(1.0, self.low / 2) if self.whole else self.low / 10
        lower = self.low - (self.high - self.low)
        return max(lower, min(self.low, 1.0 if self.whole else 0.0)) if self.low >= 0 else lower

    def _above(self) -> float:
        if self.log:
            return self.high * (2 if self.whole else 10)
        last = self.key.rpartition(".")[2]
        if not self.whole and self.low >= 0 and (self.high < 1 or last in _SHARES):
            return 1 - (1 - self.high) / 10 if self.high < 1 else self.high
        return self.high + (self.high - self.low)

    def _text(self, low: float, high: float) -> str:
        if self.step is not None:
            start = self.low + math.ceil((low - self.low) / self.step) * self.step
            stop = high + self.step
            return f"range({start:.12g}, {stop:.12g}, {self.step:.12g})"
        inside = f"interval({low:.12g}, {high:.12g})"
        inside = f"int({inside})" if self.whole else inside
        return f"tag(log, {inside})" if self.log else inside


@dataclass(frozen=True, slots=True)
class Launch:
    """What a sweep was launched with: its folder, the keys that it goes through, their bounds.

    Those that are ``conditional`` only some of its trials set.
    """

    folder: Path
    n_trials: int | None
    keys: tuple[str, ...]
    dimensions: Mapping[str, Dimension]
    conditional: frozenset[str] = frozenset()


def read_launch(sweep: Path) -> Launch | None:
    """The launch of a search or grid, also of one of several searches in its folder.

    None where no multirun.yaml says it, or one that cannot be read.
    """
    own = SweepFolder(sweep).config
    folder = sweep if own.is_file() else sweep_around(sweep)
    if folder is None or SweepFolder(folder).config.is_symlink():
        return None
    try:
        content = read_yaml(SweepFolder(folder).config)
    except Damaged:
        return None  # which is told where sweeps are read
    entries = dict(_entries(content))
    texts = {key: text for key, text in entries.items() if is_swept(text)}
    found = {key: one for key, text in texts.items() if (one := dimension(key, text)) is not None}
    n_trials = look_up(content, "hydra.sweeper.n_trials")
    compared = look_up(content, "hydra.sweeper.compare")
    keys = (*map(str, compared), *texts) if isinstance(compared, Mapping) else tuple(texts)
    trials = n_trials if isinstance(n_trials, int) else None
    return Launch(folder, trials, keys, found, _conditional(content) & texts.keys())


def _entries(content: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What the sweeper's params and the command line say of each key; the later counts."""
    params = look_up(content, "hydra.sweeper.params")
    for key, value in params.items() if isinstance(params, Mapping) else ():
        entry = conditional(value)
        yield str(key).lstrip("+"), str(value if entry is None else entry.get(SPACE))
    words = look_up(content, "hydra.overrides.task")
    for word in words if isinstance(words, list) else ():
        key, sign, value = str(word).partition("=")
        if sign:
            yield key.lstrip("+"), value


def _conditional(content: Mapping[str, Any]) -> frozenset[str]:
    params = look_up(content, "hydra.sweeper.params")
    entries = params.items() if isinstance(params, Mapping) else ()
    return frozenset(str(key).lstrip("+") for key, one in entries if conditional(one))


def is_swept(text: str) -> bool:
    """Whether a value of Hydra's command line is several."""
    return bool(_SWEPT.match(text.strip())) or len(parts(text)) > 1


def dimension(key: str, text: str) -> Dimension | None:
    """The bounds that a text spans; None for choices, and for what isn't a plain interval."""
    log = whole = False
    while (match := _WRAPPED.fullmatch(text.strip())) is not None:
        name, inside = match.groups()
        *before, last = parts(inside)
        if name in ("interval", "range"):
            return _bounded(Dimension(key, 0, 0, log, whole), name, parts(inside))
        log, whole = log or "log" in before, whole or name == "int"
        text = last
    return None


def _bounded(one: Dimension, kind: str, words: list[str]) -> Dimension | None:
    names = ["start", "end"] if kind == "interval" else ["start", "stop", "step"]
    given = {"start": "0", "step": "1"} if kind == "range" else {}
    plain = words if kind == "interval" or len(words) > 1 else ["0", *words]
    for name, word in zip(names, plain, strict=False):
        key, sign, value = word.rpartition("=")
        given[key.strip() if sign else name] = value
    try:
        numbers = {name: float(value) for name, value in given.items()}
        low, high, step = numbers["start"], numbers.get("end"), numbers.get("step")
        if step is not None:  # the stop is not one of the values
            high = low + (math.ceil((numbers["stop"] - low) / step) - 1) * step
    except (KeyError, ValueError, ZeroDivisionError, OverflowError):
        return None
    if high is None or not low < high < math.inf or (one.log and low <= 0):
        return None
    return Dimension(one.key, low, high, one.log, one.whole or step is not None, step)


def parts(text: str) -> list[str]:
    """A text at its commas, those within brackets and quotes aside."""
    found, depth, quote = [""], 0, ""
    for character in text:
        if character in "'\"" and quote in ("", character):
            quote = "" if quote else character
        elif not quote:
            depth += (character in "([{") - (character in ")]}")
        if character == "," and depth == 0 and not quote:
            found.append("")
        else:
            found[-1] += character
    return [part.strip() for part in found]
