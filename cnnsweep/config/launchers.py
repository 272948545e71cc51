"""The chosen Hydra launcher, as far as others must know it."""

import shutil
from collections.abc import Callable
from copy import deepcopy
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf, read_write

from cnnsweep.config.hydra_internals import BASIC_LAUNCHER
from cnnsweep.errors import UserError

EXTRAS = {
    "joblib": "joblib",
    "ray": "ray",
    "ray_aws": "ray",
    "submitit_local": "slurm",
    "submitit_slurm": "slurm",
}
_SUBMITIT = "hydra_plugins.hydra_submitit_launcher."
# Where these launchers' configs say how many CPUs a job gets.
_CPUS = ("ray.remote.num_cpus", "cpus_per_task")
_SHARING_OUR_GPUS = ("basic", "joblib")
_ON_THIS_MACHINE = ("basic", "joblib", "submitit_local")
_ELSEWHERE = 16  # workers, where nobody knows how many a launcher has room for


def is_chosen(config: DictConfig) -> bool:
    """Whether another launcher than Hydra's basic one is to start the workers."""
    return bool(config.hydra.launcher._target_ != BASIC_LAUNCHER)


def is_submitit(config: DictConfig) -> bool:
    """Whether submitit starts the workers, on SLURM or on this machine."""
    return str(config.hydra.launcher._target_).startswith(_SUBMITIT)


def is_slurm(config: DictConfig) -> bool:
    """Whether SLURM starts the workers."""
    return is_submitit(config) and str(config.hydra.launcher._target_).endswith("SlurmLauncher")


def submissions(config: DictConfig) -> Path | None:
    """The folder in which submitit keeps its scripts and logs, where it is chosen."""
    if not is_submitit(config):
        return None
    pattern = Path(str(config.hydra.launcher.submitit_folder)).absolute()
    return Path(str(pattern).split("%")[0])  # it puts each job's id in place of %j


def with_submissions(config: DictConfig, place: Callable[[Path], Path]) -> DictConfig:
    """The config with submitit's folder for submissions moved to ``place(folder)``."""
    folder = submissions(config)
    if folder is None:
        return config
    changed = deepcopy(config)
    _, percent, pattern = str(config.hydra.launcher.submitit_folder).partition("%")
    with read_write(changed.hydra):
        changed.hydra.launcher.submitit_folder = str(place(folder) / f"{percent}{pattern}")
    return changed


def name(config: DictConfig) -> str:
    """What was typed as ``hydra/launcher=``."""
    return str(config.hydra.runtime.choices.get("hydra/launcher"))


def check_installed(config: DictConfig) -> None:
    """Raise UserError where the chosen launcher's package, named with its extra, or SLURM lacks."""
    package = ".".join(str(config.hydra.launcher._target_).split(".")[:2])
    if name(config) in EXTRAS and find_spec(package) is None:
        raise not_installed(name(config))
    if is_slurm(config) and shutil.which("sbatch") is None:
        raise UserError(
            f"hydra/launcher={name(config)} needs SLURM, and there is no sbatch on this machine: "
            "start it on a login node, or choose hydra/launcher=submitit_local"
        )


def not_installed(launcher: str) -> UserError:
    """The refusal of a launcher that some extra brings."""
    return UserError(
        f"hydra/launcher={launcher} needs a package that is not installed: "
        f"pip install -e '.[{EXTRAS[launcher]}]'"
    )


def cpus_each(config: DictConfig) -> int | None:
    """CPUs that each worker is promised; None where the launcher promises nothing."""
    found = [OmegaConf.select(config.hydra.launcher, key) for key in _CPUS]
    counts = [int(cpus) for cpus in found if cpus is not None]
    return max(1, counts[0]) if counts else None


def runs_here(config: DictConfig) -> bool:
    """Whether the launcher starts its jobs on this machine."""
    return name(config) in _ON_THIS_MACHINE


def most_at_once(config: DictConfig) -> tuple[int, str] | None:
    """How many jobs the launcher runs side by side, and what says so; None: as many as it gets.

    A launcher for other machines that has no key for it gets so many that a few nodes are busy.
    """
    for key in ("array_parallelism", "n_jobs"):
        number = OmegaConf.select(config.hydra.launcher, key)
        if isinstance(number, int) and number > 0:
            return number, f"hydra.launcher.{key}={number}"
    return None if runs_here(config) else (_ELSEWHERE, f"hydra/launcher={name(config)}")


def refuse_devices(config: DictConfig, devices: Any) -> None:
    """Raise UserError where GPUs were listed although the launcher gives them out."""
    if devices is not None and gives_gpus(config):
        raise UserError(
            f"hydra.sweeper.devices={list(devices)} is for workers on this machine; "
            f"hydra/launcher={name(config)} gives out GPUs itself, by its own keys"
        )


def gives_gpus(config: DictConfig) -> bool:
    """Whether workers have their GPUs from the launcher, so that nothing else may choose."""
    return name(config) not in _SHARING_OUR_GPUS
