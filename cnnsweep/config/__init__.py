"""A Hydra config as checked plain values: composing, resolving, refusing. Nothing is trained."""

from cnnsweep.conf_folder import CONF_DIR as CONF_DIR
