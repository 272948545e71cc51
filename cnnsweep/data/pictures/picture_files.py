"""Which files below a folder are pictures, and what is left out for which reason."""

import os
from collections import Counter
from collections.abc import Collection
from pathlib import Path

from cnnsweep.errors import UserError

ENDINGS = frozenset(
    {
        ".apng", ".avif", ".bmp", ".dib", ".gif", ".j2k", ".jfif", ".jp2", ".jpe", ".jpeg", ".jpf",
        ".jpg", ".jpx", ".mpo", ".pbm", ".pcx", ".pgm", ".png", ".pnm", ".ppm", ".qoi", ".sgi",
        ".tga", ".tif", ".tiff", ".webp",
    }
)  # fmt: skip
# Names that systems, file managers and notebooks make; what begins with . or @ is theirs as well.
_SYSTEM = frozenset(
    {
        "__macosx", "$recycle.bin", "#recycle", "system volume information", "lost+found",
        "__pycache__", "thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "_thumbs", "__thumbs",
        "thumbnails", "_thumbnails",
    }
)  # fmt: skip
_THUMBNAILS = ("thumbs", "thumb", "thumbnail")  # inside a class only: a class may be called so
_HIDDEN = "hidden, of the system or thumbnails"
_SHOWN_ENDINGS = 5


class LeftOut:
    """What is left out below ``root``, by reason."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._by_reason: dict[str, set[Path]] = {}

    def add(self, reason: str, path: Path) -> None:
        """``reason`` says what they are: `links that lead nowhere`."""
        self._by_reason.setdefault(reason, set()).add(path)

    def line(self) -> str | None:
        """All of it in one line, with an example of each; None where nothing was left out."""
        if not self._by_reason:
            return None
        parts = [self._part(reason, paths) for reason, paths in self._by_reason.items()]
        return f"left out: {'; '.join(parts)}"

    def endings_in(self, folder: Path) -> str:
        """What the folder's other files are: `20 .heic`; "" where it has none."""
        return _counted_endings(
            [p for p in self._by_reason.get(_OTHER, ()) if p.is_relative_to(folder)]
        )

    def _part(self, reason: str, paths: Collection[Path]) -> str:
        example = min(paths).relative_to(self._root).as_posix()
        more = " …" if len(paths) > 1 else ""
        count = _counted_endings(paths) if reason == _OTHER else str(len(paths))
        return f"{reason}: {count} ({example}{more})"


_OTHER = "files that are not read as pictures"


def _counted_endings(paths: Collection[Path]) -> str:
    counts = Counter(path.suffix.lower() or "without an ending" for path in sorted(paths))
    shown = [f"{count} {ending}" for ending, count in counts.most_common(_SHOWN_ENDINGS)]
    return ", ".join([*shown, "…"] if len(counts) > _SHOWN_ENDINGS else shown)


def is_passed_over(name: str) -> bool:
    """Whether a file or folder is hidden or a system's, by its name."""
    return name.startswith((".", "@")) or name.casefold() in _SYSTEM


def folders_in(parent: Path, left_out: LeftOut | None = None) -> list[Path]:
    """The folders in ``parent`` that may be classes, links to folders included, by name.

    Raises UserError where ``parent`` cannot be listed.
    """
    found = []
    for entry in _entries(parent):
        if not _is_folder(entry):
            continue
        if not is_passed_over(entry.name):
            found.append(Path(entry.path))
        elif left_out is not None:
            left_out.add(_HIDDEN, Path(entry.path))
    return found


def loose_pictures(parent: Path) -> list[Path]:
    """The pictures that lie in ``parent`` itself."""
    return [Path(e.path) for e in _entries(parent) if _is_picture(e.name) and _is_file(e)]


def leave_out_loose(parent: Path, left_out: LeftOut) -> None:
    """Add the files that lie in ``parent`` itself, beside its folders, to ``left_out``."""
    for entry in _entries(parent):
        path = Path(entry.path)
        if _is_folder(entry):
            continue
        if is_passed_over(entry.name):
            left_out.add(_HIDDEN, path)
        elif _is_picture(entry.name):
            left_out.add("pictures in no class folder", path)
        else:
            left_out.add(_OTHER, path)


def pictures_below(folder: Path, left_out: LeftOut) -> list[Path]:
    """The picture files below ``folder``, by path. Links are followed, each folder is read once.

    Raises UserError where a folder cannot be listed.
    """
    found: list[Path] = []
    waiting, seen = [folder], {_identity(above) for above in folder.parents}
    while waiting:
        parent = waiting.pop()
        here = _identity(parent)
        if here in seen:
            left_out.add("links to folders above, or read already", parent)
            continue
        seen.add(here)
        for entry in _entries(parent):
            path = Path(entry.path)
            if is_passed_over(entry.name) or entry.name.casefold() in _THUMBNAILS:
                left_out.add(_HIDDEN, path)
            elif _is_folder(entry):
                waiting.insert(0 if entry.is_symlink() else len(waiting), path)  # links last
            elif entry.is_symlink() and not path.exists():
                left_out.add("links that lead nowhere", path)
            elif not _is_picture(entry.name):
                left_out.add(_OTHER, path)
            elif not _is_file(entry):
                left_out.add("no regular files", path)
            else:
                found.append(path)
    return sorted(found)


def _is_picture(name: str) -> bool:
    return Path(name).suffix.lower() in ENDINGS and not is_passed_over(name)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    # An entry itself raises for a circle of links, a path says no.
    return Path(entry.path).is_dir() if entry.is_symlink() else entry.is_dir()


def _is_file(entry: os.DirEntry[str]) -> bool:
    return Path(entry.path).is_file() if entry.is_symlink() else entry.is_file()


def _identity(folder: Path) -> tuple[int, int]:
    stat = folder.stat()
    return stat.st_dev, stat.st_ino


def _entries(parent: Path) -> list[os.DirEntry[str]]:
    """What is in a folder, by name; entries know what they are without a look at each file."""
    try:
        with os.scandir(parent) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        raise UserError(f"{parent} cannot be read: {error.strerror}") from error
