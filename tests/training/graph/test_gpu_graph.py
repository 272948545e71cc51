"""On a CUDA device a run by graphs is the eager one, never waits, and gives its memory back."""

import gc
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import torch
from torch import Tensor

from cnnsweep.training.graph.cuda import CudaGraph
from cnnsweep.training.graph.steps import CapturedSteps
from tests.command import cnnsweep, succeeded
from tests.run_files import assert_same, metrics
from tests.task.test_resume import kill_when
from tests.training.graph.trainers import LIGHT, OPTIMIZERS, TINY, train, trainer

needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no CUDA device")
pytestmark = [pytest.mark.gpu, needs_cuda]
CUDA = torch.device("cuda", 0)
FEW = ("data.train_limit=300", "pictures=false", "threads=1", "device=cuda")


@pytest.fixture
def full_precision() -> object:
    """Without TF32, whose ten bits would hide what is wrong."""
    before = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = False
    yield
    torch.backends.cudnn.allow_tf32 = before


def weights(*words: str, graph: bool, **more: str) -> dict[str, Tensor]:
    made = trainer(*words, f"graph={str(graph).lower()}", device=CUDA, **more)
    train(made, 2)
    assert (made.graphed is not None and made.graphed.why_eager is None) == graph
    made.close()
    return made.model.state_dict()


@pytest.mark.usefixtures("full_precision")
@pytest.mark.parametrize("model", TINY)
def test_every_network_ends_with_the_weights_of_eager_steps(model: str) -> None:
    words = (*LIGHT, "model.dropout=0.3", "grad_clip=0.5", "l1=0.001", "optim.lr=0.0625")
    eager, captured = (weights(*words, graph=graph, model=model) for graph in (False, True))
    for name, tensor in eager.items():
        torch.testing.assert_close(captured[name], tensor, rtol=1e-3, atol=1e-4, msg=name)


@pytest.mark.usefixtures("full_precision")
@pytest.mark.parametrize("schedule", ["cosine", "cyclic"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_optimizer_ends_with_the_weights_of_eager_steps(
    optimizer: str, schedule: str
) -> None:
    # No batch norm: before it a bias has no gradient but rounding, which Adam follows at full pace.
    words = (f"optim={optimizer}", f"scheduler={schedule}", "model.norm=none")
    eager, captured = (weights(*words, graph=graph) for graph in (False, True))
    for name, tensor in eager.items():
        torch.testing.assert_close(captured[name], tensor, rtol=1e-3, atol=1e-3, msg=name)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_gpu_is_never_waited_for_inside_an_epoch_by_graphs(precision: str) -> None:
    words = ("graph=true", *LIGHT, "model.dropout=0.3", "scheduler=cyclic", "grad_clip=1")
    made = trainer(*words, precision=precision, device=CUDA)
    train(made, 2)  # both sizes are captured: a capture itself waits

    def watch(done: int, _loss: Tensor, _right: Tensor) -> None:
        torch.cuda.set_sync_debug_mode("error" if done < made.train.images else "default")

    try:
        made.record(made.train_epoch(watch))
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert made.graphed is not None
    assert made.graphed.why_eager is None


def test_a_failed_capture_leaves_a_gpu_that_trains_and_draws() -> None:
    """The step reads a tensor in Python: it stays eager, dropout and later captures work."""

    def walk(weight: Tensor, *, reads: bool) -> None:
        weight.add_(torch.nn.functional.dropout(weight, 0.5))
        if reads:
            weight.mul_(1.0 if weight.sum().item() > 0 else 2.0)

    def after_ten(*, reads: bool, by_graph: bool) -> Tensor:
        torch.manual_seed(0)
        weight = torch.ones(1000, device=CUDA)
        step = partial(walk, weight, reads=reads)
        steps = CapturedSteps(step, CUDA, warm_ups=2, make_graph=partial(CudaGraph, CUDA))
        for _ in range(10):
            steps.run() if by_graph else step()
        assert (steps.why_eager is not None) == (reads and by_graph)
        return weight

    for reads in (False, True, False):
        eager, captured = (after_ten(reads=reads, by_graph=way) for way in (False, True))
        torch.testing.assert_close(captured, eager, rtol=0, atol=0)


def test_memory_comes_back_between_trials() -> None:
    def left() -> tuple[int, int]:
        gc.collect()
        torch.cuda.synchronize()
        torch.cuda.empty_cache()
        return torch.cuda.memory_allocated(CUDA), torch.cuda.memory_reserved(CUDA)

    def trial(model: str) -> tuple[int, int]:
        made = train(trainer("graph=true", model=model, device=CUDA), 2)
        assert made.graphed is not None
        assert made.graphed.why_eager is None
        made.close()
        del made
        return left()

    allocated, reserved = trial("resnet")  # with what libraries keep for the whole process
    for model in ("resnet", "simple", "resnet"):
        after = trial(model)
        assert after[0] == allocated
        assert after[1] <= reserved


@pytest.mark.parametrize("model", ["lenet", "resnet"])
def test_killed_a_deterministic_run_by_graphs_ends_as_if_nothing_had_happened(
    model: str, tmp_path: Path
) -> None:
    words = (f"model={model}", "graph=true", "deterministic=true", "epochs=12", *FEW)
    more = (*words, *LIGHT, "scheduler=cosine", "model.dropout=0.2")
    succeeded(cnnsweep(*more, "hydra.run.dir=unbroken", cwd=tmp_path))

    def has_an_epoch(written: Callable[[str], int]) -> bool:
        return written("last.pt") > 0

    process = kill_when(has_an_epoch, tmp_path / "killed", *more)
    assert process.returncode == -signal.SIGKILL
    succeeded(cnnsweep(*more, "hydra.run.dir=killed", cwd=tmp_path))
    assert_same(tmp_path / "killed", tmp_path / "unbroken")
    assert "not captured" not in (tmp_path / "unbroken/cnnsweep.log").read_text()


def test_a_run_by_graphs_learns_what_the_plain_one_does(tmp_path: Path) -> None:
    losses = []
    for graph in ("false", "true"):
        words = ("model=lenet", f"graph={graph}", "epochs=3", f"hydra.run.dir={graph}", *FEW)
        succeeded(cnnsweep(*words, cwd=tmp_path))
        losses.append([float(row["train_loss"]) for row in metrics(tmp_path / graph)])
    assert losses[1] == pytest.approx(losses[0], rel=1e-2)
