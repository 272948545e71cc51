"""Everything that is said of two runs."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cnnsweep.diff.code import Code, code_apart
from cnnsweep.diff.data import Data, data_apart
from cnnsweep.diff.entries import Entry, environment, environment_block
from cnnsweep.diff.images import Images, images_apart
from cnnsweep.diff.metrics import Metrics, between, metrics_apart
from cnnsweep.diff.settings import Settings, settings_apart
from cnnsweep.diff.sides import RunSide
from cnnsweep.report.answer.block import Block
from cnnsweep.report.read.run_record import finite
from cnnsweep.report.stats.intervals import ALPHA


@dataclass(frozen=True, slots=True)
class RunDiff:
    """Two runs; ``images`` is a sentence where they cannot be compared image by image."""

    a: RunSide
    b: RunSide
    settings: Settings
    data: Data
    code: Code
    environment: list[Entry]
    metrics: Metrics
    images: Images | str
    problems: list[str]

    @property
    def is_different(self) -> bool:
        """Whether settings, data, code or metrics differ, or aren't known to be the same."""
        parts = self.settings.different, any(one.differs for one in self.metrics.listed)
        return any(parts) or self.data.same is False or self.code.same is False

    def blocks(self) -> list[Block]:
        """The parts in their order."""
        images = self.images
        return [
            Block("In short", [_in_short(self)], strong=True),
            self.settings.block(),
            self.data.block(),
            self.code.block(),
            environment_block(self.environment),
            self.metrics.block(),
            images.block() if isinstance(images, Images) else Block("Test images", [images]),
        ]

    def as_plain(self) -> dict[str, Any]:
        """What JSON holds, beside what it holds of any comparison."""
        images = self.images
        known = images.as_plain() if isinstance(images, Images) else None
        return {
            "a": _side(self.a),
            "b": _side(self.b),
            "settings": self.settings.as_plain(),
            "data": self.data.as_plain(),
            "code": self.code.as_plain(),
            "environment": [entry.as_plain() for entry in self.environment],
            "metrics": self.metrics.as_plain(),
            "test_images": known,
        }


def runs_apart(a: RunSide, b: RunSide, here: Path) -> RunDiff:
    """Compare two runs; ``here`` may lie in a git repository that knows their commits."""
    problems = list(dict.fromkeys([*a.run.problems, *b.run.problems]))
    settings = settings_apart(a.run.config, b.run.config, ours=a.run.ours and b.run.ours)
    data = data_apart(a, b, problems)
    images = images_apart(a, b, problems)
    if isinstance(images, Images) and data.same is False:
        images = "The data differ: nothing can be said image by image."
    return RunDiff(
        a,
        b,
        settings,
        data,
        code_apart(a, b, here, problems),
        environment(a.run, b.run),
        metrics_apart(a, b, data, images),
        images,
        problems,
    )


def _side(side: RunSide) -> dict[str, Any]:
    run = side.run
    seed = finite(run.seed)
    return {
        "folder": str(run.folder),
        "status": run.status,
        "epochs": run.epochs_done,
        "seed": None if seed is None else int(seed),
        "model": None if run.config.get("model") is None else str(run.config["model"]),
        "notes": side.said,
    }


def _in_short(diff: RunDiff) -> str:
    """The difference in the metric that matters most, and whether it is more than chance."""
    if not diff.is_different:
        return "A and B: no difference in settings, data, code or metrics."
    keys = diff.settings.named()
    why = f"Their settings differ in {keys}." if keys else "Their settings are the same."
    listed = (diff.metrics.of(name) for name in ("test_accuracy", "val_accuracy"))
    told = next((one for one in listed if one and one.difference is not None), None)
    if told is None or told.difference is None:
        return why
    split = "test" if told.metric.name.startswith("test") else "validation"
    if told.difference == 0:
        return f"A and B have the same {split} accuracy, {told.metric.show(told.a)}. {why}"
    better = "B" if told.difference > 0 else "A"
    size = told.metric.show_difference(abs(told.difference))
    text = f"{better} is {size} better in {split} accuracy"
    known = told.uncertainty
    if known is None or diff.data.same is False:
        return f"{text}. {why}"
    sign = 1 if better == "B" else -1
    ends = sorted((sign * known.low, sign * known.high))
    shown = between(told.metric, *ends)
    is_more = known.low > 0 or known.high < 0 if known.p is None else known.p < ALPHA
    verdict = (
        "more than chance over the images explains, for these two trained networks"
        if is_more
        else "no finding, chance over the images alone may do that"
    )
    return f"{text} (95 % interval over images {shown}): {verdict}. {why}"
