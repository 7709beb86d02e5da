"""The cross-entropy of bits and its derivative are what float64 mathematics says they are."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit

from sklvm.kernels import cross_entropy

dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def exact(log_odds, X):
    """Values and derivatives in float64, missing entries left out."""
    u, x = log_odds.astype(np.float64), X.astype(np.float64)
    return np.nansum(np.logaddexp(0, u) - x * u, axis=1), np.nan_to_num(expit(u) - x)


def bits_and_log_odds(rng, dtype, shape=(7, 1500), missing=0.1):
    log_odds = 10 * rng.standard_normal(shape)
    X = np.where(rng.random(shape) < missing, np.nan, rng.random(shape))
    X[0] = X[0] > 0.5
    return log_odds.astype(dtype), X.astype(dtype)


@dtypes
@pytest.mark.parametrize("width", [1, 9, 1500, 3000])
def test_values_and_derivatives_are_exact_to_rounding(dtype, width, rng):
    log_odds, X = bits_and_log_odds(rng, dtype, (7, width))
    residual = np.empty_like(X)
    values = cross_entropy(log_odds, X, residual)
    expected, slopes = exact(log_odds, X)
    single = dtype == np.float32
    assert values.dtype == dtype
    assert_allclose(values, expected, rtol=1e-6 if single else 1e-13)
    assert_allclose(residual, slopes, atol=2e-7 if single else 1e-15)


def test_it_is_minus_the_log_probability_of_bits(rng):
    log_odds = rng.standard_normal((5, 4))
    X = (rng.random((5, 4)) < 0.5).astype(float)
    p = expit(log_odds)
    assert_allclose(cross_entropy(log_odds, X), -np.log(np.where(X == 1, p, 1 - p)).sum(axis=1))


def test_certain_bits_cost_nothing_and_impossible_ones_their_log_odds():
    log_odds = np.array([[1e4, -1e4], [1e4, -1e4]])
    assert_array_equal(cross_entropy(log_odds, np.array([[1.0, 0.0], [0.0, 1.0]])), [0.0, 2e4])


@dtypes
def test_bits_do_not_depend_on_threads_or_on_the_other_rows(dtype, rng):
    log_odds, X = bits_and_log_odds(rng, dtype, (50, 333))
    one = cross_entropy(log_odds, X, n_threads=1)
    for n_threads in (2, 5):
        assert_array_equal(cross_entropy(log_odds, X, n_threads=n_threads), one)
    assert_array_equal(cross_entropy(log_odds[13:14], X[13:14]), one[13:14])


def test_any_layout_and_no_rows(rng):
    log_odds, X = bits_and_log_odds(rng, np.float64, (6, 8))
    expected = cross_entropy(log_odds, X)
    assert_array_equal(cross_entropy(np.asfortranarray(log_odds), X[:, ::-1][:, ::-1]), expected)
    assert cross_entropy(log_odds[:0], X[:0]).shape == (0,)
    assert_array_equal(cross_entropy(log_odds[:, :0], X[:, :0]), np.zeros(6))


def test_bad_arguments_are_named():
    u = np.zeros((2, 3))
    with pytest.raises(TypeError, match="log_odds must be of dtype float32 or float64"):
        cross_entropy(u.astype(int), u)
    with pytest.raises(TypeError, match="X must be of dtype float64, got float32"):
        cross_entropy(u, u.astype(np.float32))
    with pytest.raises(ValueError, match=r"X must have shape \(2, 3\)"):
        cross_entropy(u, u[:1])
    with pytest.raises(ValueError, match="residual must be contiguous"):
        cross_entropy(u, u, np.zeros((3, 2)).T)
