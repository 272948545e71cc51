from pathlib import Path

import pytest
from PIL import Image

from cnnsweep.data.digits import digits
from tests.command import cnnsweep, complaint_of, succeeded


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
        (["RUN", "RUN/config.yaml"], "config.yaml is no image"),
        ([".", "RUN/curves.png"], "is no run folder"),
    ],
)
def test_what_cannot_be_read_is_named(
    arguments: list[str], said: str, tiny_run: Path, tmp_path: Path
) -> None:
    typed = [argument.replace("RUN", str(tiny_run)) for argument in arguments]
    assert said in complaint_of(cnnsweep(*typed, cwd=tmp_path, module="cnnsweep.predict"))
