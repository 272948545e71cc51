"""Workers share the decoded images: what one of them keeps for itself is small."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tests.command import environment
from tests.data.made_files import idx_bytes

_COUNT = 100_000
_TRAIN = """
import sys
import torch
from cnnsweep.data.batches import Batches
from cnnsweep.data.mnist import mnist
from cnnsweep.data.split import split

def own_memory():
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("RssAnon")) / 1024

torch.set_num_threads(1)
torch.zeros(1000, 1000).add_(1).sum()
before = own_memory()
kept = [
    Batches(
        part, batch_size=64, mean=0.5, std=0.5, shuffle=True, layout="channels_last", augment=None
    )
    for part in split(mnist(root=sys.argv[1], download=False).train, 0.1, 0, "0123456789")
]
assert sum(len(labels) for batches in kept for _, labels in batches) == 100_000
print(own_memory() - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="it reads /proc")
def test_an_epoch_keeps_no_images_of_its_own(tmp_path: Path) -> None:
    folder = tmp_path / "MNIST" / "raw"
    folder.mkdir(parents=True)
    for name, count in (("train", _COUNT), ("t10k", 10)):
        pixels, labels = torch.zeros(count, 28, 28), torch.arange(count) % 10
        (folder / f"{name}-images-idx3-ubyte").write_bytes(idx_bytes(pixels))
        (folder / f"{name}-labels-idx1-ubyte").write_bytes(idx_bytes(labels))
    done = subprocess.run(
        [sys.executable, "-c", _TRAIN, str(tmp_path)],
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    mebibytes = _COUNT * 28 * 28 / 2**20
    assert float(done.stdout) < mebibytes / 3
