"""``data.root``: the folder a person typed, as a path."""

from pathlib import Path

from cnnsweep.bad_input import BadInput


def as_folder(root: str | Path) -> Path:
    """``root`` as an absolute path, ~ and links resolved; it need not exist.

    Raises BadInput where it is no path (``data.root=null``).
    """
    if not isinstance(root, str | Path) or not str(root):
        raise BadInput(f"data.root={root}: allowed is the path of a folder.")
    return Path(root).expanduser().resolve()
