"""Workers that share a CUDA device: each has its part of the memory and no more."""

from pathlib import Path

import pytest
import torch

from tests.command import cnnsweep
from tests.run_files import result
from tests.training.test_gpu import needs_cuda


def greedy_and_modest(folder: Path, device: str, share: str) -> str:
    """Two runs side by side on the first GPU: one takes 3 GiB, its neighbour a quarter of one."""
    done = cnnsweep(
        *("--multirun", "model=lenet", "model._target_=tests.training.greedy.Greedy"),
        *(
            "++model.mebibytes=3072,256",
            f"device={device}",
            "hydra.sweeper.devices=[0,0]",
            "hydra.sweep.dir=sweep",
        ),
        *("data.train_limit=300", "epochs=20", "pictures=false", "threads=1"),
        cwd=folder,
        CNNSWEEP_ALLOW="tests.training.greedy.*",
        CNNSWEEP_GPU_SHARE=share,
    )
    return done.stdout + done.stderr


@pytest.mark.gpu
@needs_cuda
def test_a_greedy_worker_runs_out_of_its_own_share_and_its_neighbour_goes_on(
    tmp_path: Path,
) -> None:
    # 6 GiB for both, so 3 for each, of which the driver's is one.
    memory = torch.cuda.get_device_properties(0).total_memory
    said = greedy_and_modest(tmp_path, "cuda", f"{6 * 2**30}/{memory}")
    assert "up to 2 workers share a GPU" in said
    greedy, modest = (result(tmp_path / "sweep" / str(number)) for number in (0, 1))
    assert (greedy["status"], modest["status"]) == ("failed", "completed"), said
    assert "memory" in greedy["error"]


@pytest.mark.gpu
@needs_cuda
def test_where_shares_are_none_it_takes_what_is_free(tmp_path: Path) -> None:
    said = greedy_and_modest(tmp_path, "cuda", "none")
    assert "share a GPU" not in said
    statuses = [result(tmp_path / "sweep" / str(number))["status"] for number in (0, 1)]
    assert statuses == ["completed"] * 2, said


@pytest.mark.slow
def test_on_a_cpu_the_same_two_runs_hold_nothing_and_complete(tmp_path: Path) -> None:
    said = greedy_and_modest(tmp_path, "cpu", "1/2")
    statuses = [result(tmp_path / "sweep" / str(number))["status"] for number in (0, 1)]
    assert statuses == ["completed"] * 2, said
