"""Which share of a GPU's memory this process may use; without torch."""

import os
from collections.abc import Mapping
from fractions import Fraction

from cnnsweep.errors import UserError

VARIABLE = "CNNSWEEP_GPU_SHARE"
NONE = "none"  # what workers hear of no share: each takes what it can get
# Beside what torch allocates each process has a context of the driver's on the GPU, and kernels.
_OF_THE_DRIVER = 2**30


def own_share(environment: Mapping[str, str] = os.environ) -> Fraction:
    """This process's share, above 0 and at most 1, which is also that where there is none.

    Raises:
        UserError: the variable holds anything else.
    """
    typed = environment.get(VARIABLE, NONE)
    if typed == NONE:
        return Fraction(1)
    try:
        share = Fraction(typed)
    except (ValueError, ZeroDivisionError):
        share = Fraction(0)
    if not 0 < share <= 1:
        raise UserError(
            f"{VARIABLE}={typed!r} is not a share of a GPU: allowed is a number above 0 and at "
            f"most 1, such as 1/2, or {NONE}"
        )
    return share


def of_allocator(share: Fraction, memory: int) -> float:
    """What torch may allocate, as a fraction of a GPU's ``memory`` in bytes.

    The share, less a GiB for the driver, but half of the share at least; all of it where nobody
    shares.
    """
    if share == 1:
        return 1.0
    return float(max(share / 2, share - Fraction(_OF_THE_DRIVER, memory)))
