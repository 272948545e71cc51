"""Checks of the numbers a model's YAML holds: each error names the config key."""

from collections.abc import Sequence

from cnnsweep.errors import UserError


def count(key: str, value: object) -> int:
    """``value`` as it is, if it is a whole number of at least 1; else UserError."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise UserError(f"{key}={value}: allowed is a whole number of at least 1")
    return value


def odd(key: str, value: object) -> int:
    """A whole number of at least 1 that is odd, so that a kernel has a middle; else UserError."""
    if count(key, value) % 2 == 0:
        raise UserError(f"{key}={value}: allowed is an odd number where padding keeps the size")
    return count(key, value)


def counts(key: str, values: object) -> list[int]:
    """A list of whole numbers of at least 1 with at least one entry; else UserError."""
    if isinstance(values, str) or not isinstance(values, Sequence) or len(values) == 0:
        raise UserError(f"{key}={values}: allowed is a list of whole numbers, such as [16, 32]")
    return [count(key, value) for value in values]


def probability(key: str, value: object) -> float:
    """``value`` as it is, if it is a number in [0, 1); else UserError."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1:
        raise UserError(f"{key}={value}: allowed is a number in [0, 1)")
    return value


def flag(key: str, value: object) -> bool:
    """``value`` as it is, if it is true or false; else UserError."""
    if not isinstance(value, bool):
        raise UserError(f"{key}={value}: allowed is true or false")
    return value
