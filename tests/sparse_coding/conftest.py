import numpy as np
import pytest


@pytest.fixture
def problem(rng):
    """Data and an overcomplete dictionary of unit atoms."""
    D = rng.standard_normal((60, 20))
    D /= np.linalg.norm(D, axis=1, keepdims=True)
    return rng.standard_normal((80, 20)), D
