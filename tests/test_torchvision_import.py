import os
import subprocess
import sys
from pathlib import Path

import torch

from cnnsweep.torchvision_import import torchvision

ASK = """
from cnnsweep.errors import UserError
from cnnsweep.torchvision_import import torchvision
try:
    torchvision()
except UserError as error:
    print(error)
"""
# The first thing a real torchvision does with its compiled operators, which one built for
# another torch has not loaded.
UNFIT = "import torch\ntorch.library.register_fake('torchvision::nms')(lambda: None)\n"


def test_a_fitting_torchvision_is_handed_out() -> None:
    assert torchvision().datasets.MNIST.__name__ == "MNIST"


def test_one_that_does_not_fit_gives_one_line_with_both_versions(tmp_path: Path) -> None:
    (tmp_path / "torchvision").mkdir()
    (tmp_path / "torchvision" / "__init__.py").write_text(UNFIT)
    info = tmp_path / "torchvision-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: torchvision\nVersion: 0.1.0\n")
    finished = subprocess.run(
        [sys.executable, "-c", ASK],
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert finished.stdout.count("\n") == 1
    assert f"torchvision 0.1.0 cannot be used with torch {torch.__version__}" in finished.stdout
    assert "torchvision::nms does not exist" in finished.stdout
    assert "pip install --upgrade torch torchvision" in finished.stdout
