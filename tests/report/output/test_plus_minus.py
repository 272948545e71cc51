"""± is half of a 95 % interval on every surface, and fewer than three values have none."""

import re
from pathlib import Path

import pytest

from tests.command import cnnsweep, succeeded
from tests.report.made_runs import make_grid
from tests.report.made_spaces import with_images, with_space
from tests.report.made_sweeps import make_compare, make_sweep

_SHOWN = re.compile(r"(?:±|\\pm\$)\s*[\d.]")
_FILES = ("report.md", "report.tex", "index.html")


def _surfaces(folder: Path) -> dict[str, str]:
    done = cnnsweep(folder.name, cwd=folder.parent, module="cnnsweep.report")
    written = {name: (folder / "report" / name).read_text() for name in _FILES}
    written["index.html"] = written["index.html"].partition('<section id="runs">')[0]
    return {"terminal": succeeded(done), **written}


def _made(folder: Path, kind: str, n: int) -> Path:
    if kind == "grid":
        make_grid(folder, ["simple", "resnet"], range(n), images=200)
    elif kind == "search":
        with_space(make_sweep(folder, trials=6, confirm=n), default=0)
    elif kind == "seeds":
        with_space(make_sweep(folder, trials=4, seeds=max(n, 1), confirm=0), default=0)
    else:
        for sweep in make_compare(folder, ["simple", "resnet"], trials=6, confirm=n).iterdir():
            with_space(sweep, default=0)
    with_images(folder, 5000, 1000)
    return folder


@pytest.mark.parametrize("n", [1, 2, 3, 5])
@pytest.mark.parametrize("kind", ["grid", "search", "compare", "seeds"])
def test_there_is_an_interval_from_three_values_on(kind: str, n: int, tmp_path: Path) -> None:
    for name, text in _surfaces(_made(tmp_path / "made", kind, n)).items():
        found = _SHOWN.findall(text)
        if n < 3:
            assert found == [], name
        elif kind != "seeds":  # whose groups mix settings
            assert found, name
        if found:
            assert "half of" in text, name
            assert "95 % interval" in text or r"95 \% interval" in text, name


@pytest.mark.parametrize("kind", ["grid", "search", "compare"])
def test_the_answer_stands_first_with_the_settings_on_every_surface(
    kind: str, tmp_path: Path
) -> None:
    for name, text in _surfaces(_made(tmp_path / "made", kind, 3)).items():
        plain = text.replace("\\", "")
        wanted = "model=resnet" if kind == "grid" else "optim.momentum="
        wanted = "resnet" if kind == "grid" and name == "report.tex" else wanted
        assert wanted in plain, name
        first = re.search(r"won with|leads 2 tuned networks|best of 2 settings", plain)
        table = re.search(r"95 % interval\W+(sd|deviation)|<th>95 %", plain)
        assert first is not None, name
        assert table is None or first.start() < table.start(), name
