"""What a CUDA device must do as a CPU does, and may not wait for."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from benchmarks import throughput
from cnnsweep.data.batches import Batches
from cnnsweep.data.dataset import Images
from cnnsweep.training.device import autocast
from cnnsweep.training.epoch import run_epoch
from cnnsweep.training.optimizer_step import OptimizerStep
from cnnsweep.training.schedule import Schedule
from tests.command import cnnsweep, succeeded
from tests.run_files import result

needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no CUDA device")


@pytest.mark.gpu
@needs_cuda
def test_a_gpu_is_never_waited_for_inside_an_epoch() -> None:
    images = Images(torch.randint(0, 256, (640, 1, 8, 8), dtype=torch.uint8), torch.arange(640) % 3)
    batches = Batches(
        images.to("cuda"),
        batch_size=64,
        mean=0.5,
        std=0.5,
        shuffle=True,
        layout="channels_last",
        augment=None,
    )
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 3)).cuda()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, fused=True)
    schedule = Schedule(None, "epoch")
    step = OptimizerStep(optimizer, schedule, list(model.parameters()), grad_clip=1.0, l1=0.1)

    def watch(done: int, _loss: Tensor, _right: Tensor) -> None:
        torch.cuda.set_sync_debug_mode("error" if done < 640 else "default")

    cast = autocast(torch.device("cuda"), "bfloat16")
    figures = run_epoch(model, batches, nn.CrossEntropyLoss(), cast, step, on_batch=watch)
    assert figures.images == 640


@pytest.mark.gpu
@needs_cuda
@pytest.mark.parametrize("model", ["simple", "lenet", "inception", "resnet", "densenet"])
def test_every_network_trains_on_a_gpu(model: str, tmp_path: Path) -> None:
    words = (f"model={model}", "device=cuda", "data.train_limit=200", "epochs=2")
    succeeded(cnnsweep(*words, "pictures=false", "hydra.run.dir=run", cwd=tmp_path))
    assert result(tmp_path / "run")["device"] == "cuda:0"


@pytest.mark.skipif(torch.cuda.is_available(), reason="it would measure")
def test_without_a_gpu_its_benchmark_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    throughput.main(["--device", "cuda"])
    assert capsys.readouterr().out.startswith("skipped: --device cuda")
