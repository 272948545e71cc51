"""Hydra's task function: one config, one run folder, one outcome."""

import logging
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, cast

import yaml
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from cnnsweep import epoch_reporter
from cnnsweep.config.own_keys import check_complete
from cnnsweep.config.trackers import chosen
from cnnsweep.config.validation import check, checked, resolve
from cnnsweep.errors import UserError
from cnnsweep.folders import lock
from cnnsweep.folders.longer import former_ends
from cnnsweep.folders.provenance import code
from cnnsweep.folders.result import Outcome, recorded
from cnnsweep.folders.run_folder import CONFIG, HYDRA, RunFolder, differing_keys, read_mapping
from cnnsweep.folders.shared_files import write_patches
from cnnsweep.loggers.manager import following
from cnnsweep.task.command_again import command_again
from cnnsweep.task.longer.lengthening import EPOCHS, end_longer
from cnnsweep.task.run_info import tracked_run

log = logging.getLogger(__name__)

_PATHS = ("data.root", "init_from", "model.weights")

Objective = float | list[float | None] | None


def task(config: DictConfig) -> Objective:
    """Train and evaluate what ``config`` says in Hydra's output folder.

    An unfinished run of the same config in that folder is resumed; for a finished one nothing is
    trained.

    Returns:
        The objective's value, a list of them for several, None where it does not exist.

    Raises:
        UserError: another config or another process is in the folder, or a value is out of range.
    """
    folder = RunFolder(Path(HydraConfig.get().runtime.output_dir))
    is_checked = _is_checked(folder)
    resolved = resolve(config)
    if not is_checked:
        check_complete(resolved)
        _refuse_to_resume(resolved)
    with lock.held(folder.path):
        if not is_checked:
            refuse_other_config(folder, resolved)
        finished = take_finished(folder, resolved)
        if finished is not None:
            log.info("already finished")
            end_longer(folder)
            return cast(Objective, finished["objective"])
        folder.remove_torn_files()
        if not folder.config.exists():
            folder.write_config(resolved)
        write_patches(folder, code().patch, code().patch_of_folder)
        outcome = _outcome(config, resolved, folder)
        with ExitStack() as trackers:  # result.json is written before they are waited for
            with recorded(folder, outcome):
                if not is_checked:
                    _check(config, resolved, folder)
                wait_until_ready = None
                if loggers := chosen(resolved["logger"]):
                    info = tracked_run(folder.path, resolved)
                    wait_until_ready = trackers.enter_context(following(loggers, info))
                from cnnsweep.run import run  # torch, once the folder can tell what happened

                if wait_until_ready is not None:
                    wait_until_ready()
                run(_as_resolved(resolved), folder, outcome)
            _drop_checkpoints(folder, resolved["keep"])
    end_longer(folder)
    return outcome.objective


def _refuse_to_resume(resolved: Mapping[str, Any]) -> None:
    """``resume`` is read by a callback, which a config of somebody's own may lack."""
    if resolved.get("resume") is not None and HydraConfig.get().mode == RunMode.RUN:
        raise UserError(
            f"resume={resolved['resume']}: this config has no hydra.callbacks.folders._target_="
            "cnnsweep.hydra_callback.Folders, which finds folders; type hydra.run.dir=FOLDER"
        )


def _outcome(config: DictConfig, resolved: dict[str, Any], folder: RunFolder) -> Outcome:
    return Outcome(
        command=command_again(config),
        seed=resolved["seed"],
        device=resolved["device"],
        precision=resolved["precision"],
        threads=resolved["threads"],
        lengthened=former_ends(folder.path),
    )


def _as_resolved(resolved: dict[str, Any]) -> DictConfig:
    """What is recorded is what runs; ``hydra.job.chdir`` moves no path that was typed."""
    config = OmegaConf.create(resolved)
    OmegaConf.set_struct(config, True)
    if HydraConfig.get().job.chdir:
        for key in _PATHS:
            path = OmegaConf.select(config, key)
            if path is not None:
                OmegaConf.update(config, key, str(Path(HydraConfig.get().runtime.cwd) / str(path)))
    return config


def _is_checked(folder: RunFolder) -> bool:
    """Whether a single run's callback has checked the config and taken the folder.

    A sweep's job has no such callback, though its worker may hold the folder as well.
    """
    return HydraConfig.get().mode == RunMode.RUN and lock.is_held_here(folder.path)


def _check(config: DictConfig, resolved: dict[str, Any], folder: RunFolder) -> None:
    """Refuse what cannot be meant; that each key is used, only before a first epoch is trained."""
    if folder.last.exists():  # by the same config: looking up who set each key takes long
        check(resolved)
    else:
        checked(config, may_be_recorded=True)


def refuse_other_config(
    folder: RunFolder, resolved: dict[str, Any], *, is_ours: bool = True
) -> None:
    """Raise UserError, naming the keys, where the folder holds a run of another config."""
    recorded_config = folder.read_config()
    if recorded_config is None:
        return
    differing = differing_keys(recorded_config, resolved, is_ours=is_ours)
    if is_ours and len(differing) > 1 and _is_longer(recorded_config, resolved):
        differing = [key for key in differing if key != EPOCHS]  # which may differ
    if differing:
        raise UserError(
            f"{folder} holds a run of another config; these keys differ: "
            f"{', '.join(differing)}. Choose another folder, or type the same config"
        )


def _is_longer(recorded: Mapping[str, Any], resolved: Mapping[str, Any]) -> bool:
    was, wanted = recorded.get(EPOCHS), resolved.get(EPOCHS)
    return isinstance(was, int) and isinstance(wanted, int) and wanted > was


def take_finished(folder: RunFolder, resolved: dict[str, Any]) -> dict[str, Any] | None:
    """The result of a folder's finished run, once that was said; None where it is not finished."""
    result = folder.read_result()
    if result is None or result["status"] != "completed":
        return None
    begun = folder.read_config()
    if begun is not None and begun["keep"] == resolved["keep"]:  # else all stays
        _drop_checkpoints(folder, resolved["keep"])  # was killed before it could
    if epoch_reporter.current is None:
        print(f"already finished: {folder} (objective {result['objective']})")
    else:
        with suppress(epoch_reporter.Ended):
            for row in folder.read_metrics():
                epoch_reporter.current.epoch_ended(int(row["epoch"] or 0), row)
    return result


def refuse_another_app(folder: RunFolder, config: DictConfig) -> None:
    """Raise UserError where the folder holds what another Hydra app, or config, left there.

    Hydra would write its own files over those.
    """
    if folder.read_config() is not None:
        return
    there = read_mapping(folder.path / HYDRA / CONFIG, yaml.safe_load, yaml.YAMLError)
    if there is None:
        return
    plain: Any = OmegaConf.to_container(config, resolve=False)
    del plain["hydra"]
    if differing_keys(there, plain):
        raise UserError(
            f"{folder} holds a {HYDRA}/ of another app or config, and no {CONFIG} of a run: "
            "choose another folder"
        )


def _drop_checkpoints(folder: RunFolder, keep: str) -> None:
    """Only after result.json is written: until then a killed run is resumed from them."""
    if keep != "all":
        folder.last.unlink(missing_ok=True)
    if keep == "none":
        folder.best.unlink(missing_ok=True)
