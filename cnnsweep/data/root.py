"""``data.root``: the folder a person typed, as a path."""

from pathlib import Path

from cnnsweep.errors import UserError


def as_folder(root: str | Path) -> Path:
    """``root`` as an absolute path, ~ and links resolved; it need not exist.

    Raises UserError where it is no path (``data.root=null``).
    """
    if not isinstance(root, str | Path) or not str(root):
        raise UserError(f"data.root={root}: allowed is the path of a folder.")
    return Path(root).expanduser().resolve()
