"""The images behind the numbers, only from where the user says."""

from pathlib import Path

import numpy as np
import pytest

import cnnsweep.report
from cnnsweep.report.__main__ import main
from cnnsweep.report.read.predictions import PredictionFiles, addresses
from cnnsweep.report.read.run_record import Run
from tests.command import REAL_DATA, needs_real_data
from tests.report.made_runs import Job, make_grid, make_run


def _make_idx(root: Path, count: int) -> None:
    folder = root / "MNIST" / "raw"
    folder.mkdir(parents=True)
    header = np.array([0x803, count, 28, 28], dtype=">u4").tobytes()
    (folder / "t10k-images-idx3-ubyte").write_bytes(header + bytes(count * 784))


def test_images_are_shown_for_the_data_sets_whose_files_are_there(tmp_path: Path) -> None:
    _make_idx(tmp_path, 5)
    assert set(addresses(tmp_path, "mnist", [0, 4, 5, -1])) == {0, 4}
    assert addresses(tmp_path, "fashion_mnist", [0]) == {}
    assert addresses(tmp_path, "digits", [0]) == {}
    assert addresses(None, "mnist", [0]) == {}


@pytest.mark.parametrize("content", [b"", b"\0" * 16, b"\0\0\x08\x03" + b"\xff" * 12 + b"\0" * 9])
def test_a_damaged_file_shows_nothing(tmp_path: Path, content: bytes) -> None:
    _make_idx(tmp_path, 5)
    (tmp_path / "MNIST" / "raw" / "t10k-images-idx3-ubyte").write_bytes(content)
    assert addresses(tmp_path, "mnist", [0]) == {}


NAMED = "index,label,prediction,confidence,label_name,prediction_name,file\n"


@pytest.mark.parametrize(
    ("header", "rest"),
    [
        ("index,label,prediction,confidence\n", ""),
        (NAMED, ',"a,b","c""d",train/a,b.png'),
        (NAMED, ',"1,2","line\nend","x\n3,4,5,6"'),
        (NAMED, ",cat,dog,"),
    ],
    ids=["of older code", "commas", "lines", "no files"],
)
def test_files_with_names_and_without_are_read(header: str, rest: str, tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", Job(images=3))
    rows = "".join(f"{index},{index % 2},1,0.5{rest}\n" for index in range(3))
    (run / "test_predictions.csv").write_text(header + rows)
    problems: list[str] = []
    found = PredictionFiles(problems).get(Run(run, images=True))
    assert problems == []
    assert found is not None
    assert found.index.tolist() == [0, 1, 2]
    assert found.label.tolist() == [0, 1, 0]
    assert found.right.tolist() == [False, True, False]


@pytest.mark.parametrize("row", ["1", "1,2", "a,b,c", "1.5,2,3", "nan,1,1", '"1,2,3'])
def test_damaged_rows_are_a_problem_and_no_error(row: str, tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", Job(images=3))
    (run / "test_predictions.csv").write_text(f"{NAMED}0,1,1,0.5,a,b,c\n{row}\n")
    problems: list[str] = []
    assert PredictionFiles(problems).get(Run(run, images=True)) is None
    assert len(problems) == 1


def test_the_page_has_the_images_only_where_asked_for(tmp_path: Path) -> None:
    _make_idx(tmp_path / "data", 200)
    make_grid(tmp_path / "runs", ["simple"], range(3), data="mnist", images=200)
    page = cnnsweep.report.write(tmp_path / "runs")
    assert "data:image/png" not in page.read_text()
    assert main([str(tmp_path / "runs"), "--images", str(tmp_path / "data")]) == 0
    assert "data:image/png" in page.read_text()


@needs_real_data
def test_the_real_files_are_read() -> None:
    assert len(addresses(REAL_DATA, "mnist", range(24))) == 24
    assert len(addresses(REAL_DATA, "fashion_mnist", [9999])) == 1
