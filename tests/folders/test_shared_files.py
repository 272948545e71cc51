"""What the runs of a sweep have alike lies on disk once, and each run's folder has it."""

from pathlib import Path

import pytest

from cnnsweep.folders.run_folder import RunFolder
from cnnsweep.folders.shared_files import read_data_files, write_data_files, write_patches

FILES = [("cat/a.png", "train", "12"), ('we"ird\n,\udcff.png', "test", "34")]


def runs(sweep: Path, count: int) -> list[RunFolder]:
    (sweep / "multirun.yaml").parent.mkdir(parents=True)
    (sweep / "multirun.yaml").touch()
    folders = [RunFolder(sweep / "choice" / str(n) / "seed_0") for n in range(count)]
    for folder in folders:
        folder.path.mkdir(parents=True)
    return folders


def test_names_of_any_kind_come_back(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    write_data_files(folder, FILES)
    assert read_data_files(folder) == FILES


def test_nothing_is_written_of_data_without_files(tmp_path: Path) -> None:
    write_data_files(RunFolder(tmp_path), [])
    assert list(tmp_path.iterdir()) == []
    assert read_data_files(RunFolder(tmp_path)) == []


def test_the_runs_of_a_sweep_share_one_file(tmp_path: Path) -> None:
    folders = runs(tmp_path / "sweep", 5)
    for _ in range(2):  # again is harmless
        for folder in folders:
            write_data_files(folder, FILES)
            write_patches(folder, b"patch", b"")
    for name in ("data.csv", "code.patch"):
        places = [tmp_path / "sweep" / name, *(folder.path / name for folder in folders)]
        assert len({place.stat().st_ino for place in places}) == 1
    assert not list(tmp_path.rglob("*.unfinished"))


def test_a_run_with_other_contents_has_a_file_of_its_own(tmp_path: Path) -> None:
    one, other = runs(tmp_path / "sweep", 2)
    write_patches(one, b"one", b"")
    write_patches(other, b"other", b"")
    assert (one.patch.read_bytes(), other.patch.read_bytes()) == (b"one", b"other")


@pytest.mark.parametrize(
    ("patches", "main", "second"),
    [
        ((b"own", b""), b"own", None),
        ((b"", b"theirs"), b"theirs", None),
        ((b"own", b"theirs"), b"own", b"theirs"),
        ((b"", b""), None, None),
    ],
)
def test_a_single_patch_is_code_patch_whose_ever_it_is(
    tmp_path: Path, patches: tuple[bytes, bytes], main: bytes | None, second: bytes | None
) -> None:
    folder = RunFolder(tmp_path)
    write_patches(folder, *patches)
    for path, content in ((folder.patch, main), (folder.folder_patch, second)):
        assert (path.read_bytes() if path.exists() else None) == content


def test_the_patches_of_earlier_launches_stay(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    for patch in (b"1", b"2", b"2", b"", b"3"):
        write_patches(folder, patch, b"")
    found = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert found == {"code.1.patch": b"1", "code.2.patch": b"2", "code.patch": b"3"}
