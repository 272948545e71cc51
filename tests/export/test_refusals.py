"""What cannot be exported gets one line, and leaves nothing."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import yaml
from torch import Tensor, nn

from cnnsweep.errors import UserError
from cnnsweep.export.export import export
from cnnsweep.export.formats import trace
from cnnsweep.task.load_model import InferenceModel
from tests.command import cnnsweep, complaint_of


def drop_weights(run: Path) -> None:
    (run / "best.pt").unlink()


def damage_weights(run: Path) -> None:
    (run / "best.pt").write_bytes((run / "best.pt").read_bytes()[:1000])


def put_others_weights(run: Path) -> None:
    torch.save({"weight": torch.zeros(3)}, run / "best.pt")


def put_other_network(run: Path) -> None:
    change(run, "model", {"_target_": "cnnsweep.models.resnet.ResNet"})


def put_foreign_target(run: Path) -> None:
    change(run, "model", {"_target_": "os.system"})


def drop_part_of_the_config(run: Path) -> None:
    (run / "config.yaml").write_text("seed: 0\n")


def widen(run: Path) -> None:
    config = yaml.safe_load((run / "config.yaml").read_text())
    change(run, "model", config["model"] | {"hidden": [60, 60]})


def change(run: Path, key: str, value: object) -> None:
    config = yaml.safe_load((run / "config.yaml").read_text())
    (run / "config.yaml").write_text(yaml.safe_dump(config | {key: value}))


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (drop_weights, "it was removed; to train it again: python -m cnnsweep from="),
        (damage_weights, "is damaged"),
        (put_others_weights, "it lacks model, epoch, in_channels, image_size, classes"),
        (put_other_network, "model._target_=cnnsweep.models.resnet.ResNet cannot be made"),
        (put_foreign_target, "os.system is not a target that a config may name"),
        (drop_part_of_the_config, "config.yaml is not as a run leaves it: it lacks model, data"),
        (widen, "best.pt does not fit config.yaml: Error"),
    ],
)
def test_a_broken_folder_is_named_and_left_alone(
    spoil: Callable[[Path], None], said: str, tiny_run: Path, tmp_path: Path
) -> None:
    run = Path(shutil.copytree(tiny_run, tmp_path / "run"))
    spoil(run)
    before = sorted(run.iterdir())
    with pytest.raises(UserError) as caught:
        export(run, "torch", out=None, opset=None)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert sorted(run.iterdir()) == before


@pytest.mark.parametrize(
    ("kind", "out", "opset", "said"),
    [
        ("torch", "best.pt", None, "best.pt: --format torch allows a name that ends in .pt2"),
        ("onnx", "net.pt2", None, "allows a name that ends in .onnx"),
        ("torch", "nowhere/net.pt2", None, "allowed is a file in a folder that is there"),
        ("torch", None, 20, "--opset 20 with --format torch: allowed is 18 to 23, with onnx"),
        ("onnx", None, 5, "--opset 5 with --format onnx: allowed is 18 to 23"),
    ],
)
def test_what_was_typed_wrongly_is_told_before_any_work(
    kind: str, out: str | None, opset: int | None, said: str, tiny_run: Path, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=r"^--") as caught:
        export(tiny_run, kind, out=None if out is None else tmp_path / out, opset=opset)
    assert said in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_the_command_says_one_line(tmp_path: Path) -> None:
    done = cnnsweep(".", "--format", "torch", cwd=tmp_path, module="cnnsweep.export")
    allowed = "holds neither a run nor a sweep: allowed is the folder of one"
    assert complaint_of(done).endswith(allowed)


class Undecided(nn.Module):
    def forward(self, images: Tensor) -> Tensor:
        flat = images.flatten(1)[:, :2]
        return flat if flat.sum() > 0 else -flat


def test_a_network_that_is_no_graph_is_named() -> None:
    network = InferenceModel(Undecided(), mean=0.5, std=0.5, in_channels=1)
    with pytest.raises(UserError, match="the network Undecided cannot be exported: ") as caught:
        trace(network, (1, 8, 8))
    assert "\n" not in str(caught.value)
