"""Downloads through torchvision, and the line that says what to do when files are missing."""

from collections.abc import Callable
from contextlib import redirect_stdout
from http.client import HTTPException
from io import StringIO
from pathlib import Path
from zipfile import BadZipFile

from cnnsweep.errors import UserError


def missing(name: str, what: str, root: Path) -> UserError:
    """An error for files that are not below ``root``; ``what`` names them."""
    return UserError(
        f"data={name}: {what} not found below data.root={root}. Set data.root to the folder that "
        "holds the files, or data.download=true to download them, or data=digits, "
        "which needs no files."
    )


def download(name: str, root: Path, fetch: Callable[[], object]) -> None:
    """Runs ``fetch``, torchvision's download into ``root``.

    Raises UserError where the network, the server or the disk does not let it.
    """
    try:
        # torchvision prints what it tries; its progress bar is on standard error.
        with redirect_stdout(StringIO()):
            fetch()
    except (OSError, RuntimeError, HTTPException, EOFError, BadZipFile) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UserError(
            f"data={name}: downloading to data.root={root} failed ({reason}). Without a network, "
            "set data.root to a folder that holds the files, or data=digits, which needs none."
        ) from error
