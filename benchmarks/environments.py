"""An environment for each peer: a venv that reuses this one's torch and adds the peer."""

import subprocess
import sys
import venv
from pathlib import Path

PACKAGES = {
    "hydra": ("hydra-joblib-launcher>=1.4.0rc3", "hydra-optuna-sweeper>=1.4.0rc3"),
    "lightning": (
        "lightning>=2.5",
        "hydra-joblib-launcher>=1.4.0rc3",
        "hydra-optuna-sweeper>=1.4.0rc3",
    ),
    "ray": ("ray[tune]>=2.40",),
}


def python_of(peer: str, folder: Path) -> Path:
    """The peer's interpreter, its environment made below ``folder`` where there is none yet.

    Packages of the launching environment are seen behind its own, so torch is not installed again
    and all contestants have the same one.

    Raises:
        subprocess.CalledProcessError: the package index cannot be reached, or refuses.
    """
    place = folder / peer
    python = place / "bin" / "python"
    complete = place / "complete"
    if complete.exists():
        return python
    venv.create(place, with_pip=True, clear=True)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    own = place / "lib" / version / "site-packages"
    launching = [path for path in sys.path if Path(path).name == "site-packages"]
    (own / "launching_environment.pth").write_text("\n".join(launching) + "\n")
    install = [str(python), "-m", "pip", "install", "--quiet", *PACKAGES[peer]]
    subprocess.run(install, check=True)
    complete.touch()
    return python
