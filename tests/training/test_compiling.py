"""A compiled network is the same network, and goes on as one that is not compiled."""

import csv
from pathlib import Path

import pytest
import torch

from tests.command import TINY, cnnsweep, succeeded


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_compiled_run_learns_what_the_plain_one_does(tmp_path: Path) -> None:
    for name, compiled in (("plain", "false"), ("compiled", "true")):
        done = cnnsweep(*TINY, f"compile={compiled}", f"hydra.run.dir={name}", cwd=tmp_path)
        succeeded(done)
        assert "nanobind: leaked" not in done.stderr  # Triton's, of what is not collected at exit
    plain, compiled_losses = losses(tmp_path / "plain"), losses(tmp_path / "compiled")
    assert compiled_losses == pytest.approx(plain, rel=1e-3)
    kept = torch.load(tmp_path / "compiled/best.pt", weights_only=True)["model"]
    assert kept.keys() == torch.load(tmp_path / "plain/best.pt", weights_only=True)["model"].keys()


def losses(folder: Path) -> list[float]:
    with (folder / "metrics.csv").open() as file:
        return [float(row["train_loss"]) for row in csv.DictReader(file)]
