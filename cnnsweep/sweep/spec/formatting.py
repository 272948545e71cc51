"""Metrics and parameters as a person reads them."""

import re
import traceback
from collections.abc import Mapping, Sequence
from statistics import mean, stdev
from typing import Any

from cnnsweep.config.error_messages import short_error

PLUS_MINUS = "± is half of the 95 % interval of the mean"
_NUMBER = re.compile(r"[-+]?\d[\w.+-]*")


def format_value(value: object) -> str:
    """A float with four significant digits; anything else as it is."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def format_mean(values: Sequence[float]) -> str:
    """``0.9886 ± 0.0009``: half of the 95 % interval of the mean, if there are three values."""
    from cnnsweep.report.stats.intervals import half_width  # SciPy: once runs are over

    half = half_width(stdev(values) if len(values) > 1 else None, len(values))
    return f"{mean(values):.4f}{'' if half is None else f' ± {half:.4f}'}"


def format_params(params: Mapping[str, Any]) -> str:
    """``optim.lr=0.01, optim.momentum=0.9``."""
    return ", ".join(f"{name}={format_value(value)}" for name, value in params.items())


def cause_of(error: BaseException) -> str:
    """Equal for failures of one reason: kind, place and message, the numbers in it left out."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__qualname__} {place} {_NUMBER.sub('…', short_error(error))}"
