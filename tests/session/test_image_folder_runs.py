"""Runs, grids and searches on folders of images: what is said, refused and recorded."""

import csv
import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.command import cnnsweep, complaint_of, succeeded

OPTIONS = (
    "data=image_folder", "data.root=pictures", "data.image_size=16", "data.channels=1",
    "data.batch_size=4", "model=simple", "epochs=1", "threads=1",
)  # fmt: skip
SEARCH = (
    "--multirun", "hydra/sweeper=optuna", "optim.lr=0.1,0.01", "hydra.sweeper.n_trials=2",
    "hydra.sweeper.n_jobs=1", "hydra.sweep.dir=.",
)  # fmt: skip
GRID = ("--multirun", "seed=0,1", "hydra.sweep.dir=.")


def pictures(root: Path, *splits: str, count: int = 6) -> None:
    for split in splits:
        for name in ("cat, tabby", "dog"):
            (root / "pictures" / split / name).mkdir(parents=True)
            for number in range(count):
                drawn = np.random.default_rng([number, *f"{split}{name}".encode()])
                noise = drawn.integers(0, 256, (16, 16)).astype(np.uint8)
                Image.fromarray(noise).save(root / "pictures" / split / name / f"{number}.png")


def test_a_val_folder_validates_and_names_are_recorded(tmp_path: Path) -> None:
    pictures(tmp_path, "train", "valid", "test")
    Image.new("L", (16, 16)).save(tmp_path / "pictures" / "loose.png")
    said = succeeded(cnnsweep(*OPTIONS, "hydra.run.dir=run", cwd=tmp_path)).splitlines()
    assert said[0].startswith(
        "2 classes (cat, tabby, dog): 12 to train, 12 to validate, 12 to test; of each class 6 "
    )
    assert said[1] == "left out: pictures in no class folder: 1 (loose.png)"
    log = (tmp_path / "run" / "cnnsweep.log").read_text()
    assert said[0] in log
    assert said[1] in log
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    assert result["classes"] == ["cat, tabby", "dog"]
    assert result["val_accuracy"] * 12 == round(result["val_accuracy"] * 12)
    with (tmp_path / "run" / "test_predictions.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    names = result["classes"]
    assert [row["file"] for row in rows] == [
        f"test/{name}/{number}.png" for name in names for number in range(6)
    ]
    for row in rows:
        assert row["label_name"] == names[int(row["label"])]
        assert row["prediction_name"] == names[int(row["prediction"])]


def test_without_a_fraction_the_val_folder_is_not_used_and_that_is_said(tmp_path: Path) -> None:
    pictures(tmp_path, "train", "val", "test")
    arguments = (*OPTIONS, "data.val_fraction=0", "hydra.run.dir=run")
    said = succeeded(cnnsweep(*arguments, cwd=tmp_path))
    assert "data.val_fraction=0: the 12 to validate are not used" in said
    assert json.loads((tmp_path / "run" / "result.json").read_text())["val_accuracy"] is None


def test_a_search_says_it_once(tmp_path: Path) -> None:
    pictures(tmp_path, "train", "val", "test")
    said = succeeded(cnnsweep(*OPTIONS, *SEARCH, cwd=tmp_path))
    assert said.count("2 classes (cat, tabby, dog): 12 to train") == 1
    assert said.count("trial 1") >= 1


def test_a_damaged_test_file_is_refused_before_training(tmp_path: Path) -> None:
    pictures(tmp_path, "train", "val", "test")
    damaged = tmp_path / "pictures" / "test" / "dog" / "3.png"
    damaged.write_bytes(damaged.read_bytes()[:-30])
    line = complaint_of(cnnsweep(*OPTIONS, "hydra.run.dir=run", cwd=tmp_path))
    assert f"1 of 36 images cannot be read: {damaged}" in line
    assert not (tmp_path / "run" / "last.pt").exists()


@pytest.mark.parametrize("kind", [SEARCH, GRID], ids=["search", "grid"])
def test_and_in_a_search_or_a_grid_no_job_trains(kind: tuple[str, ...], tmp_path: Path) -> None:
    pictures(tmp_path, "train", "val", "test")
    damaged = tmp_path / "pictures" / "test" / "dog" / "3.png"
    damaged.write_text("no picture")
    done: subprocess.CompletedProcess[str] = cnnsweep(*OPTIONS, *kind, cwd=tmp_path)
    assert done.returncode != 0
    assert f"1 of 36 images cannot be read: {damaged}" in done.stdout + done.stderr
    assert not list(tmp_path.rglob("*.pt"))


def test_an_undecodable_name_in_an_error_makes_one_line(tmp_path: Path) -> None:
    pictures(tmp_path, "train", "test")
    dog = tmp_path / "pictures" / "train" / "dog" / "0.png"
    dog.with_name("caf\udce9.png").write_text("no picture")
    line = complaint_of(cnnsweep(*OPTIONS, "hydra.run.dir=run", cwd=tmp_path))
    assert "caf\\udce9.png (it is no image" in line
    assert "caf\\udce9.png" in (tmp_path / "run" / "cnnsweep.log").read_text()
