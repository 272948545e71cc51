"""Train, sweep and compare small convolutional networks."""

from pathlib import Path

__version__ = "0.1.0"

_PACKAGE = Path(__file__).resolve().parent
_INSTALLED = _PACKAGE / "conf"
# Inside the package when installed from a wheel, beside it in a checkout.
CONF_DIR = _INSTALLED if _INSTALLED.is_dir() else _PACKAGE.parent / "conf"
