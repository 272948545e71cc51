"""Pictures of test images: the right one or none, and a line on why."""

import base64
import io
import json
import shutil
from hashlib import blake2b
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

import cnnsweep.report
from cnnsweep.report.__main__ import main
from cnnsweep.report.read.find import find
from cnnsweep.report.read.parse_run import read_run
from cnnsweep.report.read.pictures import pictures
from cnnsweep.report.read.predictions import PredictionFiles
from tests.command import cnnsweep as command
from tests.command import succeeded
from tests.data.made_files import TEST, write_idx
from tests.report.made_runs import Job, make_run

HEADER = "index,label,prediction,confidence,label_name,prediction_name,file\n"


def _run(folder: Path, data: str, root: Path | None, rows: str) -> Path:
    make_run(folder, Job(data=data))
    config = yaml.safe_load((folder / "config.yaml").read_text())
    config["data"]["root"] = None if root is None else str(root)
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    (folder / "test_predictions.csv").write_text(HEADER + rows)
    return folder


def _pictures(folder: Path, root: Path | None = None) -> tuple[dict[int, str], str]:
    (found,) = find([folder]).runs
    run = read_run(found)
    seen = PredictionFiles([]).get(run)
    assert seen is not None
    return pictures(run, seen, seen.index.tolist()[:3], root)


def _opened(address: str) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2]))))


IDX_ROWS = "".join(f"{n},{n % 10},3,0.5,,,\n" for n in range(TEST))


def _hash(path: Path) -> str:
    return blake2b(path.read_bytes(), digest_size=8).hexdigest()


def test_the_recorded_root_is_enough(tmp_path: Path) -> None:
    write_idx(tmp_path / "MNIST" / "raw")
    found, note = _pictures(_run(tmp_path / "run", "mnist", tmp_path, IDX_ROWS))
    assert note == ""
    assert [_opened(found[n])[0, 0] for n in range(3)] == [0, 1, 2]


def test_a_folder_that_is_named_goes_before_the_recorded_one(tmp_path: Path) -> None:
    write_idx(tmp_path / "elsewhere")
    run = _run(tmp_path / "run", "mnist", tmp_path / "gone", IDX_ROWS)
    found, note = _pictures(run)
    assert found == {}
    assert f"data.root={tmp_path / 'gone'} is no folder here" in note
    found, note = _pictures(run, tmp_path / "elsewhere")
    assert len(found) == 3
    assert note == ""


def test_other_images_are_never_shown(tmp_path: Path) -> None:
    write_idx(tmp_path)
    run = _run(tmp_path / "run", "mnist", tmp_path, IDX_ROWS)
    images = tmp_path / "t10k-images-idx3-ubyte"
    (run / "data.csv").write_text(f"file,part,hash\n{images.name},,{_hash(images)}\n")
    assert len(_pictures(run)[0]) == 3
    content = bytearray(images.read_bytes())
    content[-1] ^= 1
    images.write_bytes(content)
    assert _pictures(run)[0] == {}
    assert "is not the file that the run has read" in _pictures(run)[1]


@pytest.mark.parametrize(
    "rows",
    [
        IDX_ROWS.replace("19,9,", "19,8,"),  # another label
        IDX_ROWS.rpartition("\n19,")[0] + "\n",  # an image less
        IDX_ROWS.replace("19,9,", "20,9,"),  # another number
    ],
)
def test_labels_and_numbers_must_be_those_of_the_files(rows: str, tmp_path: Path) -> None:
    write_idx(tmp_path)
    found, note = _pictures(_run(tmp_path / "run", "mnist", tmp_path, rows))
    assert found == {}
    assert note.startswith("The images are not shown: ")


def test_without_labels_or_hashes_nothing_is_certain(tmp_path: Path) -> None:
    images = np.zeros((10_000, 3072), np.uint8)
    content = b"B" + images.nbytes.to_bytes(4, "little") + images.tobytes()
    (tmp_path / "test_batch").write_bytes(content)
    rows = "".join(f"{n},0,1,0.5,,,\n" for n in range(10_000))
    run = _run(tmp_path / "run", "cifar10", tmp_path, rows)
    assert "has not recorded which files" in _pictures(run)[1]
    (run / "data.csv").write_text(f"file,part,hash\ntest_batch,,{_hash(tmp_path / 'test_batch')}\n")
    assert len(_pictures(run)[0]) == 3


def _own_images(tmp_path: Path) -> tuple[Path, Path]:
    root = tmp_path / "pets"
    lines, rows = [], []
    for number, name in enumerate(("cat/a,1.png", "cat/b.png", "dog/c.png")):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (30, 20), (80 * number, 0, 0)).save(path)
        lines.append(f'"{name}",test,{_hash(path)}\n')
        rows.append(f'{number},0,1,0.5,cat,dog,"{name}"\n')
    run = _run(tmp_path / "run", "image_folder", root, "".join(rows))
    (run / "data.csv").write_text("file,part,hash\n" + "".join(lines))
    return root, run


def test_pictures_of_ones_own_are_those_of_their_files(tmp_path: Path) -> None:
    root, run = _own_images(tmp_path)
    found, note = _pictures(run)
    assert note == ""
    assert [round(_opened(found[n])[50, 50, 0] / 80) for n in range(3)] == [0, 1, 2]
    Image.new("RGB", (30, 20), (200, 0, 0)).save(root / "cat/b.png")
    (root / "dog/c.png").unlink()
    found, note = _pictures(run)
    assert set(found) == {0}
    assert note.startswith("2 of 3 images are not shown")


def test_a_strangers_folder_shows_no_file_of_ours(tmp_path: Path) -> None:
    """Neither by a way out of the root nor by a name whose contents the stranger cannot know."""
    secret = tmp_path / "secret.png"
    Image.new("RGB", (9, 9)).save(secret)
    root, run = _own_images(tmp_path)
    for name, hash in (("../secret.png", _hash(secret)), ("cat/b.png", "00" * 8)):
        (run / "data.csv").write_text(f"file,part,hash\n{name},test,{hash}\n")
        (run / "test_predictions.csv").write_text(f"{HEADER}0,0,1,0.5,cat,dog,{name}\n")
        assert _pictures(run)[0] == {}
    (run / "data.csv").unlink()
    assert "has not recorded which files" in _pictures(run, root)[1]


def test_a_data_set_of_ones_own_is_not_guessed(tmp_path: Path) -> None:
    write_idx(tmp_path)
    run = _run(tmp_path / "run", "mnist", tmp_path, IDX_ROWS)
    text = (run / "config.yaml").read_text()
    (run / "config.yaml").write_text(text.replace("cnnsweep.data.mnist", "my.mnist"))
    assert _pictures(run) == ({}, "The images are not shown: they are of a data set of one's own.")


def test_a_real_runs_hardest_digits_are_on_its_page(tmp_path: Path) -> None:
    words = ("model=lenet", "seed=0,1", "epochs=1", "optim.lr=0.02", "data.train_limit=300")
    succeeded(command("-m", *words, "test=true", "hydra.sweep.dir=sweep", cwd=tmp_path))
    page = tmp_path / "sweep" / "report" / "index.html"
    assert page.read_text().count("data:image/png") > 1
    shutil.rmtree(tmp_path / "sweep" / "report")
    found = cnnsweep.report.load(tmp_path / "sweep")
    assert len(found) == 2


def test_images_named_on_the_command_line_are_those_that_are_shown(tmp_path: Path) -> None:
    write_idx(tmp_path / "data")
    for seed in range(3):
        run = _run(tmp_path / "runs" / str(seed), "mnist", tmp_path / "gone", IDX_ROWS)
        result = json.loads((run / "result.json").read_text())
        names = {"classes": [f"<b>{n}</b>" for n in range(10)]}
        (run / "result.json").write_text(json.dumps(result | names | {"seed": seed}))
    page = tmp_path / "runs" / "report" / "index.html"
    assert main([str(tmp_path / "runs")]) == 0
    assert "data:image/png" not in page.read_text()
    assert "is no folder here" in page.read_text()
    assert main([str(tmp_path / "runs"), "--images", str(tmp_path / "data")]) == 0
    assert "data:image/png" in page.read_text()
    assert "<b>&lt;b&gt;4&lt;/b&gt;</b>, taken for <b>&lt;b&gt;3&lt;/b&gt;</b>" in page.read_text()
