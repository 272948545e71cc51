"""The learning curves of two runs in one picture, and the images they answer differently."""

import base64
import io
from collections.abc import Mapping, Sequence
from typing import Any

from cnnsweep.diff.images import Image
from cnnsweep.diff.sides import RunSide
from cnnsweep.report.charts.chart_model import PALETTE, XY, Series
from cnnsweep.report.charts.learning_curves import drawn_columns

_ACROSS, _INCHES, _DPI = 5, 1.7, 140


def curves(a: RunSide, b: RunSide) -> list[XY]:
    """A chart of accuracy and one of loss by epoch; none of what neither run has."""
    charts = []
    names = dict.fromkeys(name for side in (a, b) for name in side.run.metrics)
    for kind, (solid, *dashed) in drawn_columns(names).items():
        lines = [
            line
            for side, color in zip((a, b), PALETTE, strict=False)
            for name in (solid, *dashed)
            for line in _line(side, name, color, is_dashed=name in dashed)
        ]
        if lines:
            caption = ", ".join([f"{solid} solid", *(f"{name} dashed" for name in dashed)])
            y_title = "accuracy (%)" if kind == "accuracy" else "loss"
            title = f"{kind.capitalize()} by epoch ({caption})"
            charts.append(XY(f"curves-{kind}", title, caption, "epoch", y_title, lines))
    return charts


def _line(side: RunSide, name: str, color: str, *, is_dashed: bool) -> list[Series]:
    column = side.run.metrics.get(name, [])
    known = [value for value in column if value is not None]
    if not known:
        return []
    scale = 100 if "acc" in name.lower() and max(known) <= 1 else 1
    values = [None if value is None else scale * value for value in column]
    epochs = list(range(1, len(values) + 1))
    model = side.run.config.get("model")
    label = side.name if model is None else f"{side.name}: {model}"
    if len(values) == 1:  # a line of one point is not seen
        return [Series(label, epochs, values, color=color, ring=is_dashed,
                       in_legend=not is_dashed)]  # fmt: skip
    return [Series(label, epochs, values, "line", color, dashed=is_dashed, faint=is_dashed,
                   in_legend=not is_dashed)]  # fmt: skip


def images_picture(images: Sequence[Image], addresses: Mapping[int, str]) -> bytes:
    """The images as a PNG, each below its label and both answers.

    Args:
        images: those to draw.
        addresses: a ``data:`` address of a PNG for each, by index.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure
    from PIL import Image as Pictures

    rows = -(-len(images) // _ACROSS)
    with rc_context({"text.usetex": False, "text.parse_math": False}):
        figure = Figure(figsize=(_ACROSS * _INCHES, rows * (_INCHES + 0.35)), layout="constrained")
        places: Any = figure.subplots(rows, _ACROSS, squeeze=False)
        for axes in places.flat:
            axes.axis("off")
        for axes, image in zip(places.flat, images, strict=False):
            content = base64.b64decode(addresses[image.index].partition(",")[2])
            with Pictures.open(io.BytesIO(content)) as picture:
                axes.imshow(picture.convert("RGB"))
            axes.set_title(f"{image.label}\nA: {image.a}, B: {image.b}"[:60], fontsize=8)
        file = io.BytesIO()
        figure.savefig(file, format="png", dpi=_DPI)
    return file.getvalue()
