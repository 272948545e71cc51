"""Where the YAMLs are."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_INSTALLED = _PACKAGE / "conf"
# Inside the package when installed from a wheel, beside it in a checkout.
CONF_DIR = _INSTALLED if _INSTALLED.is_dir() else _PACKAGE.parent / "conf"
