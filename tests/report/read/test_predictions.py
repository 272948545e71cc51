"""What runs predicted, as their files say it."""

from pathlib import Path

import pytest

from cnnsweep.report.read.predictions import PredictionFiles, files_of
from cnnsweep.report.read.run_record import Run
from tests.report.made_runs import Job, make_run

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


def test_classes_go_by_their_names(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", Job(images=3, fingerprint="f"))
    files = PredictionFiles([])
    assert files.class_names(Run(run, images=True)) == ["a", "b"]
    older = make_run(tmp_path / "older", Job(images=3))
    assert files.class_names(Run(older, images=True)) == []
    (older / "test_predictions.csv").write_text(f"{NAMED}0,1,3,0.5,dog,cat,d/1.png\n")
    assert files.class_names(Run(older, images=True)) == ["0", "dog", "2", "cat"]
    assert files_of(Run(older, images=True), [0, 1]) == {0: "d/1.png"}
