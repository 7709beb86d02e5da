"""Means and variances of columns, against numpy on a float64 copy."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sklvm.statistics import GaussianStatistics, column_moments


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


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("value", [7.3, -1e-3, 1e5, 1e15, 0.0])
@pytest.mark.parametrize("n_rows", [2, 13, 399, 5000])
def test_equal_values_have_no_variance(value, n_rows, dtype):
    X = np.random.default_rng(0).standard_normal((n_rows, 3)).astype(dtype)
    X[:, 1] = value
    weights = np.random.default_rng(1).random(n_rows)
    for some in (None, weights):
        mean, variance = column_moments(X, some)
        assert mean[1] == pytest.approx(X[0, 1], rel=1e-15) and variance[1] == 0
        assert (variance[[0, 2]] > 0).all()
        location, covariance = GaussianStatistics.collect(X, some).solve()
        np.testing.assert_allclose(location, mean, rtol=1e-12, atol=1e-15)
        assert not covariance[1].any() and not covariance[:, 1].any()
        np.testing.assert_allclose(np.diag(covariance), variance, rtol=1e-10)


@pytest.mark.parametrize("scale", [1e-30, 1e-23, 1e15, 1e18])
def test_single_precision_of_any_scale(scale):
    X = np.random.default_rng(0).standard_normal((500, 3)).astype(np.float32)
    mean, variance = column_moments(X)
    scaled = (X.astype(np.float64) * scale).astype(np.float32)
    scaled_mean, scaled_variance = column_moments(scaled)
    np.testing.assert_allclose(scaled_mean, scale * mean, rtol=1e-5)
    np.testing.assert_allclose(scaled_variance, scale**2 * variance, rtol=1e-6)
    _, covariance = GaussianStatistics.collect(scaled).solve()
    np.testing.assert_allclose(np.diag(covariance), scaled_variance, rtol=1e-12)
