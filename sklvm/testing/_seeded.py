"""The random numbers of a test."""

import os
from functools import cached_property

import numpy as np

__all__ = ["Seeded"]


class Seeded:
    """Gives a test its generator.

    Attributes
    ----------
    seed : int
        The environment's ``SKLVM_TEST_SEED``, or 0.
    rng : Generator
        Made anew from ``seed`` for every test.
    """

    seed = int(os.environ.get("SKLVM_TEST_SEED", "0"))

    @cached_property
    def rng(self):
        return np.random.default_rng(self.seed)
