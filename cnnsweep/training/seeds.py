"""One integer seeds everything.

Each epoch draws from generators seeded by (seed, epoch) alone, so an epoch comes out the same
whether or not its process trained the epochs before it.
"""

import hashlib
import random

import numpy as np
import torch


def seed_everything(seed: int, purpose: str) -> None:
    """Seed Python's, NumPy's and torch's generators (all devices) for one purpose of a run."""
    digest = hashlib.sha256(f"{seed}/{purpose}".encode()).digest()
    number = int.from_bytes(digest[:8], "big")
    random.seed(number)
    np.random.seed(number % 2**32)
    torch.manual_seed(number)
