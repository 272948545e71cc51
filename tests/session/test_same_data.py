"""Weights that were trained on images which judge the new run are told of, and no others."""

import json
import shutil
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from omegaconf import OmegaConf
from PIL import Image

from cnnsweep.data.dataset import Dataset, Images
from cnnsweep.data.digits import digits
from cnnsweep.data.fingerprint import fingerprint
from cnnsweep.data.image_folder import image_folder
from cnnsweep.data.split import train_and_val
from cnnsweep.folders.run_folder import RunFolder
from cnnsweep.folders.shared_files import write_data_files
from cnnsweep.session.same_data import data_files, warn_of_seen_images
from tests.data.made_files import write_png_folders

SPLITS = list(product((0, 5), (0.0, 0.1, 0.2), (None, 300)))  # seed, val_fraction, train_limit


def config_of(
    seed: int, val_fraction: float, train_limit: int | None, target: str = "digits"
) -> dict[str, Any]:
    data = {"_target_": target, "val_fraction": val_fraction, "train_limit": train_limit}
    return {"seed": seed, "data": data, "init_from": None}


def make_source(folder: Path, config: dict[str, Any], dataset: Dataset) -> Path:
    """A run folder as far as it tells of data."""
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    result = {"status": "completed", "data": fingerprint(dataset)}
    (folder / "result.json").write_text(json.dumps(result))
    write_data_files(RunFolder(folder), data_files(dataset))
    return folder


def warnings_of(source: Path, config: dict[str, Any], dataset: Dataset) -> list[str]:
    said: list[str] = []
    data = config["data"]
    _, val = train_and_val(dataset, data["train_limit"], data["val_fraction"], config["seed"])
    whole = OmegaConf.create(config | {"init_from": str(source)})
    warn_of_seen_images(whole, dataset, fingerprint(dataset), val, said.append)
    return said


def rows(images: Images | None) -> set[int]:
    if images is None:
        return set()
    whole = torch.arange(len(images.stored)) if images.rows is None else images.rows
    return set(whole.tolist())


def test_a_warning_counts_exactly_the_validation_images_that_were_trained_on(
    tmp_path: Path,
) -> None:
    dataset = digits()
    for number, (there, here) in enumerate(product(SPLITS, SPLITS)):
        source = make_source(tmp_path / str(number), config_of(*there), dataset)
        said = warnings_of(source, config_of(*here), dataset)
        trained_on, _ = train_and_val(dataset, there[2], there[1], there[0])
        _, val = train_and_val(dataset, here[2], here[1], here[0])
        again = rows(trained_on) & rows(val)
        if not again:
            assert said == []
        else:
            (line,) = said
            assert f"was trained on {len(again)} of the {len(rows(val))} images that" in line


def test_the_run_from_which_the_weights_came_before_counts_too(tmp_path: Path) -> None:
    dataset = digits()
    first = make_source(tmp_path / "first", config_of(0, 0.1, None), dataset)
    second = config_of(5, 0.1, None) | {"init_from": str(first)}
    make_source(tmp_path / "second", second, dataset)
    (line,) = warnings_of(tmp_path / "second", config_of(5, 0.1, None), dataset)
    assert f"itself from {first}" in line


def test_test_images_that_were_trained_on_in_another_folder_are_counted(tmp_path: Path) -> None:
    """The split of a folder moves when pictures are added."""
    write_png_folders(tmp_path / "few", {"cat": 20, "dog": 20})
    write_png_folders(tmp_path / "many", {"cat": 30, "dog": 30})
    few, many = (
        image_folder(root=tmp_path / name, image_size=8, channels=3) for name in ("few", "many")
    )
    source = make_source(tmp_path / "old", config_of(0, 0.1, None, "image_folder"), few)
    (line,) = warnings_of(source, config_of(0, 0.1, None, "image_folder"), many)
    again = len({*few.train_files} & {*many.test_files})
    assert again > 0
    assert f"was trained on {again} of the 12 images that test this run" in line


@pytest.mark.parametrize("has_val", [False, True])
def test_validation_images_that_were_trained_on_in_another_folder_are_counted(
    tmp_path: Path, has_val: bool
) -> None:
    """Of the folder that grew by one picture to train on, or in which some were set apart."""
    write_png_folders(tmp_path / "old/train", {"cat": 20, "dog": 20})
    write_png_folders(tmp_path / "old/test", {"cat": 5, "dog": 5}, size=(8, 8))
    shutil.copytree(tmp_path / "old", tmp_path / "new")
    Image.new("RGB", (8, 8), (250, 0, 0)).save(tmp_path / "new/train/cat/new.png")
    for name in ("cat", "dog") if has_val else ():
        (tmp_path / "new/val" / name).mkdir(parents=True)
        (tmp_path / "new/train" / name / "000.png").rename(tmp_path / "new/val" / name / "0.png")
    old, new = (
        image_folder(root=tmp_path / name, image_size=8, channels=3) for name in ("old", "new")
    )
    source = make_source(tmp_path / "run", config_of(0, 0.1, None, "image_folder"), old)
    (line,) = warnings_of(source, config_of(0, 0.1, None, "image_folder"), new)
    _, val = train_and_val(new, None, 0.1, 0)
    names = new.val_files or [new.train_files[row] for row in rows(val)]
    again = sum(not name.endswith("new.png") for name in names)
    assert f"had {again} of the {len(names)} images that validate this run" in line


@pytest.mark.parametrize("case", ["another kind of data", "no run folder", "the same split"])
def test_where_nothing_is_wrong_or_known_nothing_is_said(tmp_path: Path, case: str) -> None:
    dataset = digits()
    target = "mnist" if case == "another kind of data" else "digits"
    seed = 0 if case == "the same split" else 5
    source = make_source(tmp_path / "old", config_of(seed, 0.1, None, target), dataset)
    if case == "no run folder":
        (source / "config.yaml").unlink()
    assert warnings_of(source / "best.pt", config_of(0, 0.1, None), dataset) == []
