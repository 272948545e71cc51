"""The Python that the documents show: it runs as it stands, and its types hold."""

import re
from pathlib import Path

import pytest
from mypy import api as mypy

from tests.api.scripts import begin, output_of
from tests.command import REPOSITORY

DOCUMENTS = ("README.md", "docs/python.md")


def example(document: str) -> str:
    """The one block of Python that uses the API."""
    text = (REPOSITORY / document).read_text(encoding="utf-8")
    (block,) = (b for b in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if ".api" in b)
    return str(block)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_an_example_runs(document: str, tmp_path: Path) -> None:
    code, out, err = output_of(begin(example(document), tmp_path))
    assert (code, err) == (0, "")
    assert "results: outputs/" in out
    if document == "docs/python.md":
        promised = re.search(r"print\(error\)  # (.*)", example(document))
        assert promised is not None
        assert out.splitlines()[-1] == promised[1]


def test_examples_are_typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPOSITORY)
    files = [tmp_path / "readme.py", tmp_path / "python.py"]
    for file, document in zip(files, DOCUMENTS, strict=True):
        file.write_text(example(document) + "reveal_type(run())\n")
    said, complaint, code = mypy.run(["--strict", *map(str, files)])
    assert complaint == ""
    assert said.count('Revealed type is "cnnsweep.api.runs.Run"') == 2
    assert code == 0, said
