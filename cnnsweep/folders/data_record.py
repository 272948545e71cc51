"""What a folder records of its data, and in what other data differ from them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from cnnsweep.errors import and_more, printable

Fingerprint = Mapping[str, Any]  # as cnnsweep.data.fingerprint makes it
Files = Mapping[str, str]  # a hash of each file, by its name in the data set
_NAMED = 3  # files or classes of a kind that a line spells out
_PARTS = {"train": "to train on", "val": "to validate on", "test": "to test with"}


def same_data(before: Fingerprint, now: Fingerprint) -> bool:
    """Whether two fingerprints are those of the same data, as far as either of them knows."""
    tests = before.get("test_hash"), now.get("test_hash")
    return before["hash"] == now["hash"] and (None in tests or tests[0] == tests[1])


def differences(
    before: Fingerprint, now: Fingerprint, files_before: Files, files_now: Files
) -> list[str]:
    """In words what makes ``now`` other data than ``before``; [] where they are the same.

    Files are named where both lists are known; where nothing else can be said: other bytes.
    """
    if same_data(before, now):
        return []
    said = _classes(before["classes"], now["classes"])
    for part, purpose in _PARTS.items():
        was, are = before.get(part), now.get(part)
        if was is not None and are is not None and was != are:
            count, word = abs(are - was), "more" if are > was else "fewer"
            images = "image" if count == 1 else "images"
            said.append(f"{count} {images} {word} {purpose} ({was} → {are})")
    if before["shape"] != now["shape"]:
        said.append(f"images of {_shape(before)} → {_shape(now)}")
    if files_before and files_now:
        said += _files(files_before, files_now)
    return [printable(line) for line in said] or ["other bytes"]


def _classes(before: Sequence[str], now: Sequence[str]) -> list[str]:
    added = [name for name in now if name not in before]
    removed = [name for name in before if name not in now]
    said = [f"classes added: {_listed(added)}"] if added else []
    said += [f"classes removed: {_listed(removed)}"] if removed else []
    if not said and list(before) != list(now):
        said.append(f"classes in another order: {_listed(before)} → {_listed(now)}")
    return said


def _files(before: Files, now: Files) -> list[str]:
    """A file that keeps its contents under another name counts as renamed."""
    gone = [name for name in before if name not in now]
    come = [name for name in now if name not in before]
    moved = Counter(before[name] for name in gone) & Counter(now[name] for name in come)
    changed = [name for name in before if name in now and before[name] != now[name]]
    renamed, removed = _parted(gone, before, moved)
    kinds = {
        "changed": changed,
        "renamed": renamed,
        "removed": removed,
        "added": _parted(come, now, moved)[1],
    }
    return [f"files {kind}: {_listed(names)}" for kind, names in kinds.items() if names]


def _parted(names: Sequence[str], files: Files, moved: Counter[str]) -> tuple[list[str], list[str]]:
    """Those of the names whose contents are among ``moved``, each as often as it is, and others."""
    inside: list[str] = []
    outside: list[str] = []
    left = moved.copy()
    for name in names:
        (inside if left[files[name]] > 0 else outside).append(name)
        left[files[name]] -= 1
    return inside, outside


def _listed(names: Sequence[str]) -> str:
    return and_more(names, _NAMED)


def _shape(fingerprint: Fingerprint) -> str:
    return " × ".join(map(str, fingerprint["shape"]))


def validation_images(
    train: object, val: object, train_limit: object, val_fraction: object
) -> int | None:
    """How many images a validation split has; None where the records do not tell.

    Args:
        train: training images of the data set, as result.json has them in ``data``.
        val: likewise, of a split that the data bring, which is used whatever the fraction above 0.
        train_limit: ``data.train_limit`` of the config.
        val_fraction: ``data.val_fraction`` of the config.
    """
    if val_fraction == 0:
        return None  # then those that the data bring are not used either
    if isinstance(val, int):
        return val
    images = train if train_limit is None else train_limit
    if not isinstance(images, int) or not isinstance(val_fraction, int | float):
        return None
    return (round(val_fraction * images) or None) if 0 < val_fraction < 1 else None
