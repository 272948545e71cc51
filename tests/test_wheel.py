import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.command import REPOSITORY, TINY, environment, succeeded

PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [*PIP, "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(REPOSITORY)]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    if built.returncode:
        pytest.skip(f"no wheel can be built here: {built.stderr.splitlines()[-1]}")
    return next(folder.glob("*.whl"))


def test_a_wheel_carries_the_whole_config_tree(wheel: Path) -> None:
    carried = {name for name in zipfile.ZipFile(wheel).namelist() if name.endswith(".yaml")}
    conf = REPOSITORY / "conf"
    assert carried == {
        f"cnnsweep/conf/{path.relative_to(conf).as_posix()}" for path in conf.rglob("*.yaml")
    }


def test_a_wheel_says_that_it_is_typed(wheel: Path) -> None:
    assert "cnnsweep/py.typed" in zipfile.ZipFile(wheel).namelist()


def test_a_wheel_installed_elsewhere_runs(wheel: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    subprocess.run([*PIP, "install", "-q", "--no-deps", "--target", site, wheel], check=True)
    environ = environment(PYTHONPATH=str(site))
    where = subprocess.run(
        [sys.executable, "-c", "from cnnsweep.config import CONF_DIR; print(CONF_DIR)"],
        cwd=tmp_path,
        env=environ,
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(where.stdout.strip()) == site / "cnnsweep" / "conf"
    command = [sys.executable, "-m", "cnnsweep", *TINY, "hydra.run.dir=run"]
    done = subprocess.run(
        command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False
    )
    succeeded(done)
    assert (tmp_path / "run" / "result.json").is_file()
    _searches_with_another_app(tmp_path, environ)


def _searches_with_another_app(folder: Path, environ: dict[str, str]) -> None:
    """Our sweeper is found by its name, though nothing of ours is on the app's search path."""
    app = shutil.copytree(REPOSITORY / "docs" / "other_apps" / "plain_pytorch", folder / "app")
    words = ["--multirun", "hydra.sweep.dir=s", "hydra.sweeper.n_trials=2", "epochs=2"]
    done = subprocess.run(
        [sys.executable, str(app / "train.py"), *words],
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    succeeded(done)
    assert (folder / "s" / "1" / "metrics.csv").is_file()
    assert (folder / "s" / "report" / "index.html").is_file()
