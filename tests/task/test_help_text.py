"""``--help``: every key with its comment, in 80 columns, and examples as the README has them."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from cnnsweep.config import CONF_DIR
from cnnsweep.task.help_text import WIDTH, _beside, with_first_choices
from tests.command import REPOSITORY
from tests.forked_commands import Commands, forked_commands

GROUPS = ("model", "optim", "scheduler", "loss", "augment", "data", "logger")


@pytest.fixture(scope="module")
def commands() -> Iterator[Commands]:
    with forked_commands() as running:
        yield running


def words() -> Iterator[list[str]]:
    """Every option of every group at least once, several groups a command."""
    options = {
        group: sorted(path.stem for path in (CONF_DIR / group).glob("*.yaml")) for group in GROUPS
    }
    for index in range(max(map(len, options.values()))):
        yield [f"{group}={names[index % len(names)]}" for group, names in options.items()]
    pruners = sorted(path.stem for path in (CONF_DIR / "hydra/sweeper/pruner").glob("*.yaml"))
    yield from (["search=sgd", f"hydra/sweeper/pruner={pruner}"] for pruner in pruners)
    yield from (["search=adam"], ["search=compare"], ["hydra/sweeper=basic"])
    yield ["-m", "search=sgd", "model=lenet,simple", "optim.lr=tag(log,interval(1e-4,1))"]
    yield ["--multirun", "model=lenet,simple", "seed=range(3)", "logger=[csv,wandb]"]
    yield from ([f"experiment={path.stem}"] for path in (CONF_DIR / "experiment").glob("*.yaml"))


@pytest.mark.parametrize(
    "lines", [list(words())[::4], pytest.param(list(words()), marks=pytest.mark.slow)]
)
def test_each_option_is_shown_with_its_comments_in_80_columns(
    lines: list[list[str]], commands: Commands, tmp_path: Path
) -> None:
    for line in lines:
        ended = commands.run([*line, "--help"], tmp_path)
        assert (ended.code, ended.err) == (0, ""), line
        assert [row for row in ended.out.splitlines() if len(row) > WIDTH] == [], line
        shown = " ".join(ended.out.split())
        for word in line:
            group, _, option = word.partition("=")
            file = CONF_DIR / group / f"{option}.yaml"
            if not file.is_file() or group in ("search", "experiment"):
                continue
            for comment in re.findall(r"^[\w.]+:.*?\s# (.+)$", file.read_text(), re.MULTILINE):
                assert " ".join(comment.split()) in shown, (line, comment)


def test_each_key_of_the_main_config_and_of_a_search_has_its_own_comment(
    commands: Commands, tmp_path: Path
) -> None:
    shown = commands.run(["search=sgd", "-h"], tmp_path).out
    for name, prefix in (("config", ""), ("hydra/sweeper/optuna", "hydra.sweeper.")):
        text = (CONF_DIR / f"{name}.yaml").read_text(encoding="utf-8")
        for key, comment in _beside(text, prefix).items():
            if key.startswith(("defaults", "hydra.sweep.", "hydra.run.")):
                continue
            rows = re.search(rf"^{re.escape(key)}=(.*(?:\n {{32}}.*)*)", shown, re.MULTILINE)
            assert rows is not None, key
            assert " ".join(rows[1].split()).endswith(comment), key


def test_somebodys_own_yaml_has_its_comments_too(commands: Commands, tmp_path: Path) -> None:
    (tmp_path / "mine" / "optim").mkdir(parents=True)
    yaml = "_target_: torch.optim.SGD\nlr: 0.5  # found by hand: 'a # b'\nmomentum: 0.1\n"
    (tmp_path / "mine" / "optim" / "own.yaml").write_text(yaml)
    ended = commands.run(["--config-dir", "mine", "optim=own", "--help"], tmp_path)
    assert "optim.lr=0.5                    found by hand: 'a # b'\n" in ended.out


def test_a_wrong_key_is_refused_as_ever(commands: Commands, tmp_path: Path) -> None:
    ended = commands.run(["modle=lenet", "--help"], tmp_path)
    assert ended.code != 0
    assert "modle" in ended.err


def test_an_example_has_one_spelling_which_is_the_readmes(
    commands: Commands, tmp_path: Path
) -> None:
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    typed = {line.partition(" #")[0].strip() for line in readme.splitlines()}
    shown = commands.run(["--help"], tmp_path).out.partition("==")[0]
    examples = re.findall(r"^ +(python -m cnnsweep.*)$", shown, re.MULTILINE)
    assert len(examples) > 5
    assert [example for example in examples if example not in typed] == []


def test_comments_are_those_beside_the_value_whatever_it_is() -> None:
    text = (
        "# above\na: 1  # one\nb: 'x # y'  # two\nc: [1, 2]   # three\n"
        "d:  # four\n  e: null # five\n"
        "f:\n  - 1  # none\n  - 2\ng: {h: 1}  # six\ni: x#y\n"
    )
    found = _beside(text, "p.")
    assert found == {
        "p.a": "one", "p.b": "two", "p.c": "three", "p.d": "four", "p.d.e": "five", "p.g": "six",
    }  # fmt: skip


def test_of_what_is_swept_over_the_first_is_shown() -> None:
    words = [
        "-m",
        "model=lenet,simple",
        "+a=range(3)",
        "x='1,2'",
        "~y",
        "b=[1,2]",
        "c=(",
        "d=",
        "e=interval(0,1)",
    ]
    first = ["-m", "model=lenet", "+a=0", "x='1,2'", "~y", "b=[1,2]", "c=(", "d="]
    assert with_first_choices(words) == first
