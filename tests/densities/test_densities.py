"""The reference densities: log-densities against other code, draws against moments, weights."""

import tracemalloc

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import bernoulli, multivariate_normal

from sklvm.densities import GaussianDensity, GaussianMixtureDensity, IndependentBernoulliDensity
from sklvm.testing import binary_states, numerical_jacobian

MEAN = np.array([1.0, -2.0, 0.5])
COVARIANCE = np.array([[2.0, 0.6, 0.0], [0.6, 1.0, -0.3], [0.0, -0.3, 0.5]])
dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])


@pytest.mark.parametrize("covariance", [COVARIANCE, np.diag([2.0, 1.0, 0.5])])
def test_the_gaussian_is_that_of_scipy(covariance, rng):
    X = rng.standard_normal((9, 3))
    density = GaussianDensity(MEAN, covariance)
    assert_allclose(density.log_density(X), multivariate_normal(MEAN, covariance).logpdf(X))
    for x, score in zip(X, density.score(X), strict=True):
        slope = numerical_jacobian(lambda y: density.log_density(y[np.newaxis])[0], x)
        assert_allclose(score, slope, rtol=1e-8)


@dtypes
def test_gaussian_draws_come_with_their_log_densities(dtype, rng):
    density = GaussianDensity(MEAN, COVARIANCE, dtype=dtype)
    X, log_density = density.sample_with_log_density(100_000, rng)
    assert X.dtype == dtype
    assert_allclose(log_density, density.log_density(X), rtol=1e-3, atol=1e-3)
    error = np.sqrt(np.diag(COVARIANCE) / len(X))
    assert np.all(np.abs(X.mean(axis=0) - MEAN) < 5 * error)
    assert_allclose(np.cov(X.T), COVARIANCE, atol=0.05)


def test_gaussian_draws_do_not_hang_on_the_last_bit_of_the_covariance(rng):
    for _ in range(20):
        factor = rng.standard_normal((12, 6))
        covariance = factor.T @ factor
        nearby = covariance * (1 + 1e-14 * np.diag(rng.standard_normal(6)))
        draws, others = (
            GaussianDensity(np.zeros(6), matrix).sample(5, np.random.default_rng(0))
            for matrix in (covariance, nearby)
        )
        assert_allclose(others, draws, rtol=0, atol=1e-8)


@dtypes
def test_the_fitted_gaussian_has_the_weighted_moments(dtype, rng):
    X = (rng.standard_normal((50, 3)) @ COVARIANCE + MEAN).astype(dtype)
    weights = rng.integers(1, 4, 50)
    density = GaussianDensity.fit(X, weights.astype(dtype))
    repeated = GaussianDensity.fit(np.repeat(X, weights, axis=0))
    rtol = 1e-3 if dtype == np.float32 else 1e-9
    assert density.location.dtype == dtype
    assert_allclose(density.location, np.average(X, axis=0, weights=weights), rtol=rtol)
    assert_allclose(density.log_density(X), repeated.log_density(X), rtol=rtol)
    assert_allclose(
        np.sort(density.variances),
        np.linalg.eigvalsh(np.cov(X.T.astype(np.float64), fweights=weights, ddof=0)),
        rtol=rtol,
    )


@pytest.mark.parametrize(
    "X", [np.ones((5, 3)), np.eye(3)[:2], np.outer(np.arange(9.0), np.ones(3))]
)
def test_a_degenerate_fit_is_a_density_all_the_same(X, rng):
    density = GaussianDensity.fit(X)
    assert np.all(np.isfinite(density.log_density(np.vstack([X, X + 1]))))
    assert np.all(np.isfinite(density.sample(10, rng)))


@dtypes
def test_a_mixture_is_the_sum_of_scipys_gaussians_and_draws_from_it(dtype, rng):
    covariances = [COVARIANCE, np.diag([0.2, 0.4, 2.0])]
    means, shares = np.array([MEAN, -MEAN]), [0.3, 0.7]
    density = GaussianMixtureDensity(shares, means, covariances, dtype=dtype)
    X = density.sample(100_000, rng)
    assert X.dtype == dtype
    components = [multivariate_normal(*pair) for pair in zip(means, covariances, strict=True)]
    expected = sum(p * c.pdf(X[:9]) for p, c in zip(shares, components, strict=True))
    assert_allclose(density.log_density(X[:9]), np.log(expected), rtol=1e-4, atol=1e-5)
    assert_allclose(X.mean(axis=0), shares @ means, atol=0.04)
    second = sum(
        p * (c.cov + np.outer(c.mean, c.mean)) for p, c in zip(shares, components, strict=True)
    )
    assert_allclose(X.T @ X / len(X), second, atol=0.1)


def test_independent_bits_are_those_of_scipy_and_sum_to_one():
    means = np.array([0.1, 0.5, 0.9, 0.3])
    density = IndependentBernoulliDensity(means)
    states = binary_states(4)
    assert_allclose(density.log_density(states), bernoulli(means).logpmf(states).sum(axis=1))
    assert_allclose(np.exp(density.log_density(states)).sum(), 1, rtol=1e-12)


@dtypes
def test_independent_draws_have_the_means_and_come_with_their_log_densities(dtype, rng):
    density = IndependentBernoulliDensity(np.array([0.1, 0.5, 0.9], dtype=dtype))
    X, log_density = density.sample_with_log_density(40_000, rng)
    assert X.dtype == dtype
    assert set(np.unique(X)) == {0, 1}
    assert np.all(np.abs(X.mean(axis=0) - density.means) < 5 * 0.5 / 200)
    assert_allclose(log_density, density.log_density(X))


@dtypes
def test_fitted_bits_have_smoothed_weighted_means(dtype):
    X = np.array([[0, 1, 1], [0, 1, 0]], dtype=dtype)
    density = IndependentBernoulliDensity.fit(X, np.array([3, 1], dtype=dtype))
    assert density.means.dtype == dtype
    assert_allclose(density.means, [0.5 / 5, 4.5 / 5, 3.5 / 5], rtol=1e-6)
    assert_allclose(IndependentBernoulliDensity.fit(X).means, [0.5 / 3, 2.5 / 3, 0.5])


@pytest.mark.parametrize("covariance", [COVARIANCE, np.diag(COVARIANCE)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_draws_are_the_same_wherever_they_are_written(covariance, dtype):
    density = GaussianDensity(MEAN, covariance)
    X, log_density = density.sample_with_log_density(70_000, np.random.default_rng(0))
    out = np.zeros((70_002, 3), dtype)
    written = density.draw_into(out[1:-1], np.random.default_rng(0))
    np.testing.assert_array_equal(out[1:-1], X.astype(dtype))
    np.testing.assert_array_equal(written, log_density)
    assert not out[[0, -1]].any()


def test_a_diagonal_may_be_given_as_a_vector():
    variances = np.diag(COVARIANCE)
    vector, matrix = (GaussianDensity(MEAN, given) for given in (variances, np.diag(variances)))
    X = np.random.default_rng(0).standard_normal((5, 3))
    np.testing.assert_array_equal(vector.log_density(X), matrix.log_density(X))
    np.testing.assert_array_equal(vector.directions, np.eye(3))


def test_without_correlations_no_array_is_as_wide_as_it_is_high():
    X = np.random.default_rng(0).standard_normal((20, 20_000), dtype=np.float32)
    tracemalloc.start()
    density = GaussianDensity.fit(X, correlations="none")
    density.sample_with_log_density(20, np.random.default_rng(0))
    density.log_density(X)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20 * X.nbytes  # a matrix of all pairs has 1,000 times X's entries
