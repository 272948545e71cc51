"""Which folders are splits and which are classes; what could be either is refused."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from cnnsweep.data.pictures.picture_files import LeftOut
from cnnsweep.data.pictures.split_folders import find_parts, split_of
from cnnsweep.errors import UserError


def write(root: Path, *places: str) -> None:
    """An empty file with a picture's name in each of the folders."""
    for place in places:
        (root / place).mkdir(parents=True, exist_ok=True)
        (root / place / "0.png").touch()


def both(*splits: str) -> Iterable[str]:
    return [f"{split}/{name}" for split in splits for name in ("cat", "dog")]


@pytest.mark.parametrize(
    ("split", "names"),
    [
        (
            "train",
            "train Train TRAIN training Training train_set trainset train-data images_train",
        ),
        ("val", "val VAL valid Valid validation Validation val_set valid_data dev dev_set"),
        (
            "test",
            "test Test TEST testing Testing test_set testset test_images test-data images_test",
        ),
        (
            None,
            "cat trains tester validity station train_station testtube latest 5 data set attest",
        ),
    ],
)
def test_splits_are_known_in_any_usual_spelling(split: str | None, names: str) -> None:
    assert {name: split_of(name) for name in names.split()} == dict.fromkeys(names.split(), split)


@pytest.mark.parametrize("train", ["train", "Training", "TRAIN_SET"])
@pytest.mark.parametrize("val", [None, "val", "Valid", "validation", "dev"])
@pytest.mark.parametrize("test", [None, "test", "TESTING", "test_set"])
def test_split_folders_are_found_together_and_alone(
    train: str, val: str | None, test: str | None, tmp_path: Path
) -> None:
    write(tmp_path, *both(*filter(None, (train, val, test))))
    parts = find_parts(tmp_path, LeftOut(tmp_path))
    assert parts.train == tmp_path / train
    assert parts.val == (tmp_path / val if val else None)
    assert parts.test == (tmp_path / test if test else None)
    assert parts.notes == ()


@pytest.mark.parametrize(
    ("places", "said"),
    [
        (both("val", "test"), "holds val, test, but no train folder"),
        (both("test"), "holds test, but no train folder"),
        (["train", "test"], "train holds no class folders"),
        ([*both("train"), "test"], "test holds no class folders.*must be moved elsewhere"),
        ([*both("train"), "val"], "val holds no class folders"),
        (both("train", "training", "test"), "holds train, training, which all mean train"),
        (both("train", "test", "val", "valid"), "holds val, valid, which all mean val"),
        ([*both("train"), "extra"], "is train a split or a class"),
        (["cat", "dog", *both("test")], "put cat, dog into a folder train"),
        (["cat", "dog", *both("val")], "put cat, dog into a folder train"),
        (both("pets/train", "pets/test"), r"pets holds test, train: set data\.root to it"),
        ([*both("pets/train", "pets/test"), "docs"], r"pets holds test, train: set data\.root"),
        (both("a/pets/train"), r"a/pets holds train: set data\.root to it"),
        (both("pets"), r"pets holds cat, dog: set data\.root to it"),
        (both("a/b/c"), r"a/b/c holds cat, dog: set data\.root to it"),
        (["cat/train", "cat/test", "dog/train", "dog/test"], "is divided by itself"),
        (both("trainval", "test"), "holds test and trainval, with cat in both"),
        (both("seg_train", "seg_test"), "rename them to train, test"),
        (both("seg_train/seg_train", "seg_test/seg_test"), "rename them to train, test"),
    ],
)
def test_what_could_be_read_in_two_ways_is_refused(
    places: Iterable[str], said: str, tmp_path: Path
) -> None:
    write(tmp_path, *places)
    with pytest.raises(UserError, match=said):
        find_parts(tmp_path, LeftOut(tmp_path))


@pytest.mark.parametrize(
    ("places", "note"),
    [
        (["cat", "dog"], None),
        (["train", "car", "bus"], "train is named as a split is, and counts as a class"),
        (["cat", "dog", "test"], "test is named as a split is, and counts as a class"),
        (["cat/young", "cat/old", "dog/puppy"], None),
        (both("2019", "2020"), "each of 2019, 2020 holds the folders cat, dog"),
        (["train station", "test tube"], None),
    ],
)
def test_classes_are_classes_and_what_looks_odd_is_said(
    places: Iterable[str], note: str | None, tmp_path: Path
) -> None:
    write(tmp_path, *places)
    parts = find_parts(tmp_path, LeftOut(tmp_path))
    assert (parts.train, parts.val, parts.test) == (tmp_path, None, None)
    assert [note in said for said in parts.notes if note] == ([True] if note else [])
    assert note or parts.notes == ()


def test_pictures_beside_the_splits_are_left_out_and_counted(tmp_path: Path) -> None:
    write(tmp_path, *both("train", "test"), "unlabelled", "unlabelled/more")
    (tmp_path / "docs").mkdir()
    left_out = LeftOut(tmp_path)
    find_parts(tmp_path, left_out)
    assert left_out.line() == "left out: pictures beside the splits: 2 (unlabelled/0.png …)"


def test_hidden_and_system_folders_are_no_classes_and_no_splits(tmp_path: Path) -> None:
    write(tmp_path, *both("train", "test"), "__MACOSX/train", "@eaDir", ".git", "$RECYCLE.BIN")
    left_out = LeftOut(tmp_path)
    assert find_parts(tmp_path, left_out).train == tmp_path / "train"
    assert "4 ($RECYCLE.BIN …)" in str(left_out.line())


def test_links_to_folders_are_folders_and_a_circle_of_them_ends(tmp_path: Path) -> None:
    write(tmp_path / "real", *both("train", "test"))
    (tmp_path / "root").mkdir()
    for split in ("train", "test"):
        (tmp_path / "root" / split).symlink_to(tmp_path / "real" / split)
    assert find_parts(tmp_path / "root", LeftOut(tmp_path)).train == tmp_path / "root" / "train"
    (tmp_path / "round").mkdir()
    (tmp_path / "round" / "again").symlink_to(tmp_path / "round")
    find_parts(tmp_path / "round", LeftOut(tmp_path))
