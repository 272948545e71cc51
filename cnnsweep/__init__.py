"""Train, sweep and compare small convolutional networks."""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import SupportsFloat

__version__ = "0.1.0"

_PACKAGE = Path(__file__).resolve().parent
_INSTALLED = _PACKAGE / "conf"
# Inside the package when installed from a wheel, beside it in a checkout.
CONF_DIR = _INSTALLED if _INSTALLED.is_dir() else _PACKAGE.parent / "conf"


def report_epoch(epoch: int, metrics: Mapping[str, SupportsFloat]) -> None:
    """Called by the training loop of another Hydra app after each epoch, its checkpoint written.

    In a sweep it tells the sweeper and may not return: it raises
    :class:`cnnsweep.epoch_reporter.Pruned` or ``Paused``, BaseExceptions, which the loop lets
    through. Everywhere it keeps ``metrics.csv`` and ``result.json`` in the run's folder, Hydra's
    output directory; outside a Hydra app, and in processes of a rank above 0, it does nothing.
    docs/other_apps.md has the whole story.

    Args:
        epoch: counted from 1; each in its turn. A resumed run may report former epochs again.
        metrics: numbers by name, those of torch and NumPy included; NaN is allowed.

    Raises:
        cnnsweep.errors.UserError: not such an epoch or such numbers, or files of another program
            are where these belong.
    """
    import_module(f"{__name__}.other_apps.report").report_epoch(epoch, metrics)
