"""Reliability diagrams: how often networks are right where they are so and so sure."""

from collections.abc import Iterator

from cnnsweep.report.answer.analysis import Answer
from cnnsweep.report.answer.calibration import BINS
from cnnsweep.report.charts.chart_model import GREY, XY, Chart, Colors, Series

_FEWEST = 10  # answers in a bin: of fewer the share is a matter of chance


def reliability(answer: Answer, colors: Colors) -> Iterator[Chart]:
    """One chart with a line for each group that has confidences."""
    found = answer.calibration
    if not found:
        return
    counts = ", ".join(f"{one.label} {len(one.errors)}" for one in found)
    caption = "Accuracy on the test images against the confidence in the predicted class, in "
    caption += f"{BINS} bins of equal width; on the dotted line a network is right as often as it "
    caption += (
        f"is sure, below it is too sure. Images of all runs together: {counts}; bins with fewer "
    )
    caption += f"than {_FEWEST} are left out."
    series = [Series("perfect", [0.0, 100.0], [0.0, 100.0], "line", GREY, dashed=True)]
    for one in found:
        told = one.curve[2] >= _FEWEST
        confidence, accuracy, images = (values[told].tolist() for values in one.curve)
        x, y = [100 * c for c in confidence], [100 * a for a in accuracy]
        color, hover = colors[one.label], [f"{one.label}: {n:,.0f} images" for n in images]
        series.append(Series(one.label, x, y, "line", color))
        series.append(Series(one.label, x, y, "points", color, in_legend=False, hover=hover))
    yield XY("reliability", "Calibration", caption, "confidence (%)", "accuracy (%)", series)
