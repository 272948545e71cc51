"""Whether a run's data are those that its folder, or the run that it starts from, had."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig, OmegaConf

from cnnsweep import checkpoint_file
from cnnsweep.data.dataset import Dataset, Images
from cnnsweep.data.fingerprint import fingerprint
from cnnsweep.data.split import train_and_val
from cnnsweep.dotted_keys import look_up
from cnnsweep.errors import UserError
from cnnsweep.folders.data_record import differences, same_data
from cnnsweep.folders.result import Outcome
from cnnsweep.folders.run_folder import RunFolder
from cnnsweep.folders.shared_files import DataFile, read_data_files, write_data_files

log = logging.getLogger(__name__)

Say = Callable[[str], None]
_MOST_ANCESTORS = 10


def settle_data(
    folder: RunFolder,
    outcome: Outcome,
    dataset: Dataset,
    state: Mapping[str, Any] | None,
    say: Say,
) -> None:
    """Record what the data are; compare them with those that a resumed run has been trained on.

    Raises:
        UserError: they are other data; says what differs.
    """
    now = fingerprint(dataset)
    before = None if state is None else state.get("data")
    if before is not None:
        outcome.data = before
        files = {name: hash for name, _, hash in data_files(dataset)}
        other_data(folder, before, now, files)
    elif state is not None:
        note = "nothing is recorded of the data that this run began with: resumed with these"
        log.warning(note)
        say(f"note: {note}")
    outcome.data = now
    write_data_files(folder, data_files(dataset))


def data_files(dataset: Dataset) -> list[DataFile]:
    """Name, part (``train``, ``val``, ``test``; empty where a file has several), hash of each file.

    Empty for a data set of fewer than two files: there the fingerprint says as much.
    """
    if dataset.contents is None or len(dataset.contents.digests) < 2:
        return []
    parts = {
        name: part
        for part in ("train", "val", "test")
        for name in getattr(dataset, f"{part}_files")
    }
    return [(name, parts.get(name, ""), hash) for name, hash in dataset.contents.digests.items()]


def other_data(
    folder: RunFolder, before: Mapping[str, Any], now: Mapping[str, Any], files: Mapping[str, str]
) -> None:
    """Raise UserError, saying what differs, where ``before`` is not the fingerprint of the data.

    ``files`` holds a hash of each file there is now.
    """
    recorded = {name: hash for name, _, hash in read_data_files(folder)}
    said = differences(before, now, recorded, files)
    if said:
        raise UserError(
            f"{folder} was begun with other data: {'; '.join(said)}. "
            "Choose another folder, or put the data back as they were"
        )


def recorded_data(folder: RunFolder) -> dict[str, Any] | None:
    """The fingerprint of the data that a run was trained on; None where none is recorded."""
    known = folder.read_result() or {}
    if known.get("status") != "completed" and folder.last.exists():
        known = checkpoint_file.read(folder.last, "cpu")
    data: dict[str, Any] | None = known.get("data")
    return data


def warn_of_seen_images(
    config: DictConfig, dataset: Dataset, data: Mapping[str, Any], val: Images | None, say: Say
) -> None:
    """Say where the weights of ``init_from`` were trained on images that are to judge this run.

    ``data`` is this run's fingerprint, ``val`` its validation images. Of a weights file that lies
    in no run folder nothing is known, and nothing said.
    """
    own = f"init_from={config.init_from}"
    for source, before in islice(_ancestors(config.init_from), _MOST_ANCESTORS):
        is_first = source.path == _run_folder(config.init_from).path
        named = own if is_first else f"{own}, itself from {source},"
        warning = _seen(source, before, config, dataset, data, val)
        if warning is not None:
            log.warning("%s %s", named, warning)
            say(f"warning: {named} {warning}")


def _run_folder(init_from: object) -> RunFolder:
    path = Path(str(init_from)).expanduser()
    return RunFolder(path if path.is_dir() else path.parent)


def _ancestors(init_from: object) -> Iterator[tuple[RunFolder, dict[str, Any]]]:
    """The run that weights come from, the run that its weights came from, and so on."""
    while init_from is not None:
        source = _run_folder(init_from)
        config = source.read_config()
        if config is None or "data" not in config:
            return
        yield source, config
        init_from = config.get("init_from")


def _seen(
    source: RunFolder,
    before: Mapping[str, Any],
    config: DictConfig,
    dataset: Dataset,
    data: Mapping[str, Any],
    val: Images | None,
) -> str | None:
    if before["data"].get("_target_") != config.data._target_:
        return None
    recorded = recorded_data(source)
    if recorded is None or same_data(recorded, data):
        return None if val is None else _seen_in_validation(before, config, dataset, val)
    trained_on = {hash for _, part, hash in read_data_files(source) if part == "train"}
    if not trained_on or not dataset.test_files:
        return (
            "was trained on other data of the same kind: images that test or validate this run "
            "may be among them"
        )
    hashes = {name: hash for name, _, hash in data_files(dataset)}
    tested = [name for name in dataset.test_files if hashes[name] in trained_on]
    if tested:
        return (
            f"was trained on {len(tested)} of the {len(dataset.test_files)} images that test this "
            f"run ({tested[0]}): its test figures will look too good. Train from images that both "
            "have in the same split (train/ and test/)"
        )
    validating = _files_of(val, dataset)
    validated = [name for name in validating if hashes[name] in trained_on]
    if not validated:
        return None
    return (  # which of its training images that run validated with itself is not recorded
        f"had {len(validated)} of the {len(validating)} images that validate this run "
        f"({validated[0]}) among those to train on: validation figures will look too good. Set "
        "the same images apart for both (val/)"
    )


def _files_of(val: Images | None, dataset: Dataset) -> Sequence[str]:
    if val is None:
        return ()
    if dataset.val is not None:
        return dataset.val_files
    return [dataset.train_files[row] for row in _rows(val).tolist()]


def _seen_in_validation(
    before: Mapping[str, Any], config: DictConfig, dataset: Dataset, val: Images
) -> str | None:
    if dataset.val is not None:  # the files set them apart, for every seed
        return None
    keys = ("data.train_limit", "data.val_fraction", "seed")
    there = {key: look_up(before, key) for key in keys}
    here = {key: OmegaConf.select(config, key) for key in keys}
    differing = [key for key in keys if there[key] != here[key]]
    if not differing:
        return None
    trained_on, _ = train_and_val(dataset, *(there[key] for key in keys))
    count = int(torch.isin(_rows(val), _rows(trained_on)).sum())
    if count == 0:
        return None
    was = ", ".join(f"{key}={there[key]}" for key in differing)
    return (
        f"was trained on {count} of the {len(val)} images that validate this run, whose split is "
        f"another ({was} there): validation figures will look too good. Type {was} for its split"
    )


def _rows(images: Images) -> torch.Tensor:
    return torch.arange(len(images.stored)) if images.rows is None else images.rows
