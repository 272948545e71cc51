"""Points written down by people and by spreadsheets."""

from pathlib import Path

import pytest

from cnnsweep.errors import UserError
from cnnsweep.sweep.earlier.points_file import read_points


def written(folder: Path, name: str, content: bytes) -> Path:
    (folder / name).write_bytes(content)
    return folder / name


@pytest.mark.parametrize(
    "content",
    [
        b"lr,size\n0.1,[16]\n,null\n",
        b"\xef\xbb\xbflr,size\r\n0.1,[16]\r\n,null\r\n",  # as Excel saves it
        b'"lr","size"\n\n"0.1","[16]"\n\n"","null"\n\n',
        b" lr , size \n 0.1 , [16]\n , null",
    ],
)
def test_csv_files_however_they_were_saved(content: bytes, tmp_path: Path) -> None:
    """An empty cell gives nothing, `null` gives null."""
    rows = read_points(written(tmp_path, "p.CSV", content))
    assert [row.values for row in rows] == [{"lr": "0.1", "size": "[16]"}, {"size": "null"}]
    assert rows[1].place.endswith("p.CSV, row 2")


def test_yaml_files_nested_and_dotted(tmp_path: Path) -> None:
    text = b"\xef\xbb\xbf- {optim.lr: 1e-3, model: lenet}\n- optim: {lr: 0.1}\n  model: null\n"
    rows = read_points(written(tmp_path, "p.yaml", text))
    assert [row.values for row in rows] == [
        {"optim.lr": 0.001, "model": "lenet"},
        {"optim.lr": 0.1, "model": None},
    ]


BOMB = b"a: &a [1,1,1,1,1,1,1,1,1,1]\n" + b"".join(
    b"%c: &%c [%s]\n" % (now, now, b",".join([b"*%c" % before] * 10))
    for before, now in zip(b"abcd", b"bcde", strict=True)
)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("p.csv", b"", "has no points"),
        ("p.csv", b"lr,size\n", "has no points"),
        (
            "p.csv",
            b"lr,size\n0.1,16\n0.2\n",
            "row 2 has 1 of 2 cells: allowed are as many as its header",
        ),
        ("p.csv", b"lr,lr\n1,2\n", "its header has lr"),
        ("p.csv", b"lr,\n1,2\n", "its header has an empty cell"),
        ("p.csv", b'lr\n"0.1\n', "is no CSV file"),
        ("p.csv", b"lr,size\n,\n", "row 1 gives no key a value"),
        ("p.csv", b"lr\n\xff\n", "is no text in UTF-8"),
        ("p.yaml", b"", "has no points"),
        ("p.yaml", b"[]", "has no points"),
        ("p.yml", b"lr: 1\n", "is one mapping"),
        ("p.yaml", b"- 3\n", "row 1 is 3: allowed is a mapping"),
        ("p.yaml", b"- {}\n", "row 1 gives no key a value"),
        (
            "p.yaml",
            b"- {lr: 1\n",
            "is no YAML file: line 2, column 1: did not find expected ',' or",
        ),
        (
            "p.yaml",
            b"- {lr: 1, lr: 2}\n",
            "is no YAML file: line 1, column 11: found duplicate key",
        ),
        ("p.yaml", b"- lr: ${oc.env:NO_SUCH}\n", "[0].lr: an interpolation finds nothing"),
        ("p.yaml", b"a\0b", "control characters are not allowed"),
        ("p.yaml", BOMB, "line 1, column 1: its anchors stand for too many values"),
        (
            "p.yaml",
            b"- {lr: 1}\n- {optim.lr: 0.1, optim: {lr: 0.2}}\n",
            "row 2 gives optim.lr twice",
        ),
        ("p.yaml", b"- {+a.b: 1, a: {b: 1}}\n", "row 1 gives a.b twice"),
        ("p.csv", b"+lr,lr\n1,1\n", "row 1 gives lr twice"),
        ("p.csv", b"lr;size\n0.1;16\n", "has semicolons between its cells: allowed are commas"),
        ("p.csv", b"lr\tsize\n0.1\t16\n", "has tabs between its cells: allowed are commas"),
        ("p.csv", b"status,role,lr,objective\ncompleted,search,0.1,1\n", "points=FOLDER"),
        ("p.txt", b"lr\n1\n", "allowed is a .csv file"),
    ],
)
def test_what_holds_no_points_is_refused_in_a_line(
    name: str, content: bytes, said: str, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=r"^hydra\.sweeper\.points") as refused:
        read_points(written(tmp_path, name, content))
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)
