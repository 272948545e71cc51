"""What a run said of its test images, to compare a network with that was taken away."""

from pathlib import Path
from typing import NamedTuple

import pandas as pd
import torch
from torch import Tensor


class Recorded(NamedTuple):
    """Predicted classes (int64, N) and their probabilities (float32, N)."""

    predictions: Tensor
    confidences: Tensor

    def check(self, probabilities: Tensor, tolerance: float, most_clear: bool = True) -> None:
        """Assert that (N, classes) are the same, classes wherever two are not about equally likely.

        Two classes whose probabilities differ by less than twice the tolerance may change places;
        ``most_clear``: with most images they do not.
        """
        confidences, predictions = probabilities.max(dim=1)
        assert (confidences - self.confidences).abs().max() <= tolerance
        first, second = probabilities.topk(2, dim=1).values.unbind(dim=1)
        clear = first - second > 2 * tolerance
        assert torch.equal(predictions[clear], self.predictions[clear])
        assert not most_clear or clear.float().mean() > 0.5


def recorded(run: Path) -> Recorded:
    """test_predictions.csv of a run folder."""
    table = pd.read_csv(run / "test_predictions.csv")
    return Recorded(
        torch.tensor(table["prediction"].to_numpy()),
        torch.tensor(table["confidence"].to_numpy(), dtype=torch.float32),
    )
