"""onnxruntime says of the test images what the run said, for every kind of network."""

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from cnnsweep.data.digits import digits
from cnnsweep.export.export import export
from tests.command import cnnsweep, complaint_of, succeeded
from tests.export.recorded_runs import recorded

MISSING = [name for name in ("onnx", "onnxscript", "onnxruntime") if find_spec(name) is None]
needs_extra = pytest.mark.skipif(
    bool(MISSING), reason=f"the extra export is not installed: no {', '.join(MISSING)}"
)
MODULE = "cnnsweep.export"
OURS = ("simple", "lenet", "inception", "resnet", "densenet")
TORCHVISION = ("resnet18", "mobilenet_v3_small")
FEW = ("data.train_limit=300", "epochs=2", "threads=1", "pictures=false", "hydra.sweep.dir=.")
OWN = """
from torch import Tensor, nn


class Own(nn.Module):
    def __init__(self, in_channels: int, num_classes: int, width: int) -> None:
        super().__init__()
        self.maps = nn.Sequential(
            nn.Conv2d(in_channels, width, 3), nn.BatchNorm2d(width), nn.GELU(), nn.Dropout(0.2)
        )
        self.last = nn.Linear(width, num_classes)

    def forward(self, images: Tensor) -> Tensor:
        return self.last(self.maps(images).amax(dim=(2, 3)))
"""


def say(file: Path, images: Tensor) -> tuple[Tensor, dict[str, Any]]:
    """Probabilities by onnxruntime, and the model's metadata."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(file), options)
    (given,) = session.run(["probabilities"], {"images": images.numpy()})
    metadata = session.get_modelmeta().custom_metadata_map
    return torch.from_numpy(given), {key: json.loads(value) for key, value in metadata.items()}


def check(run: Path, tolerance: float = 1e-5, most_clear: bool = True) -> None:
    """Assert that the run's model.onnx says what the run said, also of one image alone."""
    images = digits().test().pixels
    said, metadata = say(run / "model.onnx", images)
    recorded(run).check(said, tolerance, most_clear)
    one, _ = say(run / "model.onnx", images[:1])
    assert torch.allclose(one, said[:1], atol=1e-6)
    assert metadata["classes"] == list("0123456789")
    assert metadata["input"]["shape"] == ["batch", 1, 28, 28]
    assert metadata["commit"] == json.loads((run / "result.json").read_text())["commit"]


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of each of our networks."""
    folder = tmp_path_factory.mktemp("ours")
    succeeded(cnnsweep("--multirun", f"model={','.join(OURS)}", *FEW, cwd=folder))
    return folder


@needs_extra
@pytest.mark.slow
@pytest.mark.parametrize("number", range(len(OURS)), ids=OURS)
def test_our_networks(number: int, ours: Path) -> None:
    export(ours / str(number), "onnx", out=None, opset=None)
    check(ours / str(number))


@needs_extra
@pytest.mark.slow
def test_networks_of_torchvision(tmp_path: Path) -> None:
    names = f"model.name={','.join(TORCHVISION)}"
    succeeded(cnnsweep("--multirun", "model=torchvision", names, *FEW, "epochs=1", cwd=tmp_path))
    for number in range(len(TORCHVISION)):
        export(tmp_path / str(number), "onnx", out=None, opset=None)
        check(tmp_path / str(number), most_clear=False)  # one epoch leaves them undecided


@needs_extra
@pytest.mark.slow
def test_a_network_of_ones_own_by_the_command(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(OWN)
    allowed = {"CNNSWEEP_ALLOW": "mine.*"}
    network = ("model._target_=mine.Own", "+model.width=12", "hydra.run.dir=run")
    succeeded(cnnsweep(*network, *FEW, cwd=tmp_path, **allowed))
    said = succeeded(cnnsweep("run", cwd=tmp_path, module=MODULE, **allowed)).splitlines()
    assert said[0].startswith("run: Own, images of 1×28×28, 10 classes, epoch ")
    assert said[1].startswith("checked with onnxruntime ")
    assert said[1].endswith("same class for 359 of 359 test images")
    assert said[2].startswith("run/model.onnx written: ")
    assert len(said) == 3
    check(tmp_path / "run")
    assert "mine.Own is not a target" in complaint_of(cnnsweep("run", cwd=tmp_path, module=MODULE))


@needs_extra
@pytest.mark.slow
def test_a_run_in_bfloat16_is_exported_in_float32(tmp_path: Path) -> None:
    succeeded(cnnsweep("precision=bfloat16", "hydra.run.dir=run", *FEW, cwd=tmp_path))
    export(tmp_path / "run", "onnx", out=None, opset=18)
    check(tmp_path / "run", tolerance=0.01)  # eight bits of a number lie behind what the run said


@needs_extra
def test_a_small_run_in_a_file_with_no_folder_of_this_machine(
    tiny_run: Path, tmp_path: Path
) -> None:
    export(tiny_run, "onnx", out=tmp_path / "net.onnx", opset=None)
    said, _ = say(tmp_path / "net.onnx", digits().test().pixels)
    recorded(tiny_run).check(said, tolerance=1e-5)
    assert str(Path(torch.__file__).parent).encode() not in (tmp_path / "net.onnx").read_bytes()


@pytest.mark.skipif(not MISSING, reason="the extra export is installed")
def test_without_the_extra_one_line_names_it(tiny_run: Path, tmp_path: Path) -> None:
    out = str(tmp_path / "net.onnx")
    line = complaint_of(cnnsweep(str(tiny_run), "--out", out, cwd=tmp_path, module=MODULE))
    assert line.endswith("pip install -e '.[export]'; --format torch needs no more")
    assert list(tmp_path.iterdir()) == []
