"""Launchers that an extra brings, and what they promise a worker."""

from importlib.util import find_spec
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from cnnsweep.config.launchers import (
    EXTRAS,
    cpus_each,
    not_installed,
    refuse_devices,
    submissions,
    with_submissions,
)
from cnnsweep.errors import UserError
from tests.sweep.sweep_commands import command, finish, start

PACKAGES = {
    "ray": "hydra_plugins.hydra_ray_launcher",
    "joblib": "hydra_plugins.hydra_joblib_launcher",
    "submitit_slurm": "hydra_plugins.hydra_submitit_launcher",
}


@pytest.mark.parametrize("launcher", PACKAGES)
def test_a_launcher_whose_extra_is_missing_is_refused_with_the_line_that_brings_it(
    tmp_path: Path, launcher: str
) -> None:
    if find_spec(PACKAGES[launcher]) is not None:
        pytest.skip(f"{PACKAGES[launcher]} is installed")
    done = finish(start(command(("cnnsweep",), tmp_path / "sweep", f"hydra/launcher={launcher}")))
    assert done.code == 1
    assert done.text.splitlines() == [f"error: {not_installed(launcher)}"]
    assert f"pip install -e '.[{EXTRAS[launcher]}]'" in done.text


@pytest.mark.parametrize(
    ("launcher", "cpus"),
    [
        ({"ray": {"remote": {"num_cpus": 4}}}, 4),
        ({"ray": {"remote": {"num_cpus": 0.5}}}, 1),
        ({"cpus_per_task": 8}, 8),
        ({"n_jobs": 3}, None),
    ],
)
def test_threads_follow_the_cpus_that_were_asked_for(
    launcher: dict[str, object], cpus: int | None
) -> None:
    assert cpus_each(OmegaConf.create({"hydra": {"launcher": launcher}})) == cpus


def test_hosts_that_share_a_sweep_do_not_share_submitits_folder() -> None:
    target = "hydra_plugins.hydra_submitit_launcher.submitit_launcher.SlurmLauncher"
    keys = {"_target_": target, "submitit_folder": "${hydra.sweep.dir}/.submitit/%j"}
    config = OmegaConf.create({"hydra": {"sweep": {"dir": "/sweep"}, "launcher": keys}})
    OmegaConf.set_readonly(config.hydra, True)
    moved = with_submissions(config, lambda folder: folder / "host")
    assert submissions(config) == Path("/sweep/.submitit")
    assert submissions(moved) == Path("/sweep/.submitit/host")
    assert moved.hydra.launcher.submitit_folder == "/sweep/.submitit/host/%j"


def test_devices_are_refused_where_the_launcher_gives_out_gpus() -> None:
    chosen = {"hydra": {"runtime": {"choices": {"hydra/launcher": "ray"}}}}
    with pytest.raises(UserError, match="hydra/launcher=ray gives out GPUs itself"):
        refuse_devices(OmegaConf.create(chosen), [0, 1])
