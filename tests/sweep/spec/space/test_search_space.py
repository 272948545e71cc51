"""Search spaces from conf/ and the command line."""

import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from cnnsweep.config.composing.combinations import MOST_COMBINATIONS
from cnnsweep.errors import UserError
from cnnsweep.sweep.spec.space.search_space import SearchSpace, read_space


def test_ranges_are_drawn_and_values_are_fixed() -> None:
    space = read_space({"a": "tag(log, interval(1e-4, 1))"}, ["b=1,2", "c=range(1,4)", "d=5"], None)
    assert space.distributions == {
        "a": FloatDistribution(1e-4, 1, log=True),
        "b": CategoricalDistribution((1, 2)),
        "c": IntDistribution(1, 3),
    }
    assert space.fixed == ("d=5",)


@pytest.mark.parametrize("typed", ["a=0.1", "~a"])
def test_the_command_line_fixes_what_a_named_space_searches(typed: str) -> None:
    space = read_space({"a": "interval(0, 1)"}, [typed], None)
    assert (space.distributions, space.fixed) == ({}, (typed,))


def test_the_command_line_searches_what_a_named_space_fixes() -> None:
    space = read_space({"a": "0.1"}, ["a=interval(0, 1)"], None)
    assert (list(space.distributions), space.fixed) == (["a"], ())


@pytest.mark.parametrize("typed", ["a=range(0,1,0)", "a=interval(1, 0)"])
def test_an_empty_range_is_refused(typed: str) -> None:
    with pytest.raises(UserError, match="is no search space"):
        read_space({}, [typed], None)


def test_corners_are_all_combinations_of_ends_and_choices() -> None:
    space = read_space({}, ["a=interval(0, 1)", "b=x,y,z"], None)
    assert len(list(space.corners(["a", "b"]))) == 6
    assert list(space.corners([])) == [{}]


def test_where_there_are_too_many_corners_each_end_is_still_seen() -> None:
    names = [f"k{i}" for i in range(12)]
    space = SearchSpace({name: FloatDistribution(0, 1) for name in names}, ())
    corners = list(space.corners(names))
    assert len(corners) == MOST_COMBINATIONS + 13
    assert all({corner[name] for corner in corners} == {0.0, 1.0} for name in names)


def test_values_are_typed_as_hydra_reads_them() -> None:
    space = SearchSpace({}, ())
    assert space.overrides({"a": None, "b": True, "c": 1e-05}) == ("a=null", "b=true", "c=1e-05")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("[0.1, 0.01]", "write lr: 0.1, 0.01"),
        ("{'type': 'float', 'low': 0.1}", "is a mapping; allowed: interval(LOW, HIGH)"),
        ("{low: 1, high: 2}", "is a mapping; allowed: interval(LOW, HIGH)"),
        ("choice(null, 1.0)", "write lr: null, 1.0"),
        ("uniform(0, 1)", "cannot be read; allowed: interval(LOW, HIGH)"),
    ],
)
def test_an_entry_that_is_no_space_is_told_what_to_write(value: str, said: str) -> None:
    with pytest.raises(UserError) as refused:
        read_space({"lr": value}, [], None)
    assert said in str(refused.value)
