"""Each rule takes what it says and names the rest."""

import json
import math

import pytest

from cnnsweep.rules import (
    Rule,
    above_zero,
    as_typed,
    choice,
    conditional,
    flag,
    from_zero,
    or_null,
    share,
    whole,
)


@pytest.mark.parametrize(
    ("rule", "fit", "unfit"),
    [
        (whole("k", 1), (1, 10**9), (0, 1.0, True, "1", None)),
        (whole("k", 1, "auto"), (1, "auto"), (0, "Auto", None)),
        (above_zero("k"), (1, 1e-9), (0, -1, math.nan, math.inf, True, "1", None)),
        (from_zero("k"), (0, 0.0, 3), (-1e-9, math.nan, False, None)),
        (share("k"), (0, 0.999), (1, -0.1, math.nan, True, None)),
        (flag("k"), (True, False), (0, 1, "true", None)),
        (choice("k", "a", "b"), ("a", "b"), ("c", None, 1)),
        (or_null(whole("k", 0)), (None, 0), (-1, "null")),
    ],
    ids=lambda value: value.allowed if isinstance(value, Rule) else "",
)
def test_what_is_fit_is_taken_and_the_rest_is_not(
    rule: Rule, fit: tuple[object, ...], unfit: tuple[object, ...]
) -> None:
    assert [value for value in fit if not rule.is_fit(value)] == []
    assert [value for value in unfit if rule.is_fit(value)] == []


def test_the_error_names_the_key_the_value_as_typed_and_what_is_allowed() -> None:
    with pytest.raises(ValueError, match=r"^a\.b=null is out of range: allowed is true or false$"):
        flag("a.b").check(None)
    assert as_typed(True) == "true"


@pytest.mark.parametrize("text", ["1e-3", "3", "null", "true", "nan"])
def test_text_that_looks_like_something_else_is_said_to_be_text(text: str) -> None:
    with pytest.raises(ValueError, match=rf"^a\.b='{text}' is text: allowed is a number above 0$"):
        above_zero("a.b").check(text)


@pytest.mark.parametrize("nested", ['{"space": 1', '{"space":' * 100_000, "{space: a, when: {}}"])
def test_a_text_that_is_no_entry_of_a_space_has_no_condition(nested: str) -> None:
    assert conditional(nested) is None


def test_a_condition_is_read_from_yaml_and_from_what_was_typed() -> None:
    entry = {"space": "1, 2", "when": {"optim": ["sgd"]}}
    assert conditional(entry) == conditional(json.dumps(entry)) == entry
