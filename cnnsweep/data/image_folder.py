"""A user's own images: each class is a folder."""

import unicodedata
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import torch

from cnnsweep.data import decode_pictures
from cnnsweep.data.dataset import Contents, Dataset, Images
from cnnsweep.data.decode_pictures import Labelled, Unread
from cnnsweep.data.fingerprint import digests_of
from cnnsweep.data.pictures.picture_files import (
    ENDINGS,
    LeftOut,
    folders_in,
    leave_out_loose,
    pictures_below,
)
from cnnsweep.data.pictures.places import as_folder, no_classes
from cnnsweep.data.pictures.prepare import MODES
from cnnsweep.data.pictures.split_folders import TEST, TRAIN, VAL, find_parts
from cnnsweep.data.source_files import decoded_once
from cnnsweep.data.split import split_off_test
from cnnsweep.errors import UserError

_NAMED_CLASSES = 10  # of more the first few are named, and the range of their sizes


def image_folder(*, root: str | Path, image_size: int, channels: int) -> Dataset:
    """The images below ``root``, whose folders are the classes, cut and scaled to a square.

    With ``root/train`` and ``root/test`` those are the two splits, else a fixed fifth of each class
    is kept for testing; ``root/val`` is the validation split. ``image_size``: pixels a side; longer
    sides are cut evenly at both ends. ``channels``: 1 for grey, 3 for colour.

    Every file is opened, those of the test split too, of which nothing is kept. Raises UserError
    naming what cannot be used: fewer than two classes, a class without images (or with one, where
    it must be divided), folders that may be splits or classes, unreadable files.
    """
    if channels not in MODES:
        raise UserError(f"data.channels={channels}: allowed are 1 (grey) and 3 (colour).")
    if not isinstance(image_size, int) or image_size < 1:
        raise UserError(f"data.image_size={image_size}: allowed is 1 or more pixels.")
    root = as_folder(root)
    classes, splits, notes = _listed(root)
    return decoded_once(
        ("image_folder", root, image_size, channels, classes, *splits.items(), notes),
        (file for files in splits.values() for file, _ in files),
        lambda: _decode(root, classes, splits, notes, channels, image_size),
    )


def sketched(
    *, root: str | Path, image_size: int, channels: int, most: int
) -> tuple[Dataset, float]:
    """A data set of the same sizes for trying how long things take, and which share was decoded.

    Of the training pictures ``most`` are decoded; they stand for all others, of the test pictures
    none is. Raises UserError as :func:`image_folder`, but for files that are not opened.
    """
    root = as_folder(root)
    classes, splits, notes = _listed(root)
    some = splits[TRAIN][:: -(-len(splits[TRAIN]) // most)]
    unread = Unread()
    pixels, _ = decode_pictures.decode(root, TRAIN, some, channels, image_size, unread)
    unread.refuse()

    def of(split: str) -> Images:
        labels = torch.tensor([label for _, label in splits[split]])
        return Images(pixels.stored, labels, torch.arange(len(labels)) % len(some))

    val = of(VAL) if VAL in splits else None
    known = Contents({}, test=len(splits[TEST]))
    whole = Dataset(
        root.name, classes, of(TRAIN), lambda: of(TEST), val, notes=notes, contents=known
    )
    return whole, len(some) / sum(map(len, splits.values()))


def _decode(
    root: Path,
    classes: tuple[str, ...],
    splits: dict[str, Labelled],
    notes: tuple[str, ...],
    channels: int,
    size: int,
) -> Dataset:
    unread = Unread()
    train, train_notes = decode_pictures.decode(root, TRAIN, splits[TRAIN], channels, size, unread)
    val, val_notes = None, list[str]()
    if VAL in splits:
        val, val_notes = decode_pictures.decode(root, VAL, splits[VAL], channels, size, unread)
    test_notes = decode_pictures.check(root, TEST, splits[TEST], channels, size, unread)
    unread.refuse()

    def test() -> Images:
        unread = Unread()
        images, _ = decode_pictures.decode(root, TEST, splits[TEST], channels, size, unread)
        unread.refuse()
        return images

    names = {
        split: tuple(file.relative_to(root).as_posix() for file, _ in files)
        for split, files in splits.items()
    }
    digests = digests_of(
        {
            name: file
            for split, files in splits.items()
            for name, (file, _) in zip(names[split], files, strict=True)
        }
    )
    repeated = decode_pictures.repeated(names, digests)
    return Dataset(
        name=root.name,
        classes=classes,
        train=train,
        test=test,
        val=val,
        train_files=names[TRAIN],
        val_files=names.get(VAL, ()),
        test_files=names[TEST],
        notes=(*notes, *train_notes, *val_notes, *test_notes, *repeated),
        contents=Contents(digests, test=len(splits[TEST])),
    )


def _listed(root: Path) -> tuple[tuple[str, ...], dict[str, Labelled], tuple[str, ...]]:
    """Names of the classes, the files of each split with their labels, and lines for a person."""
    left_out = LeftOut(root)
    parts = find_parts(root, left_out)
    classes = _classes(parts.train, left_out)
    notes = [*parts.notes, *_alike(classes)]
    train = _labelled(parts.train, classes, left_out)
    trained = {label for _, label in train}
    for label, name in enumerate(classes):
        if label not in trained:
            raise _empty(parts.train / name, left_out)
    splits = {}
    if parts.test is None:
        train, splits[TEST] = _divided(parts.train, classes, train)
    for split, folder in ((VAL, parts.val), (TEST, parts.test)):
        if folder is None:
            continue
        _refuse_strangers(folder, parts.train, classes, left_out)
        splits[split] = _labelled(folder, classes, left_out)
        if not splits[split]:
            raise _empty(folder, left_out)
        present = {label for _, label in splits[split]}
        absent = [name for label, name in enumerate(classes) if label not in present]
        if absent:
            notes.append(f"{folder.name} holds no pictures of {', '.join(absent)}")
    for parent in {root, parts.train, parts.val or root, parts.test or root}:
        leave_out_loose(parent, left_out)
    splits = {TRAIN: train, **{name: splits[name] for name in (VAL, TEST) if name in splits}}
    line = left_out.line()
    return classes, splits, (_counted(classes, splits), *notes, *([line] if line else []))


def _counted(classes: Sequence[str], splits: dict[str, Labelled]) -> str:
    """`2 classes (cat, dog): 48 to train, 12 to test; of each class 24 to train, 6 to test`."""
    words = {TRAIN: "to train", VAL: "to validate", TEST: "to test"}
    named = len(classes) <= _NAMED_CLASSES
    shown = ", ".join(classes if named else [*classes[:3], "…", classes[-1]])
    totals = ", ".join(f"{len(files):,} {words[split]}" for split, files in splits.items())
    found = {split: Counter(label for _, label in files) for split, files in splits.items()}
    sizes = {split: [found[split][n] for n in range(len(classes))] for split in splits}
    if named and any(len(set(counts)) > 1 for counts in sizes.values()):
        each = ", ".join(
            f"{name} {' + '.join(str(counts[n]) for counts in sizes.values())}"
            for n, name in enumerate(classes)
        )
    else:
        ranges = {s: sorted({min(counts), max(counts)}) for s, counts in sizes.items()}
        each = "of each class " + ", ".join(
            f"{' to '.join(map(str, ends))} {words[split]}" for split, ends in ranges.items()
        )
    return f"{len(classes)} classes ({shown}): {totals}; {each}"


def _divided(parent: Path, classes: Sequence[str], files: Labelled) -> tuple[Labelled, Labelled]:
    """A fixed fifth of each class is kept for testing."""
    labels = torch.tensor([label for _, label in files])
    for label in (labels.bincount() == 1).nonzero().flatten().tolist():
        raise UserError(
            f"{parent / classes[label]} holds 1 image: a class needs 2 or more, "
            "one to train on and one to test with."
        )
    train, test = split_off_test(labels)
    return tuple(files[i] for i in train.tolist()), tuple(files[i] for i in test.tolist())


def _classes(parent: Path, left_out: LeftOut) -> tuple[str, ...]:
    folders = folders_in(parent, left_out) if parent.is_dir() else []
    if len(folders) < 2:
        found = f"one ({folders[0].name})" if folders else "none"
        raise no_classes(parent, found)
    return tuple(folder.name for folder in folders)


def _refuse_strangers(folder: Path, train: Path, classes: Sequence[str], left_out: LeftOut) -> None:
    strange = [path.name for path in folders_in(folder, left_out) if path.name not in classes]
    if strange:
        near = {_folded(name): name for name in classes}
        hints = [f" ({near[_folded(n)]} there)" if _folded(n) in near else "" for n in strange]
        raise UserError(
            f"{folder} has folders that {train} lacks: "
            f"{', '.join(name + hint for name, hint in zip(strange, hints, strict=True))}. "
            "Each is a class, and must be trained too."
        )


def _alike(classes: Sequence[str]) -> list[str]:
    first: dict[str, str] = {}
    pairs = [(first.setdefault(_folded(name), name), name) for name in classes]
    return [
        f"{one} and {other} differ in upper and lower case only, and count as two classes"
        for one, other in pairs
        if one != other
    ]


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _labelled(parent: Path, classes: Sequence[str], left_out: LeftOut) -> Labelled:
    """Every image file below the folders of the classes, with its class's number, by name."""
    return tuple(
        (file, label)
        for label, name in enumerate(classes)
        if (parent / name).is_dir()
        for file in pictures_below(parent / name, left_out)
    )


def _empty(folder: Path, left_out: LeftOut) -> UserError:
    held = left_out.endings_in(folder)
    return UserError(
        f"{folder} holds no images{f', but {held}' if held else ''}. Allowed are files that end in "
        f"{', '.join(sorted(ENDINGS))}."
    )
