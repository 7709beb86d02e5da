"""A kernel of any covariance, against scipy's Gaussians and quadrature."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import logsumexp
from scipy.stats import multivariate_normal
from sklearn.neighbors import KernelDensity

from sklvm.densities import GaussianKernelDensity, silverman_bandwidth


@pytest.fixture
def X(rng):
    return rng.standard_normal((30, 3)) @ [[1.0, 0.8, 0.0], [0.0, 0.5, 0.1], [0.0, 0.0, 2.0]]


def covariance_of(density):
    """H, from what the map does to the basis."""
    root = density.whiten(np.eye(density.n_features))
    return np.linalg.inv(root @ root.T)


@pytest.mark.parametrize("shrinkage", [0.01, 0.3, np.inf])
def test_it_is_the_mean_of_gaussians_of_the_shrunk_covariance(shrinkage, X, rng):
    density = GaussianKernelDensity.fit(X, shrinkage=shrinkage, width=0.8)
    C = np.cov(X.T, bias=True)
    target = np.trace(C) / 3 * np.eye(3)
    h = 0.8 * silverman_bandwidth(30, 3)
    shape = target if np.isinf(shrinkage) else (C + shrinkage * target) / (1 + shrinkage)
    np.testing.assert_allclose(covariance_of(density), h**2 * shape, rtol=1e-9)
    rows = 2 * rng.standard_normal((7, 3))
    each = [multivariate_normal(c, h**2 * shape).logpdf(rows) for c in X]
    np.testing.assert_allclose(density.log_density(rows), logsumexp(each, axis=0) - np.log(30))


def test_a_round_kernel_is_that_of_scikit_learn(X, rng):
    rows = rng.standard_normal((9, 3))
    theirs = KernelDensity(bandwidth=0.7).fit(X).score_samples(rows)
    np.testing.assert_allclose(GaussianKernelDensity(X, 1 / 0.7).log_density(rows), theirs)


def test_more_features_than_rows_need_no_other_formula(rng):
    X = rng.standard_normal((6, 20))
    density = GaussianKernelDensity.fit(X, shrinkage=0.5)
    H = covariance_of(density)
    each = [multivariate_normal(c, H).logpdf(X[:2] + 0.3) for c in X]
    np.testing.assert_allclose(
        density.log_density(X[:2] + 0.3), logsumexp(each, axis=0) - np.log(6)
    )


def test_centres_are_scored_without_themselves(X):
    density = GaussianKernelDensity.fit(X)
    left_out = density.left_out_log_density()
    for i in (0, 17):
        others = GaussianKernelDensity(
            np.delete(X, i, axis=0), density.rest, density.directions, density.scales
        )
        assert left_out[i] == pytest.approx(others.log_density(X[[i]])[0])


@pytest.mark.parametrize("weights", [None, np.arange(1.0, 31)])
def test_conditionals_are_those_of_the_integral_over_the_feature(weights, X):
    density = GaussianKernelDensity.fit(X, weights, shrinkage=0.2)
    row = np.array([[0.3, -0.4, 1.0]])
    conditionals = density.log_conditionals(row)[0]
    for j in range(3):

        def joint(value, j=j):
            moved = row.copy()
            moved[0, j] = value
            return np.exp(density.log_density(moved)[0])

        marginal, _ = quad(joint, -15, 15, epsabs=1e-12, limit=200)
        expected = density.log_density(row)[0] - np.log(marginal)
        assert conditionals[j] == pytest.approx(expected, abs=1e-6)


def test_a_wider_kernel_from_the_same_distances(X):
    density = GaussianKernelDensity(X, 2.0)
    wide = GaussianKernelDensity(X, 2.0 / 3)
    for rows, distances in density.distances(X[:5]):
        values = density.log_density_at(distances, width=3.0)
        differences = wide.log_density(X[:5])[rows] - values
        np.testing.assert_allclose(differences, differences[0])


def test_equal_rows_have_no_width():
    with pytest.raises(ValueError, match="All rows of X are equal"):
        GaussianKernelDensity.fit(np.ones((4, 2)))
