"""A Hydra config as checked plain values: composing, resolving, refusing. Nothing is trained."""

from cnnsweep import CONF_DIR as CONF_DIR
