"""Out of memory on a device costs the trial that it befell, and says what to change."""

from pathlib import Path

import pytest
import torch

from cnnsweep.folders.run_folder import RunFolder
from tests.command import QUICK, REPOSITORY
from tests.sweep.sweep_commands import sweep

MODEL = '''
import torch
from torch import nn


class Hungry(nn.Module):
    """With more than 8 hidden units it needs 16 TiB; what a GPU says then, it says on a CPU."""

    def __init__(self, *, in_channels, image_size, num_classes, hidden):
        super().__init__()
        sides = in_channels * image_size[0] * image_size[1]
        self.layers = nn.Sequential(
            nn.Flatten(), nn.Linear(sides, hidden), nn.ReLU(), nn.Linear(hidden, num_classes)
        )
        self.hidden, self.steps = hidden, 0

    def forward(self, x):
        self.steps += self.training
        if self.hidden > 8 and self.steps > 5:  # the model has been tried out before training
            if x.is_cuda:
                torch.empty(2**42, device=x.device)
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB.")
        return self.layers(x)
'''


ON_A_GPU = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no CUDA device"),
]


@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=ON_A_GPU)])
def test_out_of_memory_costs_one_trial_and_says_what_to_change(tmp_path: Path, device: str) -> None:
    (tmp_path / "hungry.py").write_text(MODEL)
    (tmp_path / "model").mkdir()
    (tmp_path / "model/hungry.yaml").write_text("_target_: hungry.Hungry\nhidden: 4\n")
    folder = tmp_path / "sweep"
    done = sweep(
        ("cnnsweep", "hydra/sweeper=grid"),
        folder,
        *(*QUICK, "model=hungry", f"hydra.searchpath=[file://{tmp_path}]"),
        *("model.hidden=4,16,8", "hydra.sweeper.n_jobs=1", f"device={device}"),
        f"graph={'true' if device == 'cuda' else 'false'}",
        PYTHONPATH=f"{REPOSITORY}:{tmp_path}",
        CNNSWEEP_ALLOW="hungry.*",
    )
    assert done.code == 1, done.text
    results = [RunFolder(folder / str(number)).read_result() for number in range(3)]
    assert [r and r["status"] for r in results] == ["completed", "failed", "completed"], done.text
    (_, failed, _) = results
    assert failed is not None
    for said in (failed["error"], done.text):
        assert "memory is full" in said
        for key in ("data.batch_size", "data.eval_batch_size", "n_jobs", "hydra.sweeper.stack"):
            assert key in said
    assert "Tried to allocate" in failed["error"]
