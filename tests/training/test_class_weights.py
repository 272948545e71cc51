"""loss.weight as numbers: given or balanced, else refused by the class's name."""

import pytest
import torch

from cnnsweep.errors import UserError
from cnnsweep.training.class_weights import class_weights

NAMES = ("ok", "defect", "unknown")
IMAGES = (200, 3, 40)


def test_without_weights_all_classes_count_alike() -> None:
    assert class_weights(None, IMAGES, NAMES) is None


def test_balanced_weights_make_all_classes_weigh_the_same() -> None:
    weights = class_weights("balanced", IMAGES, NAMES)
    assert weights is not None
    together = weights * torch.tensor(IMAGES)
    torch.testing.assert_close(together, torch.full((3,), sum(IMAGES) / 3))
    torch.testing.assert_close(weights[1].item(), 243 / (3 * 3))


def test_given_weights_stay_as_they_are() -> None:
    weights = class_weights([1, 5.5, 2], IMAGES, NAMES)
    assert weights is not None
    assert weights.tolist() == [1, 5.5, 2]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([1, 5], "2 numbers for 3 classes.* order ok, defect, unknown"),
        ([1, 5, 2, 2], "4 numbers for 3 classes"),
        ([1, -5, 2], "class 'defect' the weight -5: allowed are numbers above 0"),
        ([0, 0, 0], "class 'ok' the weight 0"),
        ([1, 2, float("nan")], "class 'unknown' the weight nan"),
    ],
)
def test_other_weights_are_refused_by_the_classs_name(given: list[float], words: str) -> None:
    with pytest.raises(UserError, match=r"loss\.weight=.*" + words):
        class_weights(given, IMAGES, NAMES)


def test_a_class_without_images_has_no_balanced_weight() -> None:
    with pytest.raises(UserError, match="class 'defect' has no training images"):
        class_weights("balanced", (5, 0, 5), NAMES)
