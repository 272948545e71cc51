"""Parameters that are drawn under conditions: read, ordered, refused, gone through."""

from typing import Any

import pytest

from cnnsweep.errors import UserError
from cnnsweep.sweep.spec.space.points import count_points, identity, listed
from cnnsweep.sweep.spec.space.search_space import read_space
from tests.sweep.spec.space.made_spaces import made_params, made_space, points_by_hand

OPTIMIZERS: dict[str, Any] = {
    "optim.momentum": {"space": "interval(0, 0.99)", "when": {"optim": ["sgd", "nesterov"]}},
    "optim": "sgd, nesterov, adam",
    "optim.lr": "tag(log, interval(1e-4, 1))",
}


def test_a_parameter_comes_after_those_it_depends_on_and_only_where_they_are_so() -> None:
    space = made_space(OPTIMIZERS)
    assert list(space.distributions) == ["optim", "optim.momentum", "optim.lr"]
    assert space.conditions == {"optim.momentum": {"optim": ("sgd", "nesterov")}}
    assert space.active({"optim": "adam", "optim.momentum": 0.5}) == ["optim", "optim.lr"]
    assert space.active({"optim": "nesterov"}) == ["optim", "optim.momentum", "optim.lr"]
    assert space.first_corner({"optim": "adam"}) == {"optim": "adam", "optim.lr": 1e-4}
    assert count_points(space.distributions, space.conditions) is None


@pytest.mark.parametrize("seed", range(60))
def test_points_and_corners_are_the_active_combinations(seed: int) -> None:
    params = made_params(seed)
    by_hand = {identity(point) for point in points_by_hand(params)}
    if {name for point in points_by_hand(params) for name in point} != params.keys():
        with pytest.raises(UserError, match="can never hold"):
            made_space(params)
        return
    space = made_space(params)
    points = listed(space.distributions, space.conditions)
    assert points is not None
    assert points.keys() == by_hand
    assert count_points(space.distributions, space.conditions) == len(by_hand)
    assert all(space.active(point) == list(point) for point in points.values())
    corners = list(space.corners(space.distributions))
    assert {identity(corner) for corner in corners} <= by_hand
    for name in space.distributions:  # each end, where it is active
        assert {c[name] for c in corners if name in c} >= set(space.ends(name))
        for end in space.ends(name):
            assert space.first_corner({name: end})[name] == end


def test_where_there_are_too_many_corners_each_end_is_still_seen() -> None:
    params: dict[str, Any] = {f"k{i}": "interval(0, 1)" for i in range(10)}
    params["last"] = {"space": "1, 2", "when": {"choice": "b"}}
    params["under_it"] = {"space": "interval(0, 1)", "when": {"last": 2}}
    space = made_space({"choice": "a, b", **params})
    for few in (False, True):
        corners = list(space.corners(space.distributions, few=few))
        assert all(list(corner) == space.active(corner) for corner in corners)
        for name in space.distributions:
            assert {c[name] for c in corners if name in c} == set(space.ends(name))


def test_many_switches_are_counted_without_going_through_their_combinations() -> None:
    params: dict[str, Any] = {}
    for number in range(40):
        params[f"k{number}"] = "true, false"
        params[f"under{number}"] = {"space": "1, 2", "when": {f"k{number}": True}}
    space = made_space(params)
    assert count_points(space.distributions, space.conditions) == 3**40
    wide = made_space({"n": "range(0, 1000000)", "x": {"space": "1, 2", "when": {"n": [0, 7]}}})
    assert count_points(wide.distributions, wide.conditions) == 999_998 + 4
    assert listed(wide.distributions, wide.conditions) is None


def test_equal_values_are_the_same_however_they_are_written() -> None:
    params = {
        "n": "1, 2", "on": "true, false", "none": "null, 1", "pair": "[1,2], [3,4]",
        "a": {"space": "interval(0, 1)", "when": {"n": 1.0}},
        "b": {"space": "interval(0, 1)", "when": {"on": True}},
        "c": {"space": "interval(0, 1)", "when": {"none": [None]}},
        "d": {"space": "interval(0, 1)", "when": {"pair": [[1, 2]]}},
    }  # fmt: skip
    space = made_space(params)
    first = space.first_corner()
    assert list(first) == list(params)
    assert set(space.active({**first, "n": 2, "on": 1})) == {"n", "on", "none", "pair", "c", "d"}


def test_a_space_that_is_typed_keeps_the_condition_and_a_value_does_not() -> None:
    space = read_space(OPTIMIZERS, ["optim.momentum=interval(0.5, 0.9)"], None)
    assert space.distributions["optim.momentum"].low == 0.5  # type: ignore[attr-defined]
    assert list(space.conditions) == ["optim.momentum"]
    fixed = read_space(OPTIMIZERS, ["optim.momentum=0.9"], None)
    assert (fixed.conditions, fixed.fixed) == ({}, ("optim.momentum=0.9",))


RANGE = "interval(0, 1)"


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"x": {"space": RANGE, "when": {"y": 1}}, "y": {"space": "1, 2", "when": {"x": 1}}},
         "goes round in a circle: x depends on y depends on x"),
        ({"x": {"space": "1, 2", "when": {"x": 1}}}, "in a circle: x depends on x"),
        ({"opt": "a, b", "x": {"space": RANGE, "when": {"opr": "a"}}},
         "x: when: opr is neither drawn nor a key with a value. Did you mean 'opt'? Drawn are opt"),
        ({"opt": "a, b", "x": {"space": RANGE, "when": {"opt": ["a", "c"]}}},
         "x: when: opt: c is never drawn; allowed: a, b"),
        ({"n": "range(1, 9, 2)", "x": {"space": RANGE, "when": {"n": 2}}}, "2 is never drawn"),
        ({"n": "range(1, 9, 2)", "x": {"space": RANGE, "when": {"n": ">4"}}}, "is never drawn"),
        ({"lr": RANGE, "x": {"space": RANGE, "when": {"lr": 1}}}, "lr is drawn from a range"),
        ({"opt": "a, b", "x": {"space": "1, 2", "when": {"opt": "a"}},
          "y": {"space": RANGE, "when": {"x": 1, "opt": "b"}}},
         "y: when can never hold: opt would have to be two things at once"),
        ({"opt": "a, b", "x": {"space": "1, 2", "when": {"opt": "a"}},
          "z": {"space": "1, 2", "when": {"opt": "b"}},
          "y": {"space": RANGE, "when": {"x": 1, "z": 1}}}, "y: when can never hold"),
        ({"x": {"space": RANGE}}, "allowed is one with the keys space and when"),
        ({"x": {"space": RANGE, "when": {"o": 1}, "if": 2}}, "the keys space and when"),
        ({"x": {"space": RANGE, "when": {}}}, "when names no other parameter"),
        ({"x": {"space": RANGE, "when": "opt=a"}}, "when names no other parameter"),
        ({"x": {"space": RANGE, "when": {"o": []}}}, "o needs a value, or a list of values"),
        ({"x": {"space": RANGE, "when": {"o": {"a": 1}}}}, "o needs a value"),
        ({"x": {"space": 0.9, "when": {"o": 1}}}, "space is no text"),
        ({"x": {"space": "0.9", "when": {"o": 1}}}, "allowed is choice(0.9)"),
        ({"x": {"space": "uniform(0, 1)", "when": {"o": 1}}}, "cannot be read"),
        ({"epochs": {"space": "1, 2", "when": {"o": 1}}}, "allowed is epochs: 1, 2"),
        ({"x": [{"space": RANGE, "when": {"o": 1}}]}, "a parameter has one space"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_in_a_line(params: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError) as refused:
        made_space(params)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"lr": "interval(0, 1)"}, 'write net.lr: "interval(0, 1)"'),
        (
            {"opt": {"lr": "interval(0, 1)"}, "width": "8, 16"},
            'write net.opt.lr: "interval(0, 1)", net.width: "8, 16"',
        ),
        ({"spcae": "interval(0, 1)", "when": {"a": 1}}, "the keys space and when"),
        ({"type": "float"}, "the keys space and when"),
        ({"lr": [1, 2]}, "the keys space and when"),
    ],
)
def test_a_tree_of_keys_is_told_to_be_written_with_dots(entry: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError) as refused:
        made_space({"net": entry, "a": "1, 2"})
    assert said in str(refused.value)
