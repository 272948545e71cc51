"""The documents: no long lines, and every link leads somewhere."""

import re
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.command import REPOSITORY

COLUMNS = 100
# Reports that `python -m cnnsweep.report` wrote link to runs that are not kept here.
WRITTEN_BY_US = sorted(
    path
    for folder in (".", "docs", "docs/comparison", "benchmarks")
    for path in (REPOSITORY / folder).glob("*.md")
)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_SPAN = re.compile(r"`([^`]+)`")
_TYPED = re.compile(r"[+~]*[\w./@]+=\S|python -m |pip install ")
_ALONE = re.compile(r"(- )?!?\[[^]]*\]\(\S+\)[.,;]?")


def name(path: Path) -> str:
    return str(path.relative_to(REPOSITORY))


def without_code(path: Path) -> list[tuple[int, str]]:
    """A document's lines outside code fences, with their numbers."""
    lines, is_code = [], False
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if line.lstrip().startswith("```"):
            is_code = not is_code
        elif not is_code:
            lines.append((number, line))
    return lines


def anchors(path: Path) -> set[str]:
    """What can stand behind a # in a link to a document."""
    headings = [line.lstrip("#") for _, line in without_code(path) if line.startswith("#")]
    plain = [re.sub(r"[^\w\s-]", "", heading).strip().lower() for heading in headings]
    return {re.sub(r"\s", "-", heading) for heading in plain}


def test_the_documents_are_found() -> None:
    assert {"README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/architecture.md"} <= {
        name(path) for path in WRITTEN_BY_US
    }


@pytest.mark.parametrize("document", WRITTEN_BY_US, ids=name)
def test_lines_are_no_longer_than_a_hundred_columns(document: Path) -> None:
    long = [
        f"{name(document)}:{number}: {len(line)} columns"
        for number, line in without_code(document)
        if len(line) > COLUMNS and not line.startswith("|") and not _ALONE.fullmatch(line.strip())
    ]
    assert long == []


@pytest.mark.parametrize("document", WRITTEN_BY_US, ids=name)
def test_every_link_leads_to_a_file_and_a_heading(document: Path) -> None:
    text = "\n".join(line for _, line in without_code(document))
    dead = []
    for target in _LINK.findall(text):
        file, _, heading = target.partition("#")
        if re.match(r"[a-z]+:", file):
            continue
        path = document.parent / file if file else document
        if not path.exists() or (heading and heading not in anchors(path)):
            dead.append(target)
    assert dead == []


def commands_of(path: Path) -> list[str]:
    """Commands for a shell: the lines of bash fences, and spans of text that are words of one."""
    found, is_bash, is_code = [], False, False
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.lstrip().startswith("```"):
            is_code = not is_code
            is_bash = is_code and line.strip() == "```bash"
        elif is_bash:
            found.append(line)
        elif not is_code:
            spans = (span for span in _SPAN.findall(line) if '={"' not in span)  # Python's
            found += [span for span in spans if _TYPED.match(span)]
    return found


def unquoted(command: str) -> str:
    """What is left of a command without what stands in quotes, comment and ``${VARIABLES}``."""
    left = re.sub(r"""'[^']*'|"[^"]*"|\$\{\w+\}""", "", command)
    return re.sub(r"(^|\s)#.*", "", left)


@pytest.mark.parametrize("document", WRITTEN_BY_US, ids=name)
def test_brackets_and_braces_stand_in_quotes_as_zsh_needs_them(document: Path) -> None:
    assert [line for line in commands_of(document) if re.search(r"[\[\]{}]", unquoted(line))] == []


def test_what_zsh_would_not_take_is_found(tmp_path: Path) -> None:
    document = tmp_path / "a.md"
    lines = [
        'x `hydra.sweeper.devices=[0,1]`, `a={"b": 2}`',
        "```bash",
        "echo '[1]' b={1,2}  # [3]",
    ]
    document.write_text("\n".join([*lines, "```", "```yaml", "a: [1]", "```"]))
    assert [unquoted(line).strip() for line in commands_of(document)] == [
        "hydra.sweeper.devices=[0,1]",
        "echo  b={1,2}",
    ]


def test_the_index_names_every_document() -> None:
    index = REPOSITORY / "docs" / "README.md"
    linked = {(index.parent / target).resolve() for target in _LINK.findall(index.read_text())}
    assert {path.resolve() for path in index.parent.glob("*.md")} - {index} <= linked


def test_the_architecture_names_files_that_exist() -> None:
    text = (REPOSITORY / "docs" / "architecture.md").read_text(encoding="utf-8")
    named = set(re.findall(r"\b\w+\.py\b", text))
    there = {path.name for part in ("cnnsweep", "tests") for path in (REPOSITORY / part).rglob("*")}
    assert sorted(named - there) == []


def test_modules_are_where_the_changelog_says_they_have_moved() -> None:
    text = (REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8")
    moved = re.findall(r"^\| `cnnsweep\..*\| `(cnnsweep\.[\w.]+)`", text, re.MULTILINE)
    assert len(moved) >= 25
    assert [name for name in moved if find_spec(name) is None] == []
