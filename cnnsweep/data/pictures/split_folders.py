"""Which folders of a folder of images are splits, and which are classes."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cnnsweep.data.pictures.picture_files import LeftOut, folders_in, loose_pictures, pictures_below
from cnnsweep.errors import UserError

TRAIN, VAL, TEST = "train", "val", "test"
_WORDS = {
    "train": TRAIN, "training": TRAIN, "trn": TRAIN,
    "val": VAL, "valid": VAL, "validation": VAL, "validate": VAL, "dev": VAL,
    "test": TEST, "testing": TEST, "tst": TEST,
}  # fmt: skip
_FILLERS = r"(?:set|sets|data|dataset|split|image|images|img|imgs|picture|pictures|photos|\d+)"
_SPLIT = re.compile(rf"{_FILLERS}?({'|'.join(sorted(_WORDS, key=len, reverse=True))}){_FILLERS}?")
_LAYOUT = (
    "Allowed is a folder for each class, or train, val and test with a folder for each class in "
    "each of them"
)


@dataclass(frozen=True)
class Parts:
    """The folders whose folders are the classes; ``train`` is the root itself without splits.

    ``val`` and ``test`` are None where there is no such folder. ``notes`` are lines for a person.
    """

    train: Path
    val: Path | None
    test: Path | None
    notes: tuple[str, ...] = ()


def split_of(name: str) -> str | None:
    """Which split a folder's name means, in any usual spelling: `Train`, `valid`, `test_set`."""
    found = _SPLIT.fullmatch(re.sub(r"[\W_]+", "", name.casefold()))
    return _WORDS[found[1]] if found is not None else None


def find_parts(root: Path, left_out: LeftOut) -> Parts:
    """The splits of ``root``; what lies beside them is added to ``left_out``.

    Raises UserError, naming the folders and what is allowed, for a layout that could be read in two
    ways or in none.
    """
    folders = folders_in(root, left_out) if root.is_dir() else []
    _refuse_nested(root, folders)
    named: dict[str, list[Path]] = {}
    for folder in folders:
        if (split := split_of(folder.name)) is not None:
            named.setdefault(split, []).append(folder)
    others = [folder for folder in folders if split_of(folder.name) is None]
    if not named:
        _refuse_split_like(root, folders)
        return Parts(root, None, None, _parallel_note(folders))
    if not others or (TRAIN in named and any(map(folders_in, named[TRAIN]))):
        return _split_layout(root, named, others, left_out)
    return _named_like_splits(root, [f for fs in named.values() for f in fs], others)


def _split_layout(
    root: Path, named: dict[str, list[Path]], others: list[Path], left_out: LeftOut
) -> Parts:
    for split, folders in named.items():
        if len(folders) > 1:
            raise UserError(f"{root} holds {_names(folders)}, which all mean {split}: keep one")
    parts = {split: named[split][0] for split in (TRAIN, VAL, TEST) if split in named}
    if TRAIN not in parts:
        raise UserError(f"{root} holds {_names(parts.values())}, but no train folder. {_LAYOUT}.")
    for split, folder in parts.items():
        if not folders_in(folder):
            raise UserError(
                f"{folder} holds no class folders, so that nothing says the classes of its "
                f"pictures. {_LAYOUT}; a {split} folder without classes must be moved elsewhere."
            )
    for folder in others:
        pictures = pictures_below(folder, LeftOut(root))
        if pictures and len(parts) == 1:
            raise UserError(
                f"{root} holds {parts[TRAIN].name} with class folders, and beside it {folder.name} "
                f"with pictures: is {parts[TRAIN].name} a split or a class? Rename it, or move "
                f"{folder.name} elsewhere."
            )
        for picture in pictures:
            left_out.add("pictures beside the splits", picture)
    return Parts(parts[TRAIN], parts.get(VAL), parts.get(TEST))


def _named_like_splits(root: Path, named: list[Path], others: list[Path]) -> Parts:
    """Classes among which some are named as splits are: said, unless they hold the classes."""
    names = {folder.name for folder in others}
    deeper = {inner.name: folder for folder in others for inner in folders_in(folder)}
    for folder in named:
        held = {inner.name for inner in folders_in(folder)}
        if alike := sorted(held & set(deeper)):
            raise UserError(
                f"{root} holds {folder.name} and {deeper[alike[0]].name}, with {alike[0]} in both: "
                "if they are splits, rename them to train, val, test"
            )
        if shared := names & held:
            raise UserError(
                f"{root} holds {min(shared)}, and {folder.name} holds {min(shared)} too. "
                f"{_LAYOUT}: put {_names(others)} into a folder train."
            )
    notes = (f"{folder.name} is named as a split is, and counts as a class" for folder in named)
    return Parts(root, None, None, tuple(notes))


def _refuse_nested(root: Path, folders: list[Path]) -> None:
    """Splits, or all classes, that lie deeper than data.root says; splits of each class."""
    if len(folders) == 1 and split_of(folders[0].name) is None:
        deepest = _only_way_down(folders[0])
        if len(folders_in(deepest)) > 1 or _holds_splits(deepest):
            held = _names(folders_in(deepest))
            raise UserError(f"{root} holds one folder; {deepest} holds {held}: set data.root to it")
    divided = [f for f in folders if split_of(f.name) is None and _holds_splits(f)]
    if divided and len(divided) == len(folders):
        raise UserError(
            f"each folder of {root} is divided by itself ({divided[0].name} holds "
            f"{_names(folders_in(divided[0]))}). {_LAYOUT}."
        )
    if divided:
        held = _names(folders_in(divided[0]))
        raise UserError(f"{divided[0]} holds {held}: set data.root to it")


def _only_way_down(folder: Path) -> Path:
    """The first folder from ``folder`` down that holds more than one folder, splits or pictures."""
    while len(inner := folders_in(folder)) == 1 and not loose_pictures(folder):
        if split_of(inner[0].name) is not None or not folders_in(inner[0]):
            break
        folder = inner[0]
    return folder


def _holds_splits(folder: Path) -> bool:
    inner = {split_of(path.name): path for path in folders_in(folder)}
    return TRAIN in inner and (VAL in inner or TEST in inner or bool(folders_in(inner[TRAIN])))


def _refuse_split_like(root: Path, folders: list[Path]) -> None:
    """`seg_train` and `seg_test` with folders in them: splits by all appearances, not by rule."""
    words = {
        folder: {_WORDS[w] for w in re.split(r"[\W_\d]+", folder.name.casefold()) if w in _WORDS}
        for folder in folders
        if folders_in(folder) and not loose_pictures(folder)
    }
    alike = [folder for folder, found in words.items() if found]
    meant = set().union(*words.values()) if words else set()
    if TRAIN in meant and len(meant) > 1:
        raise UserError(
            f"{root} holds {_names(alike)}: if these are splits, rename them to "
            f"{', '.join(split for split in (TRAIN, VAL, TEST) if split in meant)}"
        )


def _parallel_note(folders: list[Path]) -> tuple[str, ...]:
    """Classes that hold the same folders may be no classes: years above the classes, say."""
    inner = [{path.name for path in folders_in(folder)} for folder in folders]
    if len(inner) < 2 or any(map(loose_pictures, folders)):
        return ()
    shared = sorted(set.intersection(*inner))
    if len(shared) < 2:
        return ()
    return (
        f"each of {_names(folders)} holds the folders {', '.join(shared[:5])}: if those are the "
        "classes, they must lie directly in data.root",
    )


def _names(folders: Iterable[Path]) -> str:
    names = [folder.name for folder in folders]
    return ", ".join([*names[:5], "…"] if len(names) > 5 else names)
