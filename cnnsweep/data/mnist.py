"""MNIST and its successors: grey 28 × 28 images in IDX files, with a published test split."""

import string
from dataclasses import dataclass
from pathlib import Path

from cnnsweep.data import idx
from cnnsweep.data.dataset import Contents, Dataset, Images
from cnnsweep.data.fingerprint import digests_of
from cnnsweep.data.pictures import idx_names
from cnnsweep.data.pictures.places import as_folder, missing
from cnnsweep.data.source_files import decoded_once
from cnnsweep.data.source_files import download as fetch
from cnnsweep.errors import UserError, unknown
from cnnsweep.torchvision_import import torchvision

DIGITS = tuple(string.digits)
FASHION = (
    "T-shirt/top", "trouser", "pullover", "dress", "coat",
    "sandal", "shirt", "sneaker", "bag", "ankle boot",
)  # fmt: skip
KUZUSHIJI = ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo")
# Small letters that look like their capitals are merged with them: 47 classes are left.
MERGED = (*string.digits, *string.ascii_uppercase, *"abdefghnqrt")
EMNIST_SPLITS = {
    "balanced": MERGED,
    "bymerge": MERGED,
    "byclass": (*string.digits, *string.ascii_uppercase, *string.ascii_lowercase),
    "letters": tuple(string.ascii_lowercase),
    "digits": DIGITS,
    "mnist": DIGITS,
}


def mnist(*, root: str | Path, download: bool) -> Dataset:
    """Handwritten digits, 60,000 to train on and 10,000 to test (LeCun et al. 1998)."""
    return _load(_Family("mnist", "MNIST", DIGITS), root, download)


def fashion_mnist(*, root: str | Path, download: bool) -> Dataset:
    """Pictures of clothes, 60,000 to train on and 10,000 to test (Xiao et al. 2017)."""
    return _load(_Family("fashion_mnist", "FashionMNIST", FASHION), root, download)


def kmnist(*, root: str | Path, download: bool) -> Dataset:
    """Cursive Japanese characters, 60,000 to train on and 10,000 to test (Clanuwat et al. 2018)."""
    return _load(_Family("kmnist", "KMNIST", KUZUSHIJI), root, download)


def emnist(*, root: str | Path, download: bool, split: str) -> Dataset:
    """Handwritten digits and letters (Cohen et al. 2017), turned upright: the files hold them
    transposed. ``split`` names one of the six published selections.
    """
    if split not in EMNIST_SPLITS:
        raise unknown("data.split", split, EMNIST_SPLITS)
    return _load(_Family("emnist", "EMNIST", EMNIST_SPLITS[split], split), root, download)


@dataclass(frozen=True)
class _Family:
    name: str
    folder: str  # torchvision's class and the folder it makes
    classes: tuple[str, ...]
    split: str | None = None  # EMNIST's

    @property
    def first_label(self) -> int:
        return 1 if self.split == "letters" else 0  # its files count letters from 1


def _load(family: _Family, root: str | Path, download: bool) -> Dataset:
    root = as_folder(root)
    wanted = idx_names.names(family.split)
    if download and any(idx_names.find(root, family.folder, name) is None for name in wanted):
        options = {} if family.split is None else {"split": family.split}
        reader = getattr(torchvision().datasets, family.folder)
        fetch(family.name, root, lambda: reader(root, download=True, **options))
    files = tuple(_existing(root, family, name) for name in wanted)
    return decoded_once((family.name, family.split), files, lambda: _decode(family, files))


def _decode(family: _Family, files: tuple[Path, ...]) -> Dataset:
    train_images, train_labels, test_images, test_labels = files
    train = _read(family, train_images, train_labels)
    # Nothing is kept of them: damaged test files, or those of others, are found before training.
    test = idx.read(test_images, test_labels, len(family.classes), family.first_label)
    if test.stored.shape[1:].numel() != train.stored.shape[1:].numel():
        raise UserError(
            f"{test_images} holds images of {_size(test)}, but {train_images} of {_size(train)}: "
            "one of the two files is not the right one."
        )
    return Dataset(
        name=family.name,
        classes=family.classes,
        train=train,
        test=lambda: _read(family, test_images, test_labels),
        contents=Contents(
            digests_of(dict(zip(idx_names.names(family.split), files, strict=True))),
            test=idx.count(test_images),
        ),
    )


def _read(family: _Family, images_file: Path, labels_file: Path) -> Images:
    images = idx.read(images_file, labels_file, len(family.classes), family.first_label)
    if family.split is None:
        return images
    return Images(images.pixels.transpose(2, 3).contiguous(), images.labels)


def _size(images: Images) -> str:
    return "×".join(map(str, images.stored.shape[2:]))


def _existing(root: Path, family: _Family, name: str) -> Path:
    file = idx_names.find(root, family.folder, name)
    if file is None:
        raise missing(family.name, name, root)
    return file
