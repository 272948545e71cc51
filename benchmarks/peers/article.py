"""The articles' training loop, as they have it: the one baseline of all benchmarks and peers.

A map-style data set that turns one image at a time into a normalised tensor, a DataLoader around
it, the default memory layout, ReLU before max-pooling, a plain SGD step, `loss.item()` each batch.
It needs torch and torchvision alone, so that every peer's environment can import it.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, Subset
from torchvision import datasets, transforms

MEAN, STD = 0.1307, 0.3081
CLASSES = 10


class Residual(nn.Module):
    """relu(x + conv3×3(relu(conv3×3(x))))."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x + self.conv2(torch.relu(self.conv1(x))))


class Inception(nn.Module):
    """Four branches, concatenated to 88 maps."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.one = nn.Conv2d(channels, 16, 1)
        self.five = nn.Sequential(nn.Conv2d(channels, 16, 1), nn.Conv2d(16, 24, 5, padding=2))
        self.three = nn.Sequential(
            nn.Conv2d(channels, 16, 1),
            nn.Conv2d(16, 24, 3, padding=1),
            nn.Conv2d(24, 24, 3, padding=1),
        )
        self.pool = nn.Sequential(nn.AvgPool2d(3, 1, 1), nn.Conv2d(channels, 24, 1))

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.one(x), self.five(x), self.three(x), self.pool(x)], dim=1)


class Dense(nn.Module):
    """A DenseNet-BC layer: its 16 new maps after those it got."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.new = nn.Sequential(
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            nn.Conv2d(channels, 32, 1, bias=False),
            nn.BatchNorm2d(32),
            nn.ReLU(),
            nn.Conv2d(32, 16, 3, padding=1, bias=False),
        )

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x, self.new(x)], dim=1)


def simple() -> nn.Module:
    return nn.Sequential(
        *(nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(3136, 128), nn.ReLU(), nn.Linear(128, CLASSES)),
    )


def lenet() -> nn.Module:
    return nn.Sequential(
        *(nn.Conv2d(1, 6, 5, padding=2), nn.Sigmoid(), nn.AvgPool2d(2)),
        *(nn.Conv2d(6, 16, 5), nn.Sigmoid(), nn.AvgPool2d(2), nn.Flatten()),
        *(nn.Linear(400, 120), nn.Sigmoid(), nn.Linear(120, 84), nn.Sigmoid()),
        nn.Linear(84, CLASSES),
    )


def inception() -> nn.Module:
    """Pooling before ReLU: this article has it so."""
    return nn.Sequential(
        *(nn.Conv2d(1, 10, 5), nn.MaxPool2d(2), nn.ReLU(), Inception(10)),
        *(nn.Conv2d(88, 20, 5), nn.MaxPool2d(2), nn.ReLU(), Inception(20)),
        *(nn.Flatten(), nn.Linear(1408, CLASSES)),
    )


def resnet() -> nn.Module:
    return nn.Sequential(
        *(nn.Conv2d(1, 16, 5), nn.ReLU(), nn.MaxPool2d(2), Residual(16)),
        *(nn.Conv2d(16, 32, 5), nn.ReLU(), nn.MaxPool2d(2), Residual(32)),
        *(nn.Flatten(), nn.Linear(512, CLASSES)),
    )


def densenet() -> nn.Module:
    """The sizes of conf/model/densenet.yaml, written by the book: a transition pools last."""

    def transition(channels: int) -> list[nn.Module]:
        conv = nn.Conv2d(channels, channels // 2, 1, bias=False)
        return [nn.BatchNorm2d(channels), nn.ReLU(), conv, nn.AvgPool2d(2)]

    stem = nn.Conv2d(1, 16, 5, padding=2, bias=False)
    return nn.Sequential(
        *(stem, nn.MaxPool2d(2), Dense(16), Dense(32), *transition(48)),
        *(Dense(24), Dense(40), *transition(56)),
        *(Dense(28), Dense(44), nn.BatchNorm2d(60), nn.ReLU()),
        *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(60, CLASSES)),
    )


NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "simple": simple,
    "lenet": lenet,
    "inception": inception,
    "resnet": resnet,
    "densenet": densenet,
}


def mnist(folder: Path, *, train: bool = True) -> Dataset[Any]:
    """torchvision's MNIST, transformed image by image: (1 × 28 × 28 float32, label)."""
    steps = transforms.Compose([transforms.ToTensor(), transforms.Normalize(MEAN, STD)])
    return datasets.MNIST(folder, train=train, transform=steps)


def loader(
    data: Dataset[Any], batch_size: int, *, shuffle: bool, workers: int = 0
) -> DataLoader[Any]:
    return DataLoader(
        data,
        batch_size=batch_size,
        shuffle=shuffle,
        num_workers=workers,
        persistent_workers=workers > 0,
    )


def train_epoch(
    model: nn.Module,
    batches: DataLoader[Any],
    optimizer: torch.optim.Optimizer,
    device: str = "cpu",
) -> float:
    """One epoch; the mean loss of its batches."""
    criterion = nn.CrossEntropyLoss()
    model.train()
    running = 0.0
    for images, labels in batches:
        images, labels = images.to(device), labels.to(device)
        optimizer.zero_grad()
        loss = criterion(model(images), labels)
        loss.backward()
        optimizer.step()
        running += loss.item()
    return running / len(batches)


@torch.no_grad()
def accuracy(model: nn.Module, batches: DataLoader[Any], device: str = "cpu") -> float:
    """Share of right answers."""
    model.eval()
    right = seen = 0
    for images, labels in batches:
        predicted = model(images.to(device)).argmax(dim=1).cpu()
        right += int((predicted == labels).sum())
        seen += len(labels)
    return right / seen


def search_data(folder: Path, train: Sequence[int], val: Sequence[int]) -> tuple[Any, Any]:
    """The two parts of MNIST's training images that every contestant of the search has."""
    everything = mnist(folder)
    return Subset(everything, list(train)), Subset(everything, list(val))
