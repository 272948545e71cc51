import pytest
import torch
from torch import Tensor, nn

from cnnsweep.data.batches import Batches
from cnnsweep.data.dataset import Images
from cnnsweep.training.device import autocast
from cnnsweep.training.epoch import run_epoch


def batches(images: int, batch_size: int) -> Batches:
    torch.manual_seed(0)
    pixels = torch.randint(0, 256, (images, 1, 4, 4), dtype=torch.uint8)
    return Batches(
        Images(pixels, torch.arange(images) % 3),
        batch_size=batch_size,
        mean=0.5,
        std=0.5,
        shuffle=False,
        layout="contiguous",
        augment=None,
    )


def test_the_figures_are_means_over_images_whatever_the_batches() -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(16, 3))
    cast = autocast(torch.device("cpu"), "float32")
    logits: list[Tensor] = []
    whole = run_epoch(model, batches(10, 10), nn.CrossEntropyLoss(), cast, keep_logits=logits)
    uneven = run_epoch(model, batches(10, 4), nn.CrossEntropyLoss(), cast)
    labels = torch.arange(10) % 3
    assert whole.images == uneven.images == 10
    torch.testing.assert_close(uneven.loss, whole.loss)
    assert uneven.accuracy == whole.accuracy
    assert whole.accuracy == (logits[0].argmax(dim=1) == labels).double().mean().item()
    assert all(parameter.grad is None for parameter in model.parameters())


def test_a_batch_tells_its_running_sums() -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(16, 3))
    told: list[tuple[int, float, int]] = []
    figures = run_epoch(
        model,
        batches(10, 4),
        nn.CrossEntropyLoss(),
        autocast(torch.device("cpu"), "bfloat16"),
        on_batch=lambda done, loss, right: told.append((done, loss.item(), int(right))),
    )
    assert [done for done, _, _ in told] == [4, 8, 10]
    torch.testing.assert_close(told[-1][1] / 10, figures.loss)
    assert told[-1][2] / 10 == figures.accuracy


@pytest.mark.parametrize("batch_size", [1, 7, 40])
def test_the_right_images_are_counted_by_class(batch_size: int) -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(16, 5))  # classes 3 and 4 do not occur
    cast = autocast(torch.device("cpu"), "float32")
    logits: list[Tensor] = []
    found = run_epoch(
        model, batches(40, batch_size), nn.CrossEntropyLoss(), cast, keep_logits=logits
    )
    labels, said = torch.arange(40) % 3, torch.cat(logits).argmax(dim=1)
    assert found.images_by_class == [14, 13, 13, 0, 0]
    assert found.right == [int(((labels == k) & (said == k)).sum()) for k in range(5)]
    recalls = [(said[labels == k] == k).double().mean().item() for k in range(3)]
    assert found.balanced_accuracy == pytest.approx(sum(recalls) / 3)
    assert sum(found.right) / 40 == found.accuracy
