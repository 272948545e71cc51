"""Pictures are found at any depth; the rest is counted with its reason."""

import os
from pathlib import Path

import pytest

from cnnsweep.data.pictures.picture_files import LeftOut, is_passed_over, pictures_below
from cnnsweep.errors import UserError


def touch(root: Path, *files: str) -> None:
    for file in files:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).touch()


def found(folder: Path) -> tuple[list[str], str | None]:
    left_out = LeftOut(folder.parent)
    files = pictures_below(folder, left_out)
    return [file.relative_to(folder).as_posix() for file in files], left_out.line()


@pytest.mark.parametrize(
    "name",
    [
        ".git", ".ipynb_checkpoints", "._000.png", "@eaDir", "@Recycle", "__MACOSX", "Thumbs.db",
        "desktop.ini", "$RECYCLE.BIN", "System Volume Information", ".DS_Store", "lost+found",
        "#recycle", "THUMBS.DB", "__pycache__", "thumbnails",
    ],
)  # fmt: skip
def test_names_of_systems_are_passed_over(name: str, tmp_path: Path) -> None:
    assert is_passed_over(name)
    touch(tmp_path, "cat/1.png", f"cat/deep/{name}/2.png", "cat/deep/3.png")
    assert found(tmp_path / "cat") == (
        ["1.png", "deep/3.png"],
        f"left out: hidden, of the system or thumbnails: 1 (cat/deep/{name})",
    )


@pytest.mark.parametrize("name", ["cat", "$5 note", "thumb", "_x", "5", "a.b", "ünï", "#1"])
def test_other_names_are_not(name: str) -> None:
    assert not is_passed_over(name)


def test_pictures_of_any_ending_and_depth_are_found_in_order(tmp_path: Path) -> None:
    files = ["B.JPG", "a.jpeg", "b.tif", "deep/er/c.WebP", "deep/z.png", "x.y.png"]
    touch(tmp_path / "cat", *files)
    assert found(tmp_path / "cat") == (sorted(files), None)


def test_what_is_left_out_is_counted_by_reason_with_an_example(tmp_path: Path) -> None:
    heic = [f"cat/{n:03}.HEIC" for n in range(14)]
    touch(tmp_path, "cat/a.png", *heic, "cat/notes.txt", "cat/.hidden/b.png", "cat/README")
    (tmp_path / "cat" / "broken.png").symlink_to("nowhere.png")
    os.mkfifo(tmp_path / "cat" / "pipe.png")
    (tmp_path / "cat" / "folder.png").mkdir()
    files, line = found(tmp_path / "cat")
    assert files == ["a.png"]
    assert line is not None
    assert line.startswith("left out: ")
    assert set(line.removeprefix("left out: ").split("; ")) == {
        "hidden, of the system or thumbnails: 1 (cat/.hidden)",
        "files that are not read as pictures: 14 .heic, 1 without an ending, 1 .txt "
        "(cat/000.HEIC …)",
        "links that lead nowhere: 1 (cat/broken.png)",
        "no regular files: 1 (cat/pipe.png)",
    }


def test_linked_folders_and_files_are_followed(tmp_path: Path) -> None:
    touch(tmp_path, "elsewhere/1.png", "elsewhere/deep/2.png", "cat/0.png", "one.png")
    (tmp_path / "cat" / "more").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "cat" / "one.png").symlink_to(tmp_path / "one.png")
    assert found(tmp_path / "cat") == (["0.png", "more/1.png", "more/deep/2.png", "one.png"], None)


def test_circles_of_links_end_and_no_class_reads_another(tmp_path: Path) -> None:
    touch(tmp_path, "cat/0.png", "cat/deep/1.png", "dog/2.png")
    (tmp_path / "cat" / "up").symlink_to("..")  # would make dogs cats
    (tmp_path / "cat" / "deep" / "round").symlink_to("../deep")
    (tmp_path / "cat" / "twice").symlink_to("deep")
    files, line = found(tmp_path / "cat")
    assert sorted(Path(file).name for file in files) == ["0.png", "1.png"]
    assert "links to folders above, or read already: 3" in str(line)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every folder")
def test_a_folder_that_may_not_be_read_is_named(tmp_path: Path) -> None:
    touch(tmp_path, "cat/closed/1.png")
    (tmp_path / "cat" / "closed").chmod(0)
    with pytest.raises(UserError, match="closed cannot be read: Permission denied"):
        found(tmp_path / "cat")
