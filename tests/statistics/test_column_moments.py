"""Means and variances of columns, against numpy on a float64 copy."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sklvm.statistics import column_moments


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("order", ["C", "F"])
def test_moments_are_those_of_the_columns(dtype, order, rng):
    X = np.asarray(rng.standard_normal((3000, 700)) * 2 + 1, dtype=dtype, order=order)
    mean, variance = column_moments(X)
    assert mean.dtype == variance.dtype == np.float64
    assert_allclose(mean, X.astype(np.float64).mean(axis=0), rtol=1e-10, atol=1e-12)
    assert_allclose(variance, X.astype(np.float64).var(axis=0), rtol=1e-10)


def test_weights_count_as_repetitions(rng):
    X, weights = rng.standard_normal((50, 3)), rng.integers(0, 4, 50)
    for ours, repeated in zip(
        column_moments(X, weights), column_moments(np.repeat(X, weights, axis=0)), strict=True
    ):
        assert_allclose(ours, repeated, rtol=1e-12)


def test_a_large_mean_costs_no_digits(rng):
    X = rng.standard_normal((2000, 2)) + 1e8
    assert_allclose(column_moments(X)[1], X.var(axis=0), rtol=1e-9)
    assert np.all(column_moments(np.full((5, 2), 0.1))[1] == 0)
