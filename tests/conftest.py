"""Fixtures that every test may ask for."""

import os

# Where processes share the cores among them (pytest-xdist), each has one thread, unless a test asks
# for more; set before anything loads OpenMP or BLAS.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pytest

# The shared test cases' assertions explain themselves as those of the tests do.
pytest.register_assert_rewrite("sklvm.testing")

# No test opens a window, whatever the machine; set before anything imports matplotlib.
os.environ.setdefault("MPLBACKEND", "Agg")


def pytest_itemcollected(item):
    """A test has the same name in all processes, or pytest-xdist could not divide the tests."""
    if " at 0x" in item.nodeid:
        raise pytest.UsageError(f"{item.nodeid} is named by an address: give its parameters ids.")


@pytest.fixture
def random_seed():
    """The seed of the test run: SKLVM_TEST_SEED, or 0."""
    return int(os.environ.get("SKLVM_TEST_SEED", "0"))


@pytest.fixture
def rng(random_seed):
    """A numpy generator made from the seed of the test run."""
    return np.random.default_rng(random_seed)
