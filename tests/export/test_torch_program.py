"""The torch program runs where this package is not, and says the same."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from cnnsweep.data.digits import digits
from cnnsweep.export.export import export
from cnnsweep.models.views import AveragedViews
from cnnsweep.task.load_model import load_model
from tests.command import cnnsweep, succeeded
from tests.export.recorded_runs import recorded

ELSEWHERE = """
import json, sys, torch
program, images, answers = sys.argv[1:]
files = {"description.json": ""}
network = torch.export.load(program, extra_files=files).module()
pixels = torch.load(images)
found = {"all": network(pixels), "one": network(pixels[:1]), "says": json.loads(files.popitem()[1])}
assert not [name for name in sys.modules if name.split(".")[0] in ("cnnsweep", "hydra")]
torch.save(found, answers)
"""


def test_the_command_leaves_a_program_that_needs_nothing_of_us(
    tiny_run: Path, tmp_path: Path
) -> None:
    run = Path(shutil.copytree(tiny_run, tmp_path / "run"))
    (run / "model.pt2").write_text("an older one")
    arguments = ("run", "--format", "torch")
    lines = succeeded(cnnsweep(*arguments, cwd=tmp_path, module="cnnsweep.export")).splitlines()
    assert lines[0].startswith("run: LeNet, images of 1×28×28, 10 classes, epoch ")
    assert lines[1].startswith(f"checked with torch {torch.__version__}: largest difference ")
    assert lines[1].endswith("same class for 359 of 359 test images")
    assert lines[2].startswith("run/model.pt2 replaced: ")
    assert len(lines) == 3
    found = asked_elsewhere(run / "model.pt2", tmp_path)
    recorded(run).check(found["all"], tolerance=1e-5)
    assert torch.allclose(found["one"], found["all"][:1], atol=1e-6)
    said, result = found["says"], json.loads((run / "result.json").read_text())
    assert said["classes"] == list("0123456789")
    assert said["input"]["shape"] == ["batch", 1, 28, 28]
    assert said["input"]["dtype"] == "uint8"
    assert said["test_accuracy"] == result["test_accuracy"]
    assert said["epoch"] == result["best_epoch"]
    libraries = str(Path(torch.__file__).parent).encode()
    assert libraries not in (run / "model.pt2").read_bytes()  # nor other folders of this machine


def asked_elsewhere(program: Path, folder: Path) -> dict[str, Any]:
    """What the program says of the test images in a process that never imports this package."""
    images, answers = folder / "images.pt", folder / "answers.pt"
    torch.save(digits().test().pixels, images)
    arguments = [str(path) for path in (program, images, answers)]
    subprocess.run([sys.executable, "-I", "-c", ELSEWHERE, *arguments], check=True, cwd=folder)
    return dict(torch.load(answers, weights_only=True))


def test_what_a_run_averages_in_evaluation_its_program_averages_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ("data.train_limit=300", "epochs=1", "pictures=false", "hydra.run.dir=run")
    views = "test_time_augmentation=[shift,flip]"
    succeeded(cnnsweep(*options, views, cwd=tmp_path))
    run = tmp_path / "run"
    export(run, "torch", out=None, opset=None)
    assert capsys.readouterr().out.startswith(f"{run}: Simple, images of ")
    images = digits().test().pixels
    program = torch.export.load(run / "model.pt2").module()
    recorded(run).check(program(images), tolerance=1e-5)
    whole = load_model(run).network
    assert isinstance(whole.network, AveragedViews)
    alone = whole.network.network(images.float() * whole.scale + whole.shift).softmax(1)
    assert not torch.allclose(alone, program(images), atol=1e-3)
