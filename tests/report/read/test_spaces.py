"""Spaces that are read as text are those that a search reads; bounds are found in their scale."""

import random
from pathlib import Path
from typing import Any

import pytest
import yaml
from optuna.distributions import CategoricalDistribution

from cnnsweep.report.read.spaces import Dimension, dimension, is_swept, parts, read_launch
from cnnsweep.sweep.spec.space.search_space import read_space

_RNG = random.Random(0)


def _space() -> str:
    low = float(f"{10 ** _RNG.uniform(-6, 3):.6g}")
    high = float(f"{low * 10 ** _RNG.uniform(0.2, 3):.6g}")
    whole = f"{int(low) + 1}, {int(high) + 3}"
    return _RNG.choice(
        [
            f"interval({low!r}, {high!r})",
            f"tag(log, interval({low!r}, {high!r}))",
            f"int(interval({whole}))",
            f"tag(log, int(interval({whole})))",
            f"range({whole}0, {_RNG.randint(1, 3)})",
        ]
    )


_SPACES = [_space() for _ in range(200)]


def _hydras(text: str) -> tuple[float, float, bool, bool]:
    (found,) = read_space({"x": text}, [], None).distributions.values()
    whole = type(found).__name__ == "IntDistribution"
    return found.low, found.high, found.log, whole  # type: ignore[attr-defined]


@pytest.mark.parametrize("text", _SPACES)
def test_bounds_are_those_that_a_search_draws_from(text: str) -> None:
    one = dimension("x", text)
    assert one is not None
    low, high, log, whole = _hydras(text)
    assert (one.low, one.log, one.whole) == (low, log, whole)
    assert one.high == pytest.approx(high) or one.step  # Optuna rounds a range's end by itself


@pytest.mark.parametrize(("text", "share"), [(text, n / 200) for n, text in enumerate(_SPACES)])
def test_a_value_is_on_a_bound_within_five_percent_of_the_scale(text: str, share: float) -> None:
    one = dimension("x", text)
    assert one is not None
    at = (
        one.low * (one.high / one.low) ** share
        if one.log
        else one.low + share * (one.high - one.low)
    )
    at = min(max(at, one.low), one.high)
    if 0.051 < share < 0.949:
        assert one.bound_near(at) is None
    elif not 0.049 < share < 0.951:
        assert one.bound_near(at) == (one.low if share < 0.5 else one.high)


@pytest.mark.parametrize("up", [False, True])
@pytest.mark.parametrize("text", _SPACES)
def test_a_wider_space_holds_the_former_and_goes_on_beyond_the_bound(text: str, up: bool) -> None:
    one = dimension("x", text)
    assert one is not None
    word = one.wider(one.high if up else one.low)
    if word is None:
        return  # it ends there by nature
    wider = dimension("x", word.removeprefix("x="))
    assert wider is not None
    assert (wider.log, wider.whole, wider.step) == (one.log, one.whole, one.step)
    nearly = 1e-9 * max(abs(one.high), 1)
    assert wider.low <= one.low + nearly
    assert wider.high >= one.high - nearly
    assert wider.high > one.high if up else wider.low < one.low
    assert _hydras(word.removeprefix("x="))[2] == one.log


@pytest.mark.parametrize(
    ("key", "text", "bound", "wider"),
    [
        ("optim.lr", "tag(log, interval(1e-4, 1))", 1.0, "tag(log, interval(0.0001, 10))"),
        ("optim.lr", "tag(log, interval(1e-4, 1))", 1e-4, "tag(log, interval(1e-05, 1))"),
        ("optim.momentum", "interval(0, 0.99)", 0.99, "interval(0, 0.999)"),
        ("optim.momentum", "interval(0, 0.99)", 0.0, None),
        ("model.dropout", "interval(0, 1)", 1.0, None),
        ("epochs", "range(2, 11, 2)", 10, "range(2, 20, 2)"),
        ("epochs", "range(1, 5)", 1, None),
        ("data.batch_size", "int(interval(16, 64))", 64, "int(interval(16, 112))"),
    ],
)
def test_what_is_proposed(key: str, text: str, bound: float, wider: str | None) -> None:
    one = dimension(key, text)
    assert one is not None
    assert one.wider(bound) == (wider and f"{key}={wider}")


@pytest.mark.parametrize("text", ["choice(16, 32)", "16,32", "a, b", "interval(1, x)", "0.1", "{"])
def test_choices_and_single_values_have_no_bound(text: str) -> None:
    assert dimension("x", text) is None


def test_the_command_line_counts_above_the_search(tmp_path: Path) -> None:
    params = {"optim.lr": "tag(log, interval(1e-4, 1))", "data.batch_size": "choice(16, 32)"}
    tree: dict[str, Any] = {
        "hydra": {
            "sweeper": {"params": params, "n_trials": 7, "compare": {"model": ["a", "b"]}},
            "overrides": {
                "task": ["optim.lr=tag(log, interval(1e-2, 1))", "epochs=3", "data=[1, 2]"]
            },
        }
    }
    (tmp_path / "multirun.yaml").write_text(yaml.safe_dump(tree, sort_keys=False))
    (tmp_path / "a" / "search_0").mkdir(parents=True)
    for folder in (tmp_path, tmp_path / "a", tmp_path / "a" / "search_0"):
        launch = read_launch(folder)
        assert launch is not None
        assert launch.folder == tmp_path
        assert (launch.keys, launch.n_trials) == (("model", "optim.lr", "data.batch_size"), 7)
        assert launch.dimensions == {"optim.lr": Dimension("optim.lr", 0.01, 1.0, log=True)}
    tree["hydra"]["overrides"]["task"].append("optim.lr=0.1")
    (tmp_path / "multirun.yaml").write_text(yaml.safe_dump(tree, sort_keys=False))
    fixed = read_launch(tmp_path)
    assert fixed is not None
    assert fixed.keys == ("model", "data.batch_size")


def test_a_text_is_parted_at_its_own_commas() -> None:
    for _ in range(100):
        words = _RNG.choices(["a", "[1,2]", "f(x, y)", "'a,b'", "{a:1,b:2}"], k=_RNG.randint(1, 5))
        assert parts(", ".join(words)) == words
        assert is_swept(", ".join(words)) == (len(words) > 1)


def test_the_spaces_that_come_with_cnnsweep_are_read() -> None:
    for name in ("sgd", "adam", "compare"):
        path = Path(__file__).parents[3] / "conf" / "search" / f"{name}.yaml"
        params = yaml.safe_load(path.read_text())["hydra"]["sweeper"]["params"]
        for key, text in params.items():
            (drawn,) = read_space({key: text}, [], None).distributions.values()
            assert (dimension(key, text) is None) == isinstance(drawn, CategoricalDistribution)


def test_of_a_conditional_parameter_the_bounds_are_read_too(tmp_path: Path) -> None:
    params = {
        "optim": "sgd, adam",
        "optim.momentum": {"space": "interval(0, 0.99)", "when": {"optim": "sgd"}},
        "optim.lr": {"space": "tag(log, interval(1e-4, 1))", "when": {"optim": "sgd"}},
        "x": '{"space": "1, 2", "when": {"optim": "sgd"}}',
    }
    content = {"hydra": {"sweeper": {"params": params}, "overrides": {"task": ["optim.lr=0.1"]}}}
    (tmp_path / "multirun.yaml").write_text(yaml.safe_dump(content))
    launch = read_launch(tmp_path)
    assert launch is not None
    assert launch.keys == ("optim", "optim.momentum", "x")
    assert launch.dimensions == {"optim.momentum": Dimension("optim.momentum", 0, 0.99)}
    assert launch.conditional == {"optim.momentum", "x"}
