import csv
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from PIL import Image

from cnnsweep.data.digits import digits
from cnnsweep.data.image_folder import image_folder
from cnnsweep.data.pictures.prepare import prepare
from cnnsweep.predict import predict
from tests.command import cnnsweep, complaint_of, succeeded
from tests.data.pictures.made_pictures import write_folders


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    succeeded(cnnsweep("epochs=3", "pictures=false", f"hydra.run.dir={folder}/run", cwd=folder))
    return folder / "run"


def test_classes_of_image_files_of_any_size_and_sense(trained: Path, tmp_path: Path) -> None:
    test = digits().test()
    images = [Image.fromarray(test.pixels[i, 0].numpy()) for i in range(8)]
    for index, image in enumerate(images):
        image.resize((90, 90)).convert("RGB").save(tmp_path / f"{index}.png")
        Image.eval(image, lambda value: 255 - value).save(tmp_path / f"{index}_dark.png")
    names = [f"{index}.png" for index in range(8)]
    module = "cnnsweep.predict"
    lines = succeeded(cnnsweep(str(trained), *names, cwd=tmp_path, module=module)).splitlines()
    said = [line.split(": ")[1].split() for line in lines]
    right = sum(int(words[0]) == label for words, label in zip(said, test.labels[:8], strict=True))
    assert right >= 7
    assert all(0.1 <= float(words[1].rstrip(",")) <= 1 for words in said)
    dark = [f"{index}_dark.png" for index in range(8)]
    inverted = cnnsweep(str(trained), *dark, "--invert", cwd=tmp_path, module=module)
    assert [line.split(": ")[1].split()[0] for line in succeeded(inverted).splitlines()] == [
        words[0] for words in said
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["RUN", "missing.png"], "missing.png: there is no such image"),
        (["RUN", "RUN/config.yaml"], "config.yaml: it is no image"),
        ([".", "RUN/curves.png"], "holds neither a run nor a sweep"),
        (["RUN", "RUN/.hydra"], ".hydra: a folder without a picture"),
    ],
)
def test_what_cannot_be_read_is_named(
    arguments: list[str], said: str, tiny_run: Path, tmp_path: Path
) -> None:
    typed = [argument.replace("RUN", str(tiny_run)) for argument in arguments]
    assert said in complaint_of(cnnsweep(*typed, cwd=tmp_path, module="cnnsweep.predict"))


def predictions_of(run: Path) -> list[dict[str, str]]:
    with (run / "test_predictions.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(("channels", "views"), [(1, "null"), (3, "[shift,flip]")])
def test_predict_says_of_every_kind_of_picture_what_the_run_said_of_it(
    channels: int, views: str, tmp_path: Path
) -> None:
    pictures = tmp_path / "pictures"
    assert write_folders(pictures) >= 300
    options = ("data=image_folder", f"data.channels={channels}", "data.image_size=28", "epochs=1")
    averaged = f"test_time_augmentation={views}"
    arguments = (*options, averaged, "data.root=pictures", "pictures=false", "hydra.run.dir=run")
    succeeded(cnnsweep(*arguments, cwd=tmp_path))
    data = image_folder(root=pictures, image_size=28, channels=channels)
    parts = ((data.train, data.train_files), (data.test(), data.test_files))
    for images, files in parts:
        for pixels, file in zip(images.pixels, files, strict=True):
            seen = prepare(pictures / file, channels=channels, size=(28, 28)).pixels
            assert torch.equal(pixels, torch.from_numpy(seen)), file
    rows = predictions_of(tmp_path / "run")
    assert [row["file"] for row in rows] == list(data.test_files)
    answers = predict(tmp_path / "run", [pictures / row["file"] for row in rows], invert=False)
    assert answers.problems == []
    for row, answer in zip(rows, answers.predictions, strict=True):
        name, confidence = answer.classes[0]
        assert abs(confidence - float(row["confidence"])) < 1e-4, row
        assert name == row["prediction_name"], row
        assert row["label_name"] == row["file"].partition("/")[0]


def test_a_photograph_on_its_side_and_a_deep_picture_are_seen_as_in_training(
    tmp_path: Path,
) -> None:
    """Upright bars are cats, lying ones dogs: what is not turned, or cut to white, is wrong."""
    for kind, name in ((0, "cat"), (1, "dog")):
        (tmp_path / "bars" / name).mkdir(parents=True)
        for number in range(30):
            upright = bar(kind, number)
            file = tmp_path / "bars" / name / f"{number:03}"
            if number % 2:
                exif = Image.Exif()
                exif[0x0112] = 6
                Image.fromarray(np.rot90(upright)).save(f"{file}.jpg", exif=exif, quality=95)
            else:
                Image.fromarray(upright.astype(np.uint16) * 257).save(f"{file}.png")
    options = ("data.root=bars", "data.channels=1", "data.image_size=32", "data.batch_size=4")
    learning = ("epochs=4", "optim.lr=0.03", "pictures=false", "hydra.run.dir=run")
    succeeded(cnnsweep("data=image_folder", *options, *learning, cwd=tmp_path))
    rows = predictions_of(tmp_path / "run")
    files = [f"bars/{row['file']}" for row in rows]
    said = succeeded(cnnsweep("run", *files, cwd=tmp_path, module="cnnsweep.predict"))
    for line, row in zip(said.splitlines(), rows, strict=True):
        words = line.split(": ")[1].split()
        assert words[0] == row["prediction_name"] == row["label_name"]
        assert abs(float(words[1].rstrip(",")) - float(row["confidence"])) < 1e-4
    Image.fromarray(255 - bar(0, 0)).save(tmp_path / "light.png")
    done = cnnsweep("run", "light.png", cwd=tmp_path, module="cnnsweep.predict")
    assert succeeded(done).startswith("light.png: ")
    assert "try --invert" in done.stderr
    done = cnnsweep("run", "light.png", "--invert", cwd=tmp_path, module="cnnsweep.predict")
    assert succeeded(done).startswith("light.png: ")
    assert done.stderr == ""


def bar(kind: int, number: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    picture = np.random.default_rng(number).integers(0, 20, (40, 40)).astype(np.uint8)
    long, short = slice(10, 30), slice(17, 23)
    picture[(long, short) if kind == 0 else (short, long)] = 230
    return picture


def test_a_damaged_picture_makes_one_line_though_its_library_prints_more(
    tiny_run: Path, tmp_path: Path
) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (60, 60)).astype(np.uint8)
    Image.fromarray(noise).save(tmp_path / "a.tif", compression="tiff_deflate")
    content = bytearray((tmp_path / "a.tif").read_bytes())
    content[300:3000:37] = bytes(len(content[300:3000:37]))
    (tmp_path / "a.tif").write_bytes(content)
    line = complaint_of(cnnsweep(str(tiny_run), "a.tif", cwd=tmp_path, module="cnnsweep.predict"))
    assert "a.tif: it is no image that can be read: " in line


def test_an_undecodable_name_and_a_huge_picture_make_one_line(
    tiny_run: Path, tmp_path: Path
) -> None:
    name = os.fsdecode(b"caf\xe9.png")
    Image.new("L", (28, 28)).save(tmp_path / name)
    done = cnnsweep(str(tiny_run), name, cwd=tmp_path, module="cnnsweep.predict")
    assert succeeded(done).startswith("caf\\udce9.png: ")
    (tmp_path / name).write_text("no picture")
    line = complaint_of(cnnsweep(str(tiny_run), name, cwd=tmp_path, module="cnnsweep.predict"))
    assert "caf\\udce9.png: it is no image that can be read" in line


def test_good_files_are_answered_though_others_are_missing_or_damaged(
    tiny_run: Path, tmp_path: Path
) -> None:
    draw = np.random.default_rng(0)
    for name in ("b.png", "a.png", "many/2.png", "many/deep/1.png", "many/.hidden.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(draw.integers(0, 100, (28, 28)).astype(np.uint8)).save(tmp_path / name)
    (tmp_path / "bad.png").write_text("no picture")
    (tmp_path / "many" / "Thumbs.db").write_text("no picture")
    (tmp_path / "empty").mkdir()
    typed = ("b.png", "missing.png", "many", "bad.png", "empty", "a.png")
    done = cnnsweep(str(tiny_run), *typed, cwd=tmp_path, module="cnnsweep.predict")
    assert done.returncode == 1
    answered = [line.partition(": ")[0] for line in done.stdout.splitlines()]
    assert answered == ["b.png", "many/2.png", "many/deep/1.png", "a.png"]
    lines = done.stderr.splitlines()
    assert [line for line in lines if not line.startswith("error: ")] == [
        "many: left out: hidden, of the system or thumbnails: 2 (.hidden.png …)"
    ]
    said = [line.split()[1].rstrip(":") for line in lines if line.startswith("error: ")]
    assert said == ["missing.png", "empty", "bad.png"]


def test_more_pictures_than_are_looked_at_at_once_keep_their_order(
    tiny_run: Path, tmp_path: Path
) -> None:
    for number in range(230):
        shade = np.full((28, 28), number, dtype=np.uint8)
        shade[number % 28] = 255 - number
        Image.fromarray(shade).save(tmp_path / f"{number:03}.png")
    (tmp_path / "100.png").write_text("no picture")
    together = predict(tiny_run, [tmp_path], invert=False)
    assert [p.image.name for p in together.predictions] == [
        f"{number:03}.png" for number in range(230) if number != 100
    ]
    assert len(together.problems) == 1
    for number in (0, 99, 101, 229):
        alone = predict(tiny_run, [tmp_path / f"{number:03}.png"], invert=False).predictions[0]
        same = next(p for p in together.predictions if p.image == alone.image)
        assert alone.classes[0][1] == pytest.approx(same.classes[0][1], abs=1e-5)


def test_a_sweeps_folder_is_asked_by_its_winner(tiny_run: Path, tmp_path: Path) -> None:
    sweep = tmp_path / "sweep"
    shutil.copytree(tiny_run, sweep / "7")
    results = {"name": "optuna", "best_trial": 7, "best_folder": "/elsewhere/7"}
    (sweep / "optimization_results.yaml").write_text(yaml.safe_dump(results))
    Image.new("L", (28, 28), 30).save(tmp_path / "a.png")
    done = cnnsweep("sweep", "a.png", cwd=tmp_path, module="cnnsweep.predict")
    alone = cnnsweep(str(tiny_run), "a.png", cwd=tmp_path, module="cnnsweep.predict")
    assert succeeded(done) == succeeded(alone)
    assert done.stderr == "sweep: trial 7, its winner, is taken\n"
