"""Which trackers a config chooses, and checks of them that need no start."""

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from cnnsweep.errors import UserError
from cnnsweep.redact import masked_word

_OURS = "cnnsweep.loggers."
URI_SCHEMES = ("sqlite", "postgresql", "mysql", "mssql", "http", "https", "databricks")
WANDB_MODES = ("offline", "online", "disabled", "shared")


def chosen(node: Mapping[str, Any] | None) -> dict[str, dict[str, Any]]:
    """Each tracker's part of the resolved config, by name.

    ``logger.<name>`` is a tracker where it has a ``_target_``; a ``_target_`` of the group itself
    is one more, named after its class.
    """
    if node is None:
        return {}
    named = {key: dict(part) for key, part in node.items() if _is_tracker(part)}
    if node.get("_target_") is None:
        return named
    own = {key: value for key, value in node.items() if key not in named}
    return named | {str(own["_target_"]).rpartition(".")[2]: own}


def check_loggers(node: Mapping[str, Any] | None) -> None:
    """Refuse what cannot work: a package that is not installed, an address of unknown kind.

    Keys that are not there are the tracker's to name, when it is made.

    Raises:
        UserError: names the tracker and what to do.
    """
    for name, part in chosen(node).items():
        if not str(part["_target_"]).startswith(_OURS):
            continue
        package = package_of(part["_target_"])
        if find_spec(package) is None:
            raise missing(package)
        if package == "mlflow":
            _check_uri(f"logger.{name}.tracking_uri", part.get("tracking_uri"))
        if package == "wandb" and "mode" in part and part["mode"] not in WANDB_MODES:
            raise UserError(
                f"logger.{name}.mode={part['mode']} is not one of {', '.join(WANDB_MODES)}"
            )


def package_of(target: str) -> str:
    """The package that one of our own loggers needs; it is named like its extra."""
    return target.removeprefix(_OURS).partition(".")[0]


def missing(package: str) -> UserError:
    """The error for a tracker whose package is not installed."""
    return UserError(
        f"logger={package} needs the package {package}: pip install -e '.[{package}]', or choose "
        "another logger (logger=none)"
    )


def _is_tracker(part: Any) -> bool:
    return isinstance(part, Mapping) and part.get("_target_") is not None


def _check_uri(key: str, uri: str | None) -> None:
    if uri is None:
        return
    scheme, separator, _ = uri.partition(":")
    if scheme.partition("+")[0] not in URI_SCHEMES or not (separator or scheme == "databricks"):
        raise UserError(
            f"{key}={masked_word(uri)} is not an address of MLflow; allowed: sqlite:///FILE.db, "
            "a server (http://HOST:PORT), a database (postgresql, mysql, mssql), databricks"
        )
