"""The unnormalised mixture of Gaussians, against the normalised one."""

import numpy as np
from numpy.testing import assert_allclose
from scipy.special import logsumexp
from scipy.stats import multivariate_normal

from sklvm.densities import GaussianMixtureDensity
from sklvm.energies import GaussianMixtureEnergy
from sklvm.testing import EnergyTestCase, random_parameters


class TestGaussianMixtureEnergy(EnergyTestCase):
    def make(self, n_features=4):
        rng = np.random.default_rng(2)
        energy = GaussianMixtureEnergy(n_features, 3, sigma_floor=0.2)
        return energy, random_parameters(energy, rng), rng.standard_normal((12, n_features))

    def make_small(self):
        return self.make(2)


def test_its_density_is_that_of_the_mixture_whose_weights_are_the_shares_of_the_mass(rng):
    energy = GaussianMixtureEnergy(3, 4)
    theta, X = random_parameters(energy, rng), rng.standard_normal((20, 3))
    views = energy.layout.views(theta)
    variances = np.exp(2 * views["log_scale"]) + 1e-6
    masses = np.exp(np.append(0, views["log_heights"])) * (2 * np.pi * variances) ** 1.5
    mixture = GaussianMixtureDensity(
        masses, views["means"], variances[:, np.newaxis, np.newaxis] * np.eye(3)
    )
    log_density = -energy.evaluate(theta, X)[0] - energy.log_partition(theta)
    assert_allclose(log_density, mixture.log_density(X), rtol=1e-9)
    assert_allclose(energy.log_partition(theta), np.log(masses.sum()), rtol=1e-12)


def test_draws_are_those_of_the_mixture(rng):
    energy = GaussianMixtureEnergy(1, 2)
    theta = energy.layout.pack(
        means=[[-3.0], [3.0]], log_scale=np.log([0.5, 1.0]), log_heights=[0.0]
    )
    draws = energy.sample(theta, 30_000, rng)
    # Equal heights: masses are as the widths.
    assert abs(np.mean(draws < 0) - 1 / 3) < 0.02
    assert abs(draws[draws < -1].std() - 0.5) < 0.02
    assert abs(draws[draws > 1].std() - 0.98) < 0.04


def test_responsibilities_are_bayes_rule(rng):
    energy = GaussianMixtureEnergy(2, 2)
    theta, X = random_parameters(energy, rng), rng.standard_normal((5, 2))
    views = energy.layout.views(theta)
    weights = energy.log_masses(theta)
    log_joint = np.transpose(
        [
            w + multivariate_normal(m, (np.exp(2 * rho) + 1e-6) * np.eye(2)).logpdf(X)
            for w, m, rho in zip(weights, views["means"], views["log_scale"], strict=True)
        ]
    )
    expected = np.exp(log_joint - logsumexp(log_joint, axis=1, keepdims=True))
    assert_allclose(energy.posterior(theta, X), expected, rtol=1e-9)
