"""What is plainly missing is what a run would say is missing, and nothing else is."""

from pathlib import Path

import pytest

from cnnsweep.config import CONF_DIR, plain_yaml
from cnnsweep.data.pictures.idx_names import names
from cnnsweep.data.pictures.places import plainly_missing
from cnnsweep.torchvision_import import torchvision

WITH_FILES = sorted(
    path.stem for path in (CONF_DIR / "data").glob("*.yaml") if path.stem != "digits"
)


def config(name: str, root: Path) -> dict[str, object]:
    return {**plain_yaml((CONF_DIR / "data" / f"{name}.yaml").read_text()), "root": str(root)}


@pytest.mark.parametrize("name", WITH_FILES)
def test_every_data_set_of_ours_is_missed_where_its_folder_is_not_there(
    name: str, tmp_path: Path
) -> None:
    nowhere = tmp_path / "nowhere"
    said = str(plainly_missing(config(name, nowhere)))
    assert said.startswith(f"data={name}: ")
    assert str(nowhere) in said
    assert "Set data.root to the folder" in said


@pytest.mark.parametrize("name", sorted(set(WITH_FILES) - {"image_folder"}))
def test_what_would_be_downloaded_is_not_missed(name: str, tmp_path: Path) -> None:
    assert plainly_missing(config(name, tmp_path / "nowhere") | {"download": True}) is None


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_files_that_are_there_are_not_missed(ending: str, tmp_path: Path) -> None:
    for file in names():
        assert plainly_missing(config("mnist", tmp_path)) is not None
        (tmp_path / f"{file}{ending}").touch()
    assert plainly_missing(config("mnist", tmp_path)) is None
    assert plainly_missing(config("emnist", tmp_path)) is not None


@pytest.mark.parametrize("name", ["cifar10", "svhn"])
@pytest.mark.parametrize("is_inner", [False, True])
def test_what_torchvision_unpacks_is_found_where_a_run_finds_it(
    name: str, is_inner: bool, tmp_path: Path
) -> None:
    datasets = torchvision().datasets
    place = tmp_path / name.upper() if is_inner else tmp_path
    if name == "svhn":
        place.mkdir(exist_ok=True)
        (place / datasets.SVHN.split_list["train"][1]).touch()
    else:
        place /= datasets.CIFAR10.base_folder
        place.mkdir(parents=True)
        assert plainly_missing(config(name, place)) is None
    assert plainly_missing(config(name, tmp_path)) is None


def test_of_a_function_of_ones_own_nothing_is_known(tmp_path: Path) -> None:
    assert plainly_missing({"_target_": "my_pkg.my_data", "root": str(tmp_path / "no")}) is None
