"""The programs in docs/export.md prepare pictures as training does, and say what the run said."""

import csv
import re
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cnnsweep.data.pictures.prepare import Unusable, prepare
from cnnsweep.export.export import export
from tests.command import REPOSITORY, cnnsweep, succeeded
from tests.data.pictures.made_pictures import write_all, write_folders

PREPARES, WITH_ONNX, WITH_TORCH = re.findall(
    r"```python\n(.*?)```", (REPOSITORY / "docs" / "export.md").read_text(), re.DOTALL
)
needs_extra = pytest.mark.skipif(
    not all(find_spec(name) for name in ("onnx", "onnxscript", "onnxruntime")),
    reason="the extra export is not installed",
)


@pytest.fixture(scope="module")
def pixels_of() -> Callable[..., Any]:
    names: dict[str, Any] = {}
    exec(PREPARES, names)
    return names["pixels_of"]  # type: ignore[no-any-return]


def test_pictures_of_every_kind_are_prepared_as_in_training(
    pixels_of: Callable[..., Any], tmp_path: Path
) -> None:
    files = [made.file for made in write_all(tmp_path)]
    assert len(files) >= 300
    for file in files:
        for channels in (1, 3):
            ours = prepare(file, channels=channels, size=(16, 12)).pixels
            assert np.array_equal(pixels_of(file, channels, 16, 12), ours[None]), file.name


def test_what_training_refuses_is_refused(pixels_of: Callable[..., Any], tmp_path: Path) -> None:
    for mode in ("I", "F", "LAB"):
        file = tmp_path / f"{mode}.tif"
        Image.new(mode, (8, 8)).save(file)
        with pytest.raises(Unusable):
            prepare(file, channels=1, size=(8, 8))
        with pytest.raises(ValueError, match="fixed range"):
            pixels_of(file, 1, 8, 8)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on pictures of many kinds, in a folder with the pictures."""
    folder = tmp_path_factory.mktemp("trained")
    write_folders(folder / "pictures", every=5)
    options = ("data=image_folder", "data.root=pictures", "data.image_size=28", "epochs=1")
    succeeded(cnnsweep(*options, "pictures=false", "hydra.run.dir=run", cwd=folder))
    return folder


@pytest.mark.parametrize(
    ("kind", "program"),
    [("torch", WITH_TORCH), pytest.param("onnx", WITH_ONNX, marks=needs_extra)],
    ids=["torch", "onnx"],
)
def test_the_program_says_what_the_run_said(kind: str, program: str, trained: Path) -> None:
    export(trained / "run", kind, out=None, opset=None)
    with (trained / "run" / "test_predictions.csv").open(newline="") as table:
        rows = list(csv.DictReader(table))
    for row in rows[:: len(rows) // 2][:2]:
        text = program.replace("outputs/lenet", "run").replace(
            "digit.png", f"pictures/{row['file']}"
        )
        done = subprocess.run(
            [sys.executable, "-c", f"{PREPARES}\n{text}"],
            cwd=trained, capture_output=True, text=True, check=True,
        )  # fmt: skip
        name, confidence = done.stdout.split()
        assert name == row["prediction_name"]
        assert abs(float(confidence) - float(row["confidence"])) < 1e-4
