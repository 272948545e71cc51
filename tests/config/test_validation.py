"""Everything a person can get wrong: one line, exit code 1, nothing half-written."""

import json
import pickle
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tests.command import TINY, cnnsweep, complaint_of, environment

BEFORE_A_FOLDER_IS_MADE = [
    (["model=resnett"], ["unknown model 'resnett'", "'resnet'", "lenet"]),
    (["modle=resnet"], ["unknown key 'modle'", "'model'"]),
    (["optim.lrr=1"], ["unknown key 'optim.lrr'", "'optim.lr'", "momentum"]),
    (["experiment=mnist_simpel"], ["'mnist_simpel'", "'mnist_simple'"]),
    (["optim.lr=0"], ["optim.lr=0", "above 0"]),
    (["optim.lr=-0.1"], ["optim.lr=-0.1", "above 0"]),
    (["optim.lr=fast"], ["optim.lr=fast", "a number"]),
    (["optim.lr=nan"], ["optim.lr=nan", "a number"]),
    (["optim.momentum=1"], ["optim.momentum=1", "from 0 up to"]),
    (["optim.weight_decay=-1"], ["optim.weight_decay=-1", "from 0 up"]),
    (["model.dropout=1"], ["model.dropout=1", "from 0 up to"]),
    (["data.batch_size=0"], ["data.batch_size=0", "from 1 up"]),
    (["data.batch_size=-64"], ["data.batch_size=-64", "from 1 up"]),
    (["data.batch_size=6.5"], ["data.batch_size=6.5", "whole number"]),
    (["epochs=0"], ["epochs=0", "from 1 up"]),
    (["epochs=-3"], ["epochs=-3", "from 1 up"]),
    (["data.val_fraction=1"], ["data.val_fraction=1", "not including, 1"]),
    (["data.val_fraction=-0.1"], ["data.val_fraction=-0.1", "from 0"]),
    (["seed=-1"], ["seed=-1", "from 0 up"]),
    ([f"seed={2**64}"], [f"seed={2**64}", f"from 0 up to {2**63 - 1}"]),
    (["graph=true", "compile=true"], ["graph=true", "compile=true", "one of them"]),
    (["graph=1"], ["graph=1", "true or false"]),
    (["threads=0"], ["threads=0", "auto", "from 1 up"]),
    (["threads=100000"], ["threads=100000", "auto", "up to 1024"]),
    (["device=gpu"], ["device=gpu", "cuda"]),
    (["precision=float16"], ["precision=float16", "bfloat16"]),
    (["keep=some"], ["keep=some", "all, best, none"]),
    (["objective=val_acc"], ["objective 'val_acc'", "'val_accuracy'"]),
    (["test=false", "objective=test_loss"], ["test=true"]),
    (["early_stopping.patience=2", "data.val_fraction=0"], ["patience", "data.val_fraction=0"]),
    (["objective=val_loss", "data.val_fraction=0"], ["objective=val_loss", "data.val_fraction=0"]),
    (["early_stopping.min_delta=0.1"], ["early_stopping.min_delta=0.1", "patience"]),
    (["objective=[val_loss,val_loss]"], ["objective=", "twice"]),
    (["model._target_=os.system"], ["model._target_=os.system", "CNNSWEEP_ALLOW"]),
    (["search=sgd"], ["search=sgd", "--multirun"]),
    (["model=simple,lenet"], ["model=simple,lenet", "--multirun"]),
    (["optim.lr=["], ["'optim.lr=['"]),
    (["--multirun", "optim.lr=0.1,-1"], ["optim.lr=-1", "above 0"]),
    (["lr=0.1"], ["unknown key 'lr'", "Did you mean 'optim.lr'"]),
    (["+lr=0.1"], ["'+lr=0.1'", "Did you mean 'optim.lr'"]),
    (["+model.num_classes=5"], ["num_classes", "itself"]),
    (["data=MNIST"], ["'MNIST'", "Did you mean 'mnist'"]),
    (["data.mean=123.7"], ["data.mean=123.7", "from 0 to 1", "Normalize"]),
    (["loss._target_=torch.nn.NLLLoss"], ["NLLLoss", "CrossEntropyLoss"]),
    (["optim.nesterov=maybe"], ["optim.nesterov=maybe", "true or false"]),
    (["model.kernel_size=x"], ["model.kernel_size=x", "a number, or a list of them"]),
    (["model=lenet", "model.kernel_size=[3,5]"], ["model.kernel_size=[3, 5]", "a number"]),
    (["test_time_augmentation=rotate"], ["test_time_augmentation=rotate", "[shift, flip]"]),
    (["test_time_augmentation=[shift,shift]"], ["[shift, flip]"]),
    (["test_time_augmentation=[1,shift]"], ["test_time_augmentation=[1, 'shift']", "null, shift"]),
    (["test_time_augmentation=[[shift],flip]"], ["test_time_augmentation=", "[shift, flip]"]),
    (["model=[simple,lenet]"], ["model=[simple,lenet]", "one option"]),
    (["hydra.sweep.dir=x"], ["hydra.sweep.dir=x", "hydra.run.dir=x"]),
    (["-m", "hydra.run.dir=x"], ["hydra.run.dir=x", "hydra.sweep.dir=x"]),
    (["-m", "optim.lr=interval(1e-3, 1)"], ["optim.lr=0.1,0.01", "hydra/sweeper=optuna"]),
    (["-m", "augment=none,light", "++augment.degrees=5"], ["augment=none", "augment.degrees"]),
    (["--multirn"], ["--multirn", "Did you mean --multirun"]),
    (["hydra.run.dir=a(b"], ["""'hydra.run.dir="a(b"'"""]),
    (["~seed"], ["'seed'", "every run needs"]),
    (["resume=latest"], ["resume=latest", "outputs"]),
    (["resume=nowhere"], ["resume=nowhere", "no such folder"]),
    (["resume=latest", "hydra.run.dir=x"], ["resume=latest", "give one of them"]),
]


@pytest.mark.parametrize(("arguments", "said"), BEFORE_A_FOLDER_IS_MADE, ids=lambda a: " ".join(a))
def test_it_is_refused_in_one_line_before_a_folder_is_made(
    arguments: list[str], said: list[str], tmp_path: Path
) -> None:
    line = complaint_of(cnnsweep(*arguments, cwd=tmp_path))
    assert [part for part in said if part not in line] == []
    assert list(tmp_path.iterdir()) == []


def files(folder: Path) -> None:
    """Files that a person might name by mistake."""
    (folder / "empty").mkdir()
    with (folder / "code.pt").open("wb") as file:
        pickle.dump({"model": print}, file)
    torch.save({"features.0.weight": torch.zeros(3)}, folder / "other.pt")
    (folder / "text.pt").write_text("not a checkpoint")
    raw = folder / "torn" / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for name in ("train-images-idx3-ubyte", "t10k-images-idx3-ubyte"):
        (raw / name).write_bytes(bytes([0, 0, 8, 3, 0, 0, 0, 9, 0, 0, 0, 28, 0, 0, 0, 28]))
    for name in ("train-labels-idx1-ubyte", "t10k-labels-idx1-ubyte"):
        (raw / name).write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 9, *range(9)]))
    one = folder / "one_class" / "cats"
    one.mkdir(parents=True)
    (one / "1.png").write_bytes(b"no picture")


AFTER_IT_IS_MADE = [
    (["data.batch_size=1295"], ["data.batch_size=1295", "1 to 1294"]),
    (["data=mnist", "data.root=empty"], ["data.root=", "data.download=true", "data=digits"]),
    (["data=mnist", "data.root=torn"], ["idx3-ubyte is truncated", "9 images"]),
    (["data=image_folder", "data.root=one_class"], ["one_class", "cats"]),
    (["device=cuda:7"], ["device=cuda:7", "cpu"]),
    (["model.channels=[8,8,8,8,8]"], ["28", "simple"]),
    (["model.stride=[2,2,2]"], ["model.stride=[2, 2, 2]", "a list of 2, one for each"]),
    (["model.pooling=min"], ["'min'", "none"]),
    (["model.activation=rellu"], ["'rellu'", "'relu'"]),
    (["optim.nesterov=true", "optim.momentum=0"], ["Nesterov"]),
    (["optim.lr=1e9", "optim.momentum=0.99"], ["epoch 1", "learning rate 1e+09", "smaller"]),
    (["init_from=code.pt"], ["code.pt", "refused", "pickled"]),
    (["init_from=other.pt"], ["other.pt", "another network"]),
    (["init_from=text.pt"], ["text.pt"]),
    (["init_from=missing.pt"], ["missing.pt", "no such file"]),
]


@pytest.mark.parametrize(("arguments", "said"), AFTER_IT_IS_MADE, ids=lambda a: " ".join(a))
def test_it_is_refused_in_one_line_and_the_folder_tells_it(
    arguments: list[str], said: list[str], tmp_path: Path
) -> None:
    files(tmp_path)
    line = complaint_of(cnnsweep(*arguments, "hydra.run.dir=run", cwd=tmp_path))
    assert [part for part in said if part not in line] == []
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    assert (result["status"], f"error: {result['error']}") == ("failed", line)
    assert (tmp_path / "run" / "metrics.csv").read_text().startswith("epoch,learning_rate,")
    assert "Traceback" in (tmp_path / "run" / "cnnsweep.log").read_text()


def test_home_is_expanded_wherever_a_path_is_typed(tmp_path: Path, tiny_run: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "start").symlink_to(tiny_run)
    typed = ["hydra.run.dir=~/out/run", "init_from='~/start'", *TINY]
    done = cnnsweep(*typed, cwd=tmp_path, HOME=str(home))
    assert done.returncode == 0, done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"home"}
    assert (home / "out" / "run" / "result.json").exists()
    again = cnnsweep("resume=~/out/run", cwd=tmp_path, HOME=str(home))
    assert "already finished" in again.stdout, again.stderr
    reported = cnnsweep("~/out", cwd=tmp_path, module="cnnsweep.report", HOME=str(home))
    assert reported.returncode == 0, reported.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"home"}


def test_a_run_in_its_own_folder_finds_what_was_typed(tmp_path: Path, tiny_run: Path) -> None:
    (tmp_path / "start").symlink_to(tiny_run)
    done = cnnsweep(*TINY, "init_from=start", "hydra.job.chdir=true", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (result,) = tmp_path.glob("outputs/*/*/result.json")
    assert f"results: {result.parent}" in done.stdout


def test_other_shapes_are_named(tiny_run: Path, tmp_path: Path) -> None:
    done = cnnsweep(*TINY, "model.hidden=[100,84]", f"init_from={tiny_run}", cwd=tmp_path)
    assert "(120, 400) there, (100, 400) here" in complaint_of(done)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    line = complaint_of(cnnsweep("hydra.run.dir=file/run", cwd=tmp_path))
    assert "file/run: Not a directory" in line


def test_a_full_disk_fails_the_run_and_leaves_no_half_file(tmp_path: Path) -> None:
    """A limit on file sizes refuses the checkpoint as a full disk would."""
    arguments = [sys.executable, "-m", "cnnsweep", *TINY, "hydra.run.dir=run"]
    done = subprocess.run(
        ["bash", "-c", f"ulimit -f 64; exec {shlex.join(arguments)}"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert re.search(r"run/(best|last)\.pt: File too large", complaint_of(done))
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    assert result["status"] == "failed"
    assert list((tmp_path / "run").glob("*.unfinished")) == []


def test_a_traceback_is_shown_on_request(tmp_path: Path) -> None:
    done = cnnsweep("optim.lr=1e9", "epochs=1", cwd=tmp_path, HYDRA_FULL_ERROR="1")
    assert done.returncode == 1
    assert "Traceback" in done.stderr


def test_a_target_of_ones_own_is_a_variable_away(tmp_path: Path) -> None:
    (tmp_path / "my_pkg.py").write_text(
        "from torch import nn\n"
        "class MyNet(nn.Sequential):\n"
        "    def __init__(self, *, in_channels, image_size, num_classes):\n"
        "        height, width = image_size\n"
        "        super().__init__(nn.Flatten(),\n"
        "            nn.Linear(in_channels * height * width, num_classes))\n"
    )
    arguments = ("model._target_=my_pkg.MyNet", "epochs=1", "hydra.run.dir=run")
    refused = complaint_of(cnnsweep(*arguments, cwd=tmp_path))
    assert "CNNSWEEP_ALLOW='my_pkg.*'" in refused
    done = cnnsweep(*arguments, cwd=tmp_path, CNNSWEEP_ALLOW="my_pkg.*")
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "run" / "result.json").read_text())["parameters"] == 7850
    predicted = cnnsweep("run", "run/curves.png", cwd=tmp_path, module="cnnsweep.predict")
    assert "CNNSWEEP_ALLOW" in complaint_of(predicted)


def test_a_torchvision_that_does_not_fit_torch_gets_one_line(tmp_path: Path) -> None:
    package = tmp_path / "torchvision"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('operator torchvision::nms')\n")
    line = complaint_of(cnnsweep("model=torchvision", cwd=tmp_path, PYTHONPATH=str(tmp_path)))
    assert re.search(
        r"torchvision \S+ cannot be used with torch \S+ \(operator torchvision::nms\)", line
    )
    assert "Install two that fit each other" in line
