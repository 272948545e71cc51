"""Stratified parts of labelled images: a validation split, and a smaller training set."""

from collections.abc import Sequence

import torch
from torch import Tensor

from cnnsweep.data.dataset import Dataset, Images
from cnnsweep.errors import UserError, and_more

_MOST_NAMES = 5


def split(
    images: Images, fraction: float, seed: int, classes: Sequence[str]
) -> tuple[Images, Images | None]:
    """Two disjoint parts, the second with about ``fraction`` of each class: (train, validation).

    The same seed gives the same parts. Each class keeps at least one image in either part. With a
    fraction of 0 everything is for training and there is no validation part. ``classes`` are the
    names of all classes.

    Raises:
        UserError: a fraction outside [0, 1), a class that has one image to divide, or none.
    """
    _refuse_empty(images, classes)
    if not 0 <= fraction < 1:
        raise UserError(f"data.val_fraction={fraction}: allowed is 0 up to, but not including, 1.")
    if fraction == 0:
        return images, None
    train, val = stratified_halves(images.labels, fraction, seed, classes)
    return images.take(train), images.take(val)


def train_and_val(
    data: Dataset, train_limit: int | None, val_fraction: float, seed: int
) -> tuple[Images, Images | None]:
    """The images of a run to train on, and to validate with.

    Where the data set brings its own validation images, those are all of them, whatever the
    fraction, but for 0: then there is no validation. Raises UserError as `limit` and `split` do.
    """
    train = limit(data.train, train_limit, data.classes)
    if data.val is None or val_fraction == 0:
        return split(train, val_fraction, seed, data.classes)
    return train, data.val


def limit(images: Images, count: int | None, classes: Sequence[str]) -> Images:
    """``count`` of the images, all of them where it is None.

    Each class in proportion, but one image or more of each. Which ones does not depend on the run's
    seed, so that seeds are compared on the same images. ``classes`` are the names of all classes.

    Raises:
        UserError: a count below the number of classes or above that of images; a class without.
    """
    _refuse_empty(images, classes)
    if count is None:
        return images
    if not len(classes) <= count <= len(images):
        raise UserError(
            f"data.train_limit={count}: allowed is {len(classes)}, one image of each class, to "
            f"{len(images)}, the number of training images, or null for all of them."
        )
    order, sizes = _shuffled_by_class(images.labels, seed=0)
    counts = _with_one_each(_shares(sizes, count))
    return images.take(_first_of_each(order, sizes, counts).sort().values)


def split_off_test(labels: Tensor) -> tuple[Tensor, Tensor]:
    """Indices to train on and, a fifth of each class, to test with, where no split is published.

    It must never change: the results of all seeds and versions are compared on it.
    """
    numbers = [str(number) for number in range(int(labels.max()) + 1)]
    return stratified_halves(labels, fraction=0.2, seed=20_260_101, classes=numbers)


def stratified_halves(
    labels: Tensor, fraction: float, seed: int, classes: Sequence[str]
) -> tuple[Tensor, Tensor]:
    """Indices (int64, ascending) of two disjoint parts; the second has ``fraction`` of each class.

    Each class that occurs has at least one index in either part. Raises UserError for a class that
    has one image, by its name in ``classes``.
    """
    order, sizes = _shuffled_by_class(labels, seed)
    for label in (sizes == 1).nonzero().flatten().tolist():
        raise UserError(
            f"class {classes[label]!r} has 1 image: a stratified split needs 2 or more of each. "
            "Add images, raise data.train_limit or set data.val_fraction=0."
        )
    wanted = _shares(sizes, round(fraction * len(labels)))
    # A class that does not occur has size 0 and stays at 0.
    second = torch.minimum(wanted.clamp(min=1), (sizes - 1).clamp(min=0))
    chosen = torch.zeros(len(labels), dtype=torch.bool, device=labels.device)
    chosen[_first_of_each(order, sizes, second)] = True
    return (~chosen).nonzero().flatten(), chosen.nonzero().flatten()


def _refuse_empty(images: Images, classes: Sequence[str]) -> None:
    counts = images.by_class(len(classes))
    empty = [name for name, count in zip(classes, counts, strict=True) if count == 0]
    if empty:
        kind = "class" if len(empty) == 1 else "classes"
        raise UserError(
            f"no training images of {kind} {and_more(map(repr, empty), _MOST_NAMES)}: what was "
            "never seen can't be learned. Add images, or leave it out of the data."
        )


def _shuffled_by_class(labels: Tensor, seed: int) -> tuple[Tensor, Tensor]:
    """All indices, grouped by class and shuffled within it, and the size of each class."""
    # On the CPU wherever the labels are: the same seed means the same images on every device.
    shuffled = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))
    labels = labels.cpu()
    return shuffled[labels[shuffled].argsort(stable=True)], labels.bincount()


def _first_of_each(order: Tensor, sizes: Tensor, counts: Tensor) -> Tensor:
    groups = torch.split(order, sizes.tolist())
    pairs = zip(groups, counts.tolist(), strict=True)
    return torch.cat([group[:count] for group, count in pairs])


def _with_one_each(shares: Tensor) -> Tensor:
    """Shares of the same sum, none of them 0: the largest ones give what the others lack."""
    shares = shares.clone()
    for label in (shares == 0).nonzero().flatten().tolist():
        shares[shares.argmax()] -= 1
        shares[label] = 1
    return shares


def _shares(sizes: Tensor, count: int) -> Tensor:
    """Whole numbers in proportion to ``sizes`` that add up to ``count`` (largest remainder)."""
    exact = sizes.double() * count / sizes.sum()
    shares = exact.floor().long()
    largest = (exact - shares).argsort(descending=True, stable=True)
    shares[largest[: count - int(shares.sum())]] += 1
    return shares
