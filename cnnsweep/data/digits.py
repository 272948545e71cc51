"""The handwritten digits that scikit-learn contains, which need no download."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import interpolate

from cnnsweep.data.dataset import Contents, Dataset, Images
from cnnsweep.data.fingerprint import digest_of
from cnnsweep.data.source_files import decoded_once
from cnnsweep.data.split import split_off_test
from cnnsweep.errors import UserError


def digits() -> Dataset:
    """1,797 handwritten digits (UCI, Alpaydin and Kaynak 1998), 1 × 28 × 28, a fifth for testing.

    The originals are 8 × 8 with values 0..16; enlarged bilinearly, so that networks made for MNIST
    fit.
    """
    return decoded_once("digits", (), _decode)


def _decode() -> Dataset:
    table = torch.from_numpy(np.loadtxt(_file(), delimiter=",", dtype=np.int64))
    small, labels = table[:, :64], table[:, 64]
    pixels = small.float().view(-1, 1, 8, 8) * (255 / 16)
    large = interpolate(pixels, size=28, mode="bilinear", align_corners=False)
    everything = Images(large.round().to(torch.uint8), labels)
    train, test = split_off_test(everything.labels)
    return Dataset(
        name="digits",
        classes=tuple("0123456789"),
        # A copy, so that the training images hold no test image.
        train=Images(everything.pixels[train], everything.labels[train]),
        test=lambda: everything.take(test),
        contents=Contents({"digits": digest_of(table)}, test=len(test)),
    )


def _file() -> Path:
    """scikit-learn's table, found without an import, which takes longer than a short run."""
    spec = find_spec("sklearn")
    if spec is None or spec.origin is None:
        raise UserError("data=digits needs scikit-learn, which contains them: pip install cnnsweep")
    return Path(spec.origin).parent / "datasets" / "data" / "digits.csv.gz"
