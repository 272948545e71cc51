"""Words that Hydra cannot read come with one that it can; ``~`` is a home."""

import os
import random
import re
import subprocess
from pathlib import Path

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import OverrideParseException
from omegaconf import OmegaConf

from cnnsweep.config.command_words import check_flags, check_options, options_first, with_homes
from cnnsweep.config.error_messages import error_line
from cnnsweep.errors import UserError

CHARACTERS = "ab1 ~#()[]{}'\"\\$&|;<>*?!%@^`:=,/.é日\t\n\x07"
KEYS = ("data.root", "init_from", "+note", "++a.b", "hydra.run.dir")
BETTER = " quotes of its own: "


def unreadable(seed: int) -> tuple[str, str, str] | None:
    """A word, its value, and the line about it; None for one that Hydra reads."""
    draw = random.Random(seed)
    value = "".join(draw.choices(CHARACTERS, k=draw.randint(1, 9)))
    if draw.random() < 0.1:
        value += os.fsdecode(b"\xff")
    word = f"{draw.choice(KEYS)}={value}"
    try:
        OverridesParser.create().parse_overrides([word])
    except OverrideParseException as error:
        return word, value, error_line(error)
    return None


def test_the_corrected_word_brings_the_value_through_a_shell() -> None:
    drawn = [made for seed in range(1500) if (made := unreadable(seed)) is not None]
    offered = [(word, value, line) for word, value, line in drawn if BETTER in line]
    assert len(drawn) > 500
    assert len(offered) == len(drawn), next(line for _, _, line in drawn if BETTER not in line)
    assert [line for _, _, line in drawn if len(line.splitlines()) != 1] == []
    script = "\n".join(f"printf '%s\\0' {line.partition(BETTER)[2]}" for _, _, line in offered)
    done = subprocess.run(["bash", "-c", script], capture_output=True, check=True)
    words = os.fsdecode(done.stdout).split("\0")[:-1]
    assert len(words) == len(offered)
    for (word, value, line), typed in zip(offered, words, strict=True):
        (override,) = OverridesParser.create().parse_overrides([typed])
        assert override.get_key_element() == word.partition("=")[0]
        assert OmegaConf.create({"key": override.value()}).key == value, line


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("epochs", "KEY=VALUE without spaces, as in epochs=10"),
        ("optim lr=1", "cannot read 'optim lr=1'"),
        ("grad_clip=choice(null,1.0)", "grad_clip=null,1.0"),
    ],
)
def test_what_no_quotes_help_is_said(word: str, said: str) -> None:
    with pytest.raises(OverrideParseException) as refused:
        OverridesParser.create().parse_overrides([word])
    line = error_line(refused.value)
    assert said in line
    assert len(line.splitlines()) == 1


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("data.root=~/a b", "data.root='HOME/a b'"),
        ("data.root=~", "data.root='HOME'"),
        ("data.root='~/a'", "data.root='HOME/a'"),
        ('hydra.run.dir="~/a"', "hydra.run.dir='HOME/a'"),
        ("data.root=~/a,~/b", "data.root='HOME/a','HOME/b'"),
        ("my=[~/a,'~/b',c]", "my=['HOME/a','HOME/b',c]"),
        ("my={a: ~/a,b:[~/b]}", "my={a: 'HOME/a',b:['HOME/b']}"),
        ("my=choice(~/a,x)", "my=choice('HOME/a',x)"),
        ("hydra.sweeper.storage=sqlite:///~/s.db", "hydra.sweeper.storage='sqlite:///HOME/s.db'"),
        ("hydra.searchpath=[file://~/conf]", "hydra.searchpath=['file://HOME/conf']"),
        ("--config-dir=~/conf", "--config-dir=HOME/conf"),
        ("a='b,~/c'", "a='b,~/c'"),
        ("a=b~/c", "a=b~/c"),
        ("a='it''s ~'", "a='it''s ~'"),
        ("~data.root", "~data.root"),
        ("a=~nobody_of_this_name/x", "a=~nobody_of_this_name/x"),
    ],
)
def test_a_home_is_put_where_a_path_begins(typed: str, meant: str) -> None:
    home = str(Path.home())
    assert with_homes([typed]) == [meant.replace("HOME", home)]
    assert with_homes(with_homes([typed])) == with_homes([typed])


def test_a_folder_after_its_option_too() -> None:
    assert with_homes(["--config-dir", "~/c", "-cd", "~"]) == [
        "--config-dir",
        f"{Path.home()}/c",
        "-cd",
        str(Path.home()),
    ]


@pytest.mark.parametrize(
    "word", ["optim=null", "+data=0.1", "model=true", "search=null", "hydra/launcher=null"]
)
def test_what_is_no_name_of_an_option_is_named(word: str) -> None:
    with pytest.raises(UserError, match=f"{re.escape(word)}.*allowed is the name of an option"):
        check_options([word])


def test_names_of_options_and_values_of_keys_are_none_of_its_business() -> None:
    check_options(["optim=adam", "logger=[csv]", "model=simple,lenet", "logger={a: 1}", "~search"])
    check_options(["epochs=3", "optim.lr=null", "--multirun", "model", "experiment='2024'"])


@pytest.mark.parametrize("words", [["--multirn"], ["--epochs=3"], ["-x"], ["--config-dir"]])
def test_an_option_that_is_none_gets_one_line(words: list[str]) -> None:
    with pytest.raises(UserError) as refused:
        check_flags(words)
    assert len(str(refused.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--epochs", "10"], "epochs=10"),
        (["--epochs=3"], "epochs=3"),
        (["--optim.lr", "0.1", "seed=1"], "optim.lr=0.1"),
        (["--model", "seed=1"], "model=…"),
        (["seed=1", "--summary"], "summary=…"),
    ],
)
def test_a_key_typed_as_an_option_is_shown_as_a_key(words: list[str], said: str) -> None:
    with pytest.raises(UserError) as refused:
        check_flags(words)
    assert str(refused.value).endswith(f"typed without dashes, {said}")


def test_options_may_stand_anywhere() -> None:
    words = ["a=1", "--config-dir", "mine", "b=2", "-m", "--config-name=x", "c=3"]
    arranged = options_first(words)
    assert arranged == ["--config-dir", "mine", "-m", "--config-name=x", "a=1", "b=2", "c=3"]
    check_flags(arranged)
    assert options_first(["--info", "x=1"]) == ["--info", "x=1"]


def test_the_nearest_option_is_named() -> None:
    with pytest.raises(UserError, match="Did you mean --multirun"):
        check_flags(["--multirn"])
