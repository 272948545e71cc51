"""What a CUDA device must do as a CPU does, and may not wait for."""

import csv
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from benchmarks import throughput
from cnnsweep.data.augment import RandomCrop, augment
from cnnsweep.data.batches import Batches
from cnnsweep.data.dataset import Images
from cnnsweep.data.digits import digits
from cnnsweep.task.load_model import load_model
from cnnsweep.training.device import autocast
from cnnsweep.training.epoch import run_epoch
from cnnsweep.training.optimizer_step import OptimizerStep
from cnnsweep.training.schedule import Schedule
from tests.command import cnnsweep, complaint_of, succeeded
from tests.run_files import assert_same, result
from tests.task.test_resume import kill_when
from tests.training.test_compile import losses

needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no CUDA device")
NETWORKS = ("simple", "lenet", "inception", "resnet", "densenet")
SHORT = ("data.train_limit=300", "pictures=false", "threads=1")


@pytest.mark.gpu
@needs_cuda
@pytest.mark.parametrize(
    "changes",
    [
        None,
        RandomCrop(padding=1),
        augment(degrees=10, scale=(0.9, 1.1), translate=0.1, crop=0, flip=0.5),
    ],
    ids=["plain", "cropped", "turned"],
)
def test_a_gpu_is_never_waited_for_inside_an_epoch(changes: nn.Module | None) -> None:
    images = Images(torch.randint(0, 256, (640, 1, 8, 8), dtype=torch.uint8), torch.arange(640) % 3)
    batches = Batches(
        images.to("cuda"),
        batch_size=64,
        mean=0.5,
        std=0.5,
        shuffle=True,
        layout="channels_last",
        augment=changes,
    )
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 3)).cuda()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, fused=True)
    schedule = Schedule(None, "epoch")
    step = OptimizerStep(optimizer, schedule, list(model.parameters()), grad_clip=1.0, l1=0.1)

    def watch(done: int, _loss: Tensor, _right: Tensor) -> None:
        torch.cuda.set_sync_debug_mode("error" if done < 640 else "default")

    cast = autocast(torch.device("cuda"), "bfloat16")
    try:
        figures = run_epoch(model, batches, nn.CrossEntropyLoss(), cast, step, on_batch=watch)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert figures.images == 640


@pytest.mark.gpu
@needs_cuda
@pytest.mark.parametrize("model", NETWORKS)
def test_every_network_trains_on_a_gpu(model: str, tmp_path: Path) -> None:
    words = (f"model={model}", "device=cuda", "data.train_limit=200", "epochs=2")
    succeeded(cnnsweep(*words, "pictures=false", "hydra.run.dir=run", cwd=tmp_path))
    assert result(tmp_path / "run")["device"] == "cuda:0"


@pytest.mark.gpu
@needs_cuda
@pytest.mark.parametrize("model", NETWORKS)
def test_killed_on_a_gpu_a_deterministic_run_ends_as_if_nothing_had_happened(
    model: str, tmp_path: Path
) -> None:
    words = (f"model={model}", "device=cuda", "deterministic=true", "epochs=12", *SHORT)
    more = (*words, "augment=light", "scheduler=cosine")
    succeeded(cnnsweep(*more, "hydra.run.dir=unbroken", cwd=tmp_path))

    def has_an_epoch(written: Callable[[str], int]) -> bool:
        return written("last.pt") > 0

    process = kill_when(has_an_epoch, tmp_path / "killed", *more)
    assert process.returncode == -signal.SIGKILL
    assert not (tmp_path / "killed/result.json").exists()
    succeeded(cnnsweep(*more, "hydra.run.dir=killed", cwd=tmp_path))
    assert_same(tmp_path / "killed", tmp_path / "unbroken")


@pytest.mark.gpu
@needs_cuda
@pytest.mark.parametrize("trained_on", ["cpu", "cuda"])
def test_what_was_trained_on_one_device_predicts_the_same_on_the_other(
    trained_on: str, tmp_path: Path
) -> None:
    words = ("model=resnet", f"device={trained_on}", "epochs=3", *SHORT)
    succeeded(cnnsweep(*words, "hydra.run.dir=run", cwd=tmp_path))
    with (tmp_path / "run/test_predictions.csv").open() as file:
        said = torch.tensor([float(row["confidence"]) for row in csv.DictReader(file)])
    network = load_model(tmp_path / "run").network
    for device in ("cpu", "cuda"):
        with torch.no_grad():
            sure = network.to(device)(digits().test().pixels.to(device)).cpu().amax(dim=1)
        # A GPU's convolutions take inputs of ten bits (TF32) unless torch is told otherwise.
        torch.testing.assert_close(sure, said, rtol=0, atol=5e-3)


@pytest.mark.gpu
@needs_cuda
def test_two_workers_share_a_gpu(tmp_path: Path) -> None:
    search = ("--multirun", "search=sgd", "hydra/sweeper/pruner=none", "model=lenet", "epochs=2")
    counts = ("hydra.sweeper.n_jobs=2", "hydra.sweeper.n_trials=4", "hydra.sweep.dir=sweep")
    devices = ("device=cuda", "hydra.sweeper.devices=[0]")
    succeeded(cnnsweep(*search, *counts, *devices, *SHORT, cwd=tmp_path))
    trials = [result(tmp_path / "sweep" / str(number)) for number in range(4)]
    assert [(trial["status"], trial["device"]) for trial in trials] == [("completed", "cuda:0")] * 4


@pytest.mark.gpu
@needs_cuda
@pytest.mark.skipif(torch.cuda.device_count() > 7, reason="there is a GPU of that number")
def test_a_gpu_that_is_not_there_is_refused_with_those_that_are(tmp_path: Path) -> None:
    line = complaint_of(cnnsweep("device=cuda:7", cwd=tmp_path))
    assert "device=cuda:7 is not there: this machine has cpu, " in line
    assert "cuda:0" in line


@pytest.mark.gpu
@needs_cuda
@pytest.mark.skipif(
    torch.cuda.is_available() and torch.cuda.get_device_capability() < (8, 0),
    reason="this GPU does not compute in bfloat16",
)
def test_auto_precision_is_bfloat16_and_learns(tmp_path: Path) -> None:
    words = ("model=resnet", "device=auto", "precision=auto", "epochs=5", "pictures=false")
    succeeded(cnnsweep(*words, "hydra.run.dir=run", cwd=tmp_path))
    said = result(tmp_path / "run")
    assert (said["device"], said["precision"], said["learned"]) == ("cuda:0", "bfloat16", True)
    assert said["hardware"]["gpu"] == torch.cuda.get_device_name(0)


@pytest.mark.gpu
@needs_cuda
def test_a_compiled_run_learns_what_the_plain_one_does(tmp_path: Path) -> None:
    for name, compiled in (("plain", "false"), ("compiled", "true")):
        words = ("model=lenet", "device=cuda", f"compile={compiled}", "epochs=3", *SHORT)
        done = cnnsweep(*words, f"hydra.run.dir={name}", cwd=tmp_path)
        succeeded(done)
        assert (tmp_path / name / "metrics.csv").exists(), done.stdout + done.stderr
    assert losses(tmp_path / "compiled") == pytest.approx(losses(tmp_path / "plain"), rel=1e-2)


@pytest.mark.skipif(torch.cuda.is_available(), reason="it would measure")
def test_without_a_gpu_its_benchmark_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    throughput.main(["--device", "cuda"])
    assert capsys.readouterr().out.startswith("skipped: --device cuda")
