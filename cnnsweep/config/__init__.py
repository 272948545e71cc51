"""A Hydra config as checked plain values: composing, resolving, refusing. Nothing is trained."""

from typing import Any

import yaml

from cnnsweep import CONF_DIR as CONF_DIR

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # a tenth of the time, where it is there


def plain_yaml(text: str) -> Any:
    """What ``yaml.safe_load`` makes of a text; raises yaml.YAMLError where it is none."""
    return yaml.load(text, Loader=_LOADER)
