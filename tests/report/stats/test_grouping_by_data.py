"""Runs of other data are never averaged, nor compared; runs of unknown data are a group."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from cnnsweep.report.answer.analysis import Answer, answer
from cnnsweep.report.build import write_report
from cnnsweep.report.read.load_runs import gather
from cnnsweep.report.stats.options import Question
from tests.report.made_runs import Job, make_run


def report_on(folder: Path, by: Iterable[str] = ("model",)) -> Answer:
    return answer(gather([folder]), Question(by=tuple(by)))


def make_runs(folder: Path, name: str, accuracy: float, count: int = 3, **settings: Any) -> None:
    for seed in range(count):
        make_run(folder / f"{name}{seed}", Job(seed=seed, accuracy=accuracy, **settings))


def sizes(found: Answer) -> list[int]:
    return sorted(group.n for group in found.grouping.groups)


@pytest.mark.parametrize("by", [("model",), ("data.root",), ("model", "data.root"), ("data",)])
@pytest.mark.parametrize("other", ["bbbbbbbbbbbbbbbb", None])
def test_one_config_on_two_data_sets_is_two_groups_and_a_warning(
    tmp_path: Path, by: tuple[str, ...], other: str | None
) -> None:
    for name, accuracy, fingerprint in (("a", 0.99, "a" * 16), ("b", 0.5, other)):
        make_runs(tmp_path, name, accuracy, data="image_folder", fingerprint=fingerprint)
        for config in tmp_path.glob(f"{name}*/config.yaml"):
            text = config.read_text()
            config.write_text(text.replace("data:\n", f"data:\n  root: {name.upper()}\n"))
    found = report_on(tmp_path, by)
    assert sizes(found) == [3, 3]
    assert sorted(round(group.mean, 2) for group in found.grouping.groups) == [0.5, 0.99]
    assert found.comparison.pairs == []
    (warning,) = (note for note in found.notes if note.startswith("Warning"))
    assert "2 different data sets" in warning
    assert ("unknown" in warning) == (other is None)


def test_a_dozen_data_sets_are_all_told_by_their_place(tmp_path: Path) -> None:
    for letter in "abcdefghijklm":
        changes = {"data.root": f"pictures_{letter}"}
        make_runs(tmp_path, letter, 0.9, count=1, fingerprint=letter * 16, changes=changes)
    (warning,) = (note for note in report_on(tmp_path).notes if note.startswith("Warning"))
    assert warning.count("(pictures_") == 12
    assert " and 1 more. " in warning


def test_the_same_data_elsewhere_are_averaged(tmp_path: Path) -> None:
    make_runs(tmp_path, "x", 0.9, fingerprint="a" * 16)
    make_runs(tmp_path, "y", 0.9, count=1, fingerprint="a" * 16)
    found = report_on(tmp_path)
    assert [len(group.runs) for group in found.grouping.groups] == [4]
    assert not any("Warning" in note for note in found.notes)


def test_known_and_unknown_data_are_never_averaged(tmp_path: Path) -> None:
    make_runs(tmp_path, "new", 0.9, fingerprint="a" * 16)
    make_runs(tmp_path, "old", 0.8)
    found = report_on(tmp_path)
    assert sizes(found) == [3, 3]
    assert {group.stratum for group in found.grouping.groups} == {
        "data.fingerprint=aaaaaaaaaaaa",
        "data.fingerprint=unknown",
    }
    assert found.comparison.pairs == []


def test_old_runs_alone_are_averaged_as_they_were(tmp_path: Path) -> None:
    make_runs(tmp_path, "old", 0.8)
    found = report_on(tmp_path)
    assert sizes(found) == [3]
    assert found.notes == []


def test_data_sets_that_the_config_tells_apart_need_no_fingerprint(tmp_path: Path) -> None:
    make_runs(tmp_path, "a", 0.9, data="mnist", fingerprint="a" * 16)
    make_runs(tmp_path, "b", 0.8, data="kmnist", fingerprint="b" * 16)
    found = report_on(tmp_path)
    assert {group.stratum for group in found.grouping.groups} == {"data=mnist", "data=kmnist"}


def test_every_file_of_the_report_keeps_them_apart(tmp_path: Path) -> None:
    make_runs(tmp_path, "a", 0.99, fingerprint="a" * 16)
    make_runs(tmp_path, "b", 0.5, fingerprint="b" * 16)
    page, _ = write_report(tmp_path)
    for name in ("index.html", "report.md", "report.tex", "summary.csv", "runs.csv"):
        text = (page.parent / name).read_text().replace("\\_", "_").replace("\\", "")
        assert "aaaaaaaaaaaa" in text, name
        assert "bbbbbbbbbbbb" in text, name
    assert "Warning: these runs have 2 different data sets" in page.read_text()
    header = (page.parent / "runs.csv").read_text().splitlines()[0].split(",")
    assert [name for name in header if name.startswith(("data.", "classes"))].count(
        "data.fingerprint"
    ) == 1
    assert not any(name.startswith(("classes.", "data.classes")) for name in header)
