"""Other Hydra apps: folders with a config of the app in tests/sweep/stranger, and its sweeps."""

from pathlib import Path
from typing import Any

import yaml

from cnnsweep.config import CONF_DIR

APP = "tests.sweep.stranger.app"
X = "x=interval(0,2)"


def stranger(folder: Path, search_path: str = f"file://{CONF_DIR}", **keys: Any) -> tuple[str, ...]:
    """An app whose config lies in ``folder``, as the helpers of sweep_commands take it."""
    folder.mkdir(exist_ok=True)
    config = {"hydra": {"searchpath": [search_path]}, "x": 0.0, **keys}
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    return APP, "--config-dir", str(folder)


def write_option(folder: Path, group: str, name: str, text: str) -> None:
    """A file of the app's, ``group/name.yaml``."""
    (folder / group).mkdir(parents=True, exist_ok=True)
    (folder / group / f"{name}.yaml").write_text(text)
