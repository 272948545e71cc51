from fractions import Fraction

import pytest

from cnnsweep.errors import UserError
from cnnsweep.machine.gpu_share import VARIABLE, of_allocator, own_share

GIBIBYTE = 2**30


@pytest.mark.parametrize(
    ("typed", "share"),
    [("1/2", Fraction(1, 2)), ("2/3", Fraction(2, 3)), ("0.25", Fraction(1, 4)), ("1", 1)],
)
def test_a_share_is_a_plain_fraction(typed: str, share: Fraction) -> None:
    assert own_share({VARIABLE: typed}) == share


def test_without_the_variable_all_of_it_is_ours() -> None:
    assert own_share({}) == own_share({VARIABLE: "none"}) == 1


@pytest.mark.parametrize(
    "typed", ["", "half", "0", "0/2", "1/0", "-1/2", "3/2", "2", "nan", "inf", "1/2/3"]
)
def test_anything_else_is_refused_by_name(typed: str) -> None:
    with pytest.raises(
        UserError, match=f"^{VARIABLE}='{typed}' is not a share .*such as 1/2, or none$"
    ):
        own_share({VARIABLE: typed})


@pytest.mark.parametrize("workers", [1, 2, 3, 8, 64])
@pytest.mark.parametrize("gibibytes", [1, 4, 24, 80, 141])
def test_all_allocators_and_their_contexts_fit_a_gpu_that_has_room(
    workers: int, gibibytes: int
) -> None:
    one = of_allocator(Fraction(1, workers), gibibytes * GIBIBYTE)
    assert 0 < one <= 1 / workers
    if workers == 1:
        assert one == 1
    elif gibibytes >= 2 * workers:  # a GiB for each worker's data and one for its context
        assert one * workers * gibibytes == pytest.approx(gibibytes - workers)
    else:
        assert one == pytest.approx(1 / workers / 2)
