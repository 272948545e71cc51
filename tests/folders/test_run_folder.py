"""The run folder's names are those that folders of earlier releases have."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from cnnsweep.errors import UserError
from cnnsweep.folders.run_folder import RunFolder, differing_keys, read_mapping, write_text_whole

STORED = (
    "config.yaml", "result.json", "metrics.csv", "best.pt",
    "last.pt", "test_predictions.csv",
    "curves.png", "predictions.png", "confusion.png", "data.csv", "code.patch",
    "code_of_folder.patch", "model.onnx", "model.pt2", ".trackers/id",
)  # fmt: skip


def test_files_are_where_stored_folders_have_them() -> None:
    values = vars(RunFolder(Path())).values()
    paths = [path for path in values if isinstance(path, Path) and path != Path()]
    assert [str(path) for path in paths] == list(STORED)


def test_a_tracker_has_its_lock_and_its_log_in_the_folder() -> None:
    folder = RunFolder(Path("run"))
    assert folder.tracker_lock("mlflow") == Path("run/.trackers/mlflow.lock")
    assert folder.tracker_log("mlflow") == Path("run/.trackers/mlflow.log")


def test_only_pictures_that_are_there_are_listed(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    assert folder.pictures() == []
    folder.confusion.touch()
    folder.curves.touch()
    assert folder.pictures() == [folder.curves, folder.confusion]


def test_half_written_files_are_removed_and_whole_ones_stay(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    write_text_whole(folder.result, "{}")
    (tmp_path / "last.pt.unfinished").touch()
    folder.remove_torn_files()
    assert list(tmp_path.iterdir()) == [folder.result]


@pytest.mark.parametrize("content", ["{", "- 1", "\udcff", "text"])
def test_a_damaged_file_is_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "some.yaml"
    path.write_bytes(content.encode(errors="surrogateescape"))
    with pytest.raises(UserError, match=r"some\.yaml is damaged: [^\n]+$"):
        read_mapping(path, yaml.safe_load, yaml.YAMLError)


def test_differing_keys_are_dotted_and_a_missing_key_differs() -> None:
    before = {"a": {"b": 1, "c": {}}, "data": {"root": "x", "size": 8}, "keep": "all"}
    now = {"a": {"b": 2}, "data": {"root": "y", "size": 8}, "keep": "none", "new": None}
    assert differing_keys(before, now) == ["a.b", "a.c", "new"]


def test_folders_are_read_without_torch_and_without_hydra() -> None:
    script = (
        "import sys, cnnsweep.folders.sweep_folder, cnnsweep.folders.run_folder\n"
        "import cnnsweep.folders.result, cnnsweep.folders.lock\n"
        "print({'torch', 'hydra', 'omegaconf', 'optuna'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout == "set()\n", done.stderr
