"""Pictures of runs: whatever the classes are called, and however many there are."""

import os
import random
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cnnsweep.session.picture_text import shown_names, width
from cnnsweep.session.plots import Answers, _over_classes, draw_confusion, draw_predictions
from tests.command import cnnsweep, succeeded
from tests.run_files import result

STRANGE = (
    "$5 note", "$10 note", "$\\frac{1}{", "a_b^c", "日本語の猫", "안녕하세요", "عربى", "हिन्दी",
    "😀", "a" * 90, "a" * 45 + "b" * 45, "x\udcff\udcfe", "two\nlines", "\x1b[31mred", "", "  ",
    "<b>bold", "_under_", "class 3", "%s {0} \\n", "\u202eturned", "e\u0301" * 30, "\uffff",
    "日" * 40,
)  # fmt: skip


def answers(classes: list[str], images: int = 40) -> Answers:
    draw = np.random.default_rng(0)
    labels = draw.integers(0, len(classes), images)
    probabilities = draw.random((images, len(classes))).astype(np.float32)
    pixels = draw.integers(0, 256, (images, 1, 6, 6)).astype(np.uint8)
    return Answers(pixels, labels, probabilities, classes, "test")


def size(path: Path) -> tuple[int, int]:
    """Width and height of a picture."""
    with Image.open(path) as picture:
        return picture.size


def generated(seed: int) -> list[str]:
    """Class names: strange ones, and letters drawn from all of Unicode, surrogates included."""
    draw = random.Random(seed)
    names = [
        "".join(chr(draw.randrange(0x110000)) for _ in range(draw.randrange(100)))
        for _ in range(draw.randrange(1, 12))
    ]
    return names + draw.sample(STRANGE, draw.randrange(1, 6))


@pytest.mark.parametrize("seed", [0, *(pytest.param(k, marks=pytest.mark.slow) for k in (1, 2))])
def test_any_class_names_are_drawn_without_a_warning(tmp_path: Path, seed: int) -> None:
    shown = answers(generated(seed))
    draw_predictions(tmp_path / "predictions.png", shown)  # a warning is an error in all tests
    draw_confusion(tmp_path / "confusion.png", shown)
    assert size(tmp_path / "predictions.png")[0] == 1500
    assert size(tmp_path / "confusion.png")[0] > 1000


@pytest.mark.parametrize(
    "classes", [1, 16, 61, *(pytest.param(n, marks=pytest.mark.slow) for n in (2, 60, 1000))]
)
def test_any_number_of_classes_is_drawn_without_a_warning(tmp_path: Path, classes: int) -> None:
    shown = answers([f"species number {n} of the genus Felis" for n in range(classes)])
    draw_predictions(tmp_path / "predictions.png", shown)
    draw_confusion(tmp_path / "confusion.png", shown)
    assert max(size(tmp_path / "confusion.png")) < 3000


@pytest.mark.parametrize("seed", range(40))
def test_shown_names_are_short_and_distinct_and_of_one_line(seed: int) -> None:
    names = generated(seed)
    shown = shown_names(names, 20)
    assert [name for name in shown if width(name) > 20 or not name.isprintable()] == []
    assert len(set(shown)) == len(names)


def test_a_name_that_fits_is_shown_as_it_is_and_a_long_one_by_its_ends() -> None:
    names = ["cat", "$5 note", "left lateral ventricle of the brain", "日本語"]
    assert shown_names(names, 20)[:3] == ["cat", "$5 note", "left later…the brain"]
    alike = ["brain, left part: ventricle", "brain, left hand: ventricle"]
    assert shown_names(alike, 15) == ["0: brain,…ricle", "1: brain,…ricle"]


def test_what_no_font_draws_is_the_class_s_number() -> None:
    assert shown_names(["cat", "\U00010300\U000e0101", " "], 20)[1:] == ["class 1", "class 2"]


@pytest.mark.parametrize("classes", [1, 2, 3, 6, 7, 10, 60])
def test_the_images_are_of_as_many_classes_as_there_is_room_for(classes: int) -> None:
    labels = np.arange(classes).repeat(9)  # as the files of a folder lie
    shown = labels[_over_classes(labels)]
    assert len({*shown[:6]}) == min(6, classes)
    assert sorted(shown) == sorted(labels)
    assert np.diff(np.sort(shown[:6])).max(initial=0) <= -(-classes // 6)


def test_a_dollar_sign_is_no_formula(tmp_path: Path) -> None:
    draw_confusion(tmp_path / "a.png", answers(["$x$", "y"]))
    draw_confusion(tmp_path / "b.png", answers(["x", "y"]))
    # The signs are letters, and take room.
    assert size(tmp_path / "a.png")[0] > size(tmp_path / "b.png")[0]


def test_a_run_of_folders_with_any_names_completes(tmp_path: Path) -> None:
    names = [name for name in STRANGE if name.strip() and len(os.fsencode(name)) < 256]
    for label, name in enumerate(names):
        folder = tmp_path / "data" / name
        folder.mkdir(parents=True)
        for number in range(3):
            image = Image.fromarray(np.full((8, 8), (37 * label + number) % 256, np.uint8))
            with (folder / f"{number}.png").open("wb") as file:
                image.save(file, "png")
    done = cnnsweep(
        "data=image_folder", "data.root=data", "data.channels=1", "data.image_size=8",
        "data.batch_size=8", "data.val_fraction=0", "epochs=1", "hydra.run.dir=run", cwd=tmp_path,
    )  # fmt: skip
    assert [line for line in done.stderr.splitlines() if "Warning" in line] == []
    assert "could not be drawn" not in succeeded(done)
    assert len(list((tmp_path / "run").glob("*.png"))) == 3


def test_pictures_that_cannot_be_drawn_leave_the_run_completed(tmp_path: Path) -> None:
    done = cnnsweep(
        "epochs=1",
        "data.train_limit=100",
        "hydra.run.dir=run",
        cwd=tmp_path,
        MPLBACKEND="none-such",
    )
    out = succeeded(done)
    assert "pictures could not be drawn" in out
    assert "none-such" in out
    assert result(tmp_path / "run")["status"] == "completed"
    assert (tmp_path / "run" / "test_predictions.csv").exists()


def lightest(path: Path, pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> int:
    """Of the drawn images, whose first is at the left below the title; text is elsewhere."""
    answers = Answers(
        pixels=pixels,
        labels=np.zeros(len(pixels), np.int64),
        probabilities=np.tile(np.array([[1.0, 0.0]], np.float32), (len(pixels), 1)),
        classes=("a", "b"),
        split="test",
    )
    draw_predictions(path, answers)
    with Image.open(path) as picture:
        drawn = np.asarray(picture.convert("L"))
    dark = drawn < 128  # the images; the ground is white, the titles are green
    rows, columns = dark.mean(axis=1) > 0.5, dark.mean(axis=0) > 0.5
    return int(drawn[rows][:, columns].max())


def test_an_underexposed_picture_looks_so(tmp_path: Path) -> None:
    pixels = np.zeros((12, 1, 8, 8), np.uint8)
    pixels[:, :, :, 4:] = 15
    assert lightest(tmp_path / "a.png", pixels) <= 20
    assert lightest(tmp_path / "b.png", np.repeat(pixels, 3, axis=1)) <= 20


def test_a_picture_of_one_pixel_can_be_drawn(tmp_path: Path) -> None:
    assert lightest(tmp_path / "a.png", np.full((12, 1, 1, 1), 9, np.uint8)) <= 20
