"""Nothing that a folder says becomes markup, a formula, a script or a terminal code."""

import csv
import json
import random
import re
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path

import pytest
import yaml
from rich.console import Console

import cnnsweep.report
from cnnsweep.report.__main__ import main
from cnnsweep.report.answer.analysis import answer
from cnnsweep.report.output.terminal import show
from cnnsweep.report.read.escape import latex, markdown, plain, spreadsheet
from cnnsweep.report.read.load_runs import gather
from cnnsweep.report.stats.options import Question
from tests.report.made_runs import Job, config, make_run
from tests.report.nasty_text import NASTY


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs whose names, keys, values, errors and files hold all nasty strings."""
    top, rng = tmp_path_factory.mktemp("hostile"), random.Random(0)
    for number, text in enumerate(NASTY):
        name = f"{number}{text}".replace("/", "∕").replace("\x00", "")[:100]
        status = ("completed", "failed")[number % 5 == 4]
        folder = make_run(top / name, Job("resnet", number % 7, status=status, error=text))
        tree = config(Job("resnet", number % 7)) | {text: rng.choice(NASTY), "note": text}
        tree["optim"][text] = number
        (folder / "config.yaml").write_text(yaml.safe_dump(tree))
        hydra = (folder / ".hydra" / "hydra.yaml").read_text()
        choice = json.dumps(text)
        (folder / ".hydra" / "hydra.yaml").write_text(
            hydra.replace("model: resnet", f"model: {choice}")
        )
    (top / "0 x").mkdir()
    (top / "0 x" / "result.json").write_text('{"status": "<script>alert(2)</script>"}')
    return top


class _Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]


def test_the_page_has_no_elements_but_its_own(hostile: Path) -> None:
    page = cnnsweep.report.write(hostile).read_text()
    elements = _Elements()
    elements.feed(page)
    assert elements.tags.count("script") == 3
    assert not {"img", "svg", "iframe", "object"} & {*elements.tags}
    assert not [name for name, _ in elements.attributes if name.startswith("on")]
    links = [value for name, value in elements.attributes if name in ("href", "src")]
    assert len(links) > 10
    assert all(value.startswith(("#", "./", "data:")) for value in links)
    assert "{{ 7 * 7 }}" in page
    data = json.loads(page.partition('id="data">')[2].partition("</script>")[0])
    assert len(data["rows"]) == len(NASTY) + 1
    assert len(data["links"]) == len(data["rows"])
    assert all(link.startswith("./") and ":" not in link for link in data["links"])


def test_no_cell_is_a_formula_and_numbers_stay_numbers(hostile: Path) -> None:
    assert main([str(hostile), "--by", "model", "--format", "csv"]) == 0
    for name in ("runs.csv", "summary.csv"):
        text = (hostile / "report" / name).read_text()
        cells = {cell for row in csv.reader(StringIO(text)) for cell in row}
        for cell in cells:
            assert not cell.startswith(("=", "+", "@", "\t", "\r")), cell
            assert not cell.startswith("-") or _is_number(cell)
        for nasty in ("=cmd|' /C calc'!A0", "-2+3", "@SUM(A1)"):  # summary.csv: model=…, …
            assert any(cell == f"'{nasty}" or f"model={nasty}, " in cell for cell in cells), name
    assert spreadsheet(-0.5) == -0.5
    assert spreadsheet("-0.5x") == "'-0.5x"


def _is_number(cell: str) -> bool:
    return re.fullmatch(r"-?\d+(\.\d+)?(e[-+]?\d+)?", cell) is not None


def test_markdown_has_one_line_a_row_and_no_markup(hostile: Path) -> None:
    cnnsweep.report.write(hostile)
    text = (hostile / "report" / "report.md").read_text()
    unescaped = re.sub(r"\\[!-/:-@\[-`{-~]", "", text)
    assert not re.search(r"[<>`\[\]@]|://|www\.", unescaped)
    tables = [t.splitlines() for t in unescaped.split("\n\n") if t.startswith("|")]
    assert tables
    for table in tables:
        assert len({line.count("|") for line in table}) == 1


def test_latex_has_no_command_but_ours(hostile: Path) -> None:
    cnnsweep.report.write(hostile)
    text = (hostile / "report" / "report.tex").read_text()
    commands = set(re.findall(r"\\([A-Za-z]+)", text))
    assert {"midrule", "textbackslash", "textless"} <= commands
    assert commands <= {
        "usepackage", "begin", "toprule", "midrule", "bottomrule", "end", "pm", "textbackslash",
        "textasciicircum", "textasciitilde", "textless", "textgreater", "textbar", "textquotedbl",
        "multicolumn",
    }  # fmt: skip
    for line in text.splitlines()[3:]:
        bare = re.sub(r"\\.", "", line)
        assert bare.count("{") == bare.count("}")
        assert not re.search(r"[#%_^~]", bare)


def test_the_terminal_gets_no_codes_and_no_markup(hostile: Path) -> None:
    output = StringIO()
    show(answer(gather([hostile]), Question()), Console(file=output, width=200))
    text = output.getvalue()
    assert not [c for c in text if plain(c) != c and c != "\n"]
    assert "[bold red]rich[/]" in text


def test_random_mixtures_are_harmless_too() -> None:
    rng = random.Random(1)
    for _ in range(2000):
        text = "".join(rng.choice(NASTY) for _ in range(3))
        assert plain(text).isprintable()
        assert "\n" not in markdown(text) + latex(text)
        assert not str(spreadsheet(text)).startswith(("=", "+", "-", "@", "\t", "\r"))


def test_every_damage_at_once_never_stops_a_report(tmp_path: Path) -> None:
    rng = random.Random(2)
    for number in range(40):
        folder = make_run(tmp_path / str(number), Job(seed=number, images=20))
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            content = bytearray(path.read_bytes())
            if rng.random() < 0.5 and content:
                for _ in range(rng.randrange(1, 30)):
                    content[rng.randrange(len(content))] = rng.randrange(256)
                path.write_bytes(bytes(content[: rng.randrange(1, len(content) + 1)]))
    page = cnnsweep.report.write(tmp_path)
    assert page.is_file()
    assert len((tmp_path / "report" / "runs.csv").read_text().splitlines()) == 41
