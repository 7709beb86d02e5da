"""Every density of the package keeps what a density promises."""

import numpy as np
from sklearn.mixture import GaussianMixture

import sklvm.densities
from sklvm import ConstrainedGaussian
from sklvm.densities import (
    ChowLiuDensity,
    EstimatorDensity,
    GaussianDensity,
    GaussianKernelDensity,
    GaussianMixtureDensity,
    IndependentBernoulliDensity,
    estimator_density,
)
from sklvm.testing import DensityTestCase

COVARIANCE = np.array([[2.0, 0.6], [0.6, 0.5]])


class TestGaussianDensity(DensityTestCase):
    def make(self, dtype=np.float64):
        return GaussianDensity(np.array([1.0, -2.0]), COVARIANCE, dtype=dtype)

    def fit(self, X, sample_weight):
        return GaussianDensity.fit(X, sample_weight)


class TestGaussianDensityWithoutCorrelations(DensityTestCase):
    def make(self, dtype=np.float64):
        return GaussianDensity(np.array([1.0, -2.0]), np.diag([2.0, 0.5]), dtype=dtype)

    def fit(self, X, sample_weight):
        return GaussianDensity.fit(X, sample_weight, correlations="none")


class TestGaussianKernelDensity(DensityTestCase):
    def make(self, dtype=np.float64):
        centres = np.array([[0.0, 0.0], [1.0, -1.0], [3.0, 0.5]], dtype=dtype)
        directions = np.array([[0.6], [0.8]])
        return GaussianKernelDensity(
            centres, 2.0, directions, np.array([1.0]), sample_weight=np.array([1.0, 2.0, 1.0])
        )

    def fit(self, X, sample_weight):
        return GaussianKernelDensity.fit(X, sample_weight)


class TestGaussianMixtureDensity(DensityTestCase):
    def make(self, dtype=np.float64):
        means, covariances = np.array([[2.0, 0.0], [-2.0, 1.0]]), [COVARIANCE, np.eye(2)]
        return GaussianMixtureDensity([1, 3], means, covariances, dtype=dtype)


class TestIndependentBernoulliDensity(DensityTestCase):
    is_binary = True

    def make(self, dtype=np.float64):
        return IndependentBernoulliDensity(np.array([0.1, 0.5, 0.9, 0.3], dtype=dtype))

    def fit(self, X, sample_weight):
        return IndependentBernoulliDensity.fit(X, sample_weight)


class TestChowLiuDensity(DensityTestCase):
    is_binary = True

    def make(self, dtype=np.float64):
        means = np.array([[0.4, 0.1, 0.2, 0.7], [0.4, 0.9, 0.6, 0.3]], dtype=dtype)
        return ChowLiuDensity(np.array([-1, 0, 0, 1]), means)

    def fit(self, X, sample_weight):
        return ChowLiuDensity.fit(X, sample_weight)


class TestEstimatorDensity(DensityTestCase):
    def make(self, dtype=np.float64):
        X = np.random.default_rng(0).standard_normal((100, 2)) @ np.linalg.cholesky(COVARIANCE).T
        return EstimatorDensity(ConstrainedGaussian().fit(X), dtype=dtype)

    def fit(self, X, sample_weight):
        return estimator_density(ConstrainedGaussian(), X, sample_weight, self.rng)


class TestMixtureOfScikitLearn(DensityTestCase):
    def make(self, dtype=np.float64):
        X = np.random.default_rng(0).standard_normal((300, 2)).astype(dtype)
        X[::3] += 3
        return estimator_density(GaussianMixture(2, random_state=0), X, np.ones(300), self.rng)


def test_every_density_has_a_case():
    tested = {name.removeprefix("Test") for name in globals() if name.startswith("Test")}
    public = {name for name in sklvm.densities.__all__ if name.endswith("Density")} - {"Density"}
    assert public <= tested
