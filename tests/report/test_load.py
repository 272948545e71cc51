"""The table in a notebook, and a machine without torch."""

import os
import subprocess
import sys
import venv
from pathlib import Path

import pandas as pd
import pytest

import cnnsweep.report
from cnnsweep.errors import UserError
from cnnsweep.report.answer.analysis import answer
from cnnsweep.report.read.load_runs import gather, roots
from cnnsweep.report.stats.options import Question
from tests.report.made_runs import Job, make_grid, make_run
from tests.report.made_sweeps import make_sweep

_LACKING = ("torch", "functorch", "torchvision", "torchinfo", "hydra", "omegaconf")
_HEAVY = """
import sys
from cnnsweep.report.__main__ import main
try:
    main(["--help"])
except SystemExit:
    pass
print([n for n in ("numpy", "pandas", "scipy", "rich", "plotly", "jinja2") if n in sys.modules])
"""
_LOOK = """
import sys
from cnnsweep.report.__main__ import main
assert main(sys.argv[1:]) == 0
print([n for n in ("torch", "hydra", "plotly.graph_objs", "optuna", "pandas") if n in sys.modules])
"""


def _python(code: str, *words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code, *words]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


def test_one_row_a_run_and_a_column_for_each_key_that_differs(tmp_path: Path) -> None:
    folders = make_grid(tmp_path / "grid", ["simple", "resnet"], [0, 1])
    frame = cnnsweep.report.load(tmp_path / "grid")
    assert frame["folder"].tolist() == [str(folder) for folder in folders]
    assert frame["model"].tolist() == ["simple", "simple", "resnet", "resnet"]
    assert frame["seed"].tolist() == [0, 1, 0, 1]
    assert pd.api.types.is_float_dtype(frame["test_accuracy"])
    assert "optim.lr" not in frame  # the same in all
    assert "model._target_" not in frame  # says no more than model
    assert {"val_loss", "train_seconds", "device", "status", "commit"} <= {*frame.columns}


def test_a_key_that_some_runs_lack_differs(tmp_path: Path) -> None:
    make_run(tmp_path / "a", Job(changes={"optim.lr": 0.1}))
    make_run(tmp_path / "b", Job(changes={"optim.beta": 0.9}))
    frame = cnnsweep.report.load(str(tmp_path))
    assert frame["optim.lr"].tolist() == [0.1, 0.01]
    assert frame["optim.beta"].isna().tolist() == [True, False]


def test_what_could_not_be_read_is_told(mixed: Path) -> None:
    frame = cnnsweep.report.load(mixed / "outputs")
    assert len(frame) == 6
    (problem,) = frame.attrs["problems"]
    assert problem.startswith(str(mixed / "outputs" / "damaged" / "result.json"))


def test_no_runs_and_no_folder_are_refused(tmp_path: Path) -> None:
    (tmp_path / "outputs").mkdir()
    with pytest.raises(UserError, match="no run below"):
        cnnsweep.report.load(tmp_path)
    with pytest.raises(UserError, match=r"no such folder\. Did you mean .*outputs\?"):
        cnnsweep.report.load(tmp_path / "output")


def _environment_without_torch(folder: Path) -> Path:
    """The Python of a fresh virtual environment that has this one's packages but those lacking."""
    venv.create(folder, with_pip=False, symlinks=True)
    (site,) = folder.glob("lib/python*/site-packages")
    for package in Path(pd.__file__).parent.parent.iterdir():
        if not package.name.startswith((*_LACKING, "cnnsweep")) and package.suffix != ".pth":
            (site / package.name).symlink_to(package)
    (site / "cnnsweep").symlink_to(Path(cnnsweep.__file__).parent)
    return folder / "bin" / "python"


def test_everything_works_without_torch_and_hydra(tmp_path: Path) -> None:
    make_grid(tmp_path / "grid", ["simple", "resnet"], range(2), images=20)
    python = _environment_without_torch(tmp_path / "env")
    alone = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    lacking = subprocess.run([python, "-c", "import torch"], env=alone, capture_output=True)
    assert b"No module named 'torch'" in lacking.stderr
    words = (str(tmp_path / "grid"), "--out", str(tmp_path / "out"), "--format", "all")
    command = [str(python), "-m", "cnnsweep.report", *words]
    done = subprocess.run(command, cwd=tmp_path, env=alone, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"runs.csv", "summary.csv", "report.md", "report.tex", "index.html"} <= names
    assert len(list((tmp_path / "out" / "figures").glob("*.svg"))) > 5


def test_help_imports_nothing_heavy(tmp_path: Path) -> None:
    assert _python(_HEAVY, cwd=tmp_path).stdout.splitlines()[-1] == "[]"


def test_the_page_needs_neither_optuna_nor_plotlys_objects_here(
    mixed: Path, tmp_path: Path
) -> None:
    words = (str(mixed / "multirun"), "--out", str(tmp_path / "out"))
    done = _python(_LOOK, *words, cwd=tmp_path)
    assert done.stdout.splitlines()[-1] == "[]", done.stderr


def test_write_makes_the_report_beside_the_runs(tmp_path: Path) -> None:
    make_grid(tmp_path / "grid", ["simple"], [0, 1])
    page = cnnsweep.report.write(tmp_path / "grid")
    assert page == tmp_path / "grid" / "report" / "index.html"
    assert page.stat().st_size < 1_000_000  # of which there is one in every sweep's folder
    with pytest.raises(UserError, match="no run below"):
        cnnsweep.report.write(tmp_path / "grid" / "report")


def test_a_sweep_that_is_the_current_folder_goes_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_sweep(tmp_path / "mine", trials=4, confirm=3)
    monkeypatch.chdir(tmp_path / "mine")
    page = cnnsweep.report.write(Path())
    found = answer(gather(roots([Path()])), Question())
    assert page.is_file()
    assert found.winners[0].sentence().startswith("mine: trial ")
