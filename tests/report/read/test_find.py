"""Finding runs: any mixture, any depth, nothing outside."""

import os
from pathlib import Path

import pytest

from cnnsweep.report.read.find import find
from tests.report.made_runs import Job, make_run
from tests.report.made_sweeps import make_sweep


def _found(*roots: Path) -> list[Path]:
    return [found.folder for found in find(roots).runs]


def test_runs_lie_at_any_depth_and_each_is_found_once(tmp_path: Path) -> None:
    first = make_run(tmp_path / "a", Job())
    second = make_run(tmp_path / "b" / "c" / "d" / "e", Job())
    assert _found(tmp_path) == [first, second]
    assert _found(tmp_path, tmp_path / "b", tmp_path) == [first, second]


def test_trial_2_comes_before_trial_10(tmp_path: Path) -> None:
    folders = [make_run(tmp_path / str(number), Job()) for number in (10, 2, 1)]
    assert _found(tmp_path) == folders[::-1]


def test_a_run_folder_itself_can_be_given(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", Job())
    assert _found(run) == [run]


def test_the_folder_that_one_stands_in_is_read_like_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(tmp_path / "run", Job())
    (run / "more").mkdir()
    (run / "more" / "m.csv").write_text("a\n1\n")
    (wanted,) = find([tmp_path]).runs
    monkeypatch.chdir(tmp_path)
    (above,) = find([Path()]).runs
    monkeypatch.chdir(run)
    (itself,) = find([Path()]).runs
    assert above.files == itself.files == wanted.files


def test_a_copied_run_without_hydras_folder_is_a_run(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", Job())
    for file in (run / ".hydra").iterdir():
        file.unlink()
    (run / ".hydra").rmdir()
    assert _found(tmp_path) == [run]


def test_a_trial_of_several_seeds_is_not_a_run_but_its_seeds_are(tmp_path: Path) -> None:
    make_sweep(tmp_path / "sweep", trials=2, seeds=3, confirm=0)
    names = [str(f.relative_to(tmp_path / "sweep")) for f in _found(tmp_path)]
    assert names == [f"{trial}/seed_{seed}" for trial in (0, 1) for seed in (0, 1, 2)]


def test_plain_folders_and_workers_folders_are_not_runs(tmp_path: Path) -> None:
    make_run(tmp_path / ".workers" / "0", Job())
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "config.yaml").write_text("a: 1")
    assert _found(tmp_path) == []


def test_links_are_named_and_not_followed(tmp_path: Path) -> None:
    outside = make_run(tmp_path / "outside", Job())
    root = tmp_path / "root"
    inside = make_run(root / "inside", Job())
    (root / "loop").symlink_to(root)
    (root / "out").symlink_to(outside)
    (inside / "result.json").unlink()
    (inside / "result.json").symlink_to(outside / "result.json")
    finds = find([root])
    assert [found.folder for found in finds.runs] == [inside]
    assert "result.json" not in finds.runs[0].files
    assert sorted(finds.problems) == [
        f"{place}: a link, not followed"
        for place in (inside / "result.json", root / "loop", root / "out")
    ]


def test_a_pipe_in_the_place_of_a_file_does_not_hang(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", Job())
    (run / "metrics.csv").unlink()
    os.mkfifo(run / "metrics.csv")
    assert "metrics.csv" not in find([tmp_path]).runs[0].files
