"""Parameters with a condition on the command line."""

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from cnnsweep.config.composing.late_keys import words_of_sweep
from cnnsweep.config.composing.typed_conditions import with_condition
from cnnsweep.errors import UserError
from cnnsweep.rules import conditional

WHEN = {"optim": ["sgd", "nesterov"]}


@pytest.mark.parametrize(
    ("typed", "space"),
    [
        ("{space:interval(0, 0.99),when:{optim:[sgd,nesterov]}}", "interval(0, 0.99)"),
        ("{ space: 'interval(0, 0.99)' , when: {optim: [sgd, nesterov]} }", "interval(0, 0.99)"),
        ("{when:{optim:[sgd,nesterov]},space:tag(log, interval(1e-4, 1))}",
         "tag(log, interval(1e-4, 1))"),
        ("{space: a, b, when: {optim: [sgd, nesterov]}}", "a, b"),
        ("{space: 'a', 'it is', when: {optim: [sgd, nesterov]}}", "'a', 'it is'"),
    ],
)  # fmt: skip
def test_it_is_put_among_the_sweepers_params(typed: str, space: str) -> None:
    (word,) = words_of_sweep(["-m", f"optim.momentum={typed}"])[1:]
    override = OverridesParser.create().parse_override(word)
    assert override.key_or_group == "hydra.sweeper.params.optim\\.momentum"
    assert conditional(override.value()) == {"space": space, "when": WHEN}


@pytest.mark.parametrize(
    "word",
    [
        "optim.lr=0.1", "optim.betas=[0.9,0.99]", "x={space: 1}", "x={when: {a: 1}}", "x", "~x",
        "hydra.sweeper.params.x={space: 'a, b', when: {y: 1}}", "x={space: a, when: {y: }}",
    ],
)  # fmt: skip
def test_other_words_stay(word: str) -> None:
    assert with_condition(word) == word


def test_a_single_run_has_no_spaces() -> None:
    words = ["x={space: interval(0, 1), when: {a: 1}}"]
    assert words_of_sweep(words) == words


@pytest.mark.parametrize(
    ("value", "strange"),
    [
        ('{space: "interval(0, 0.99)", whn: {optim: sgd}}', "whn"),
        ("{spce: interval(0, 0.99), when: {optim: [sgd, nesterov]}}", "spce"),
        ("{when:{optim:{space:1}},if:{model:lenet}}", "if"),
        ("{space: tag(log, interval(1e-4, 1)), when: {optim: sgd}, unless: 3}", "unless"),
    ],
)
def test_a_misspelt_key_beside_one_of_the_two_is_named(value: str, strange: str) -> None:
    with pytest.raises(UserError, match=f"unknown key '{strange}'") as refused:
        with_condition(f"optim.momentum={value}")
    assert "has the keys space and when" in str(refused.value)


@pytest.mark.parametrize(
    "value", ["{spaces: 1, whens: 2}", "{a: {space: 1, b: 2}}", "'{space: 1, b: 2}'", "{}", "{,}"]
)
def test_keys_elsewhere_are_none_of_ours(value: str) -> None:
    assert with_condition(f"x={value}") == f"x={value}"
