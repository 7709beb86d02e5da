"""The energies of semi-restricted Boltzmann machines."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import logsumexp
from scipy.stats import chisquare

from sklvm.energies import (
    BernoulliRBMEnergy,
    BoltzmannMachineEnergy,
    GaussianEnergy,
    GaussianRBMEnergy,
    SemiRestrictedGaussianRBMEnergy,
    SemiRestrictedRBMEnergy,
)
from sklvm.graphs import grid_graph, lattice_mask
from sklvm.testing import EnergyTestCase, binary_states, random_parameters


def model(n_features, mask=None):
    rng = np.random.default_rng(4)
    energy = SemiRestrictedGaussianRBMEnergy(n_features, 3, mask)
    theta = random_parameters(energy, rng)
    allowed = np.ones((n_features, n_features)) if mask is None else mask
    precision = allowed * (lambda A: A + A.T)(0.2 * rng.standard_normal(allowed.shape))
    np.fill_diagonal(precision, 1.0 + np.abs(precision).sum(axis=1))
    energy.layout.views(theta)["precision"][...] = energy._entries(precision)
    return energy, theta, rng.standard_normal((12, n_features))


class TestSemiRestrictedGaussianRBMEnergy(EnergyTestCase):
    @pytest.fixture(autouse=True, params=["full", "lattice"])
    def _structure(self, request):
        self.mask = None if request.param == "full" else lattice_mask((2, 3), 1)

    def make(self):
        energy, theta, X = model(6, self.mask)
        assert dict(energy.layout) == dict(SemiRestrictedGaussianRBMEnergy(6, 3, self.mask).layout)
        return energy, theta, X

    def make_small(self):
        return model(2)


class TestSemiRestrictedRBMEnergy(EnergyTestCase):
    @pytest.fixture(autouse=True, params=["full", "lattice"])
    def _structure(self, request):
        self.graph = None if request.param == "full" else grid_graph((2, 2))

    def make(self):
        energy, rng = SemiRestrictedRBMEnergy(4, 3, self.graph), np.random.default_rng(4)
        return energy, random_parameters(energy, rng), binary_states(4)[:12]

    def test_visible_units_are_drawn_from_their_distribution_given_the_hidden_ones(self):
        # One sweep is a step of a chain, not an independent draw.
        energy, theta, _ = self.make()
        states, z = binary_states(4), np.array([1.0, 0.0, 1.0])
        log_joint = -energy.evaluate_joint(theta, states, np.tile(z, (16, 1)))[0]
        p = np.exp(log_joint - logsumexp(log_joint))
        draws = states[self.rng.choice(16, 20_000, p=p)]
        for sweep in range(3):
            draws = energy.sample_visible(
                theta, np.tile(z, (20_000, 1)), self.seed, sweep, current=draws
            )
        counts = np.bincount((draws @ [1, 2, 4, 8]).astype(int), minlength=16)
        assert chisquare(counts, 20_000 * p).pvalue > 1e-4


def test_without_couplings_it_is_the_bernoulli_rbm(rng):
    energy, rbm = SemiRestrictedRBMEnergy(4, 3), BernoulliRBMEnergy(4, 3)
    theta_rbm, X = random_parameters(rbm, rng), binary_states(4)
    theta = np.append(theta_rbm, np.zeros(6))
    assert_allclose(energy.evaluate(theta, X)[0], rbm.evaluate(theta_rbm, X)[0])
    assert_allclose(energy.log_partition(theta), rbm.log_partition(theta_rbm))
    free = np.array([True, False, True, False])
    Z = energy.posterior(theta, X)
    mean = energy.given_mean(theta, Z, X, free)
    assert_allclose(mean, np.where(free, rbm.visible_mean(theta_rbm, Z), X), atol=1e-9)


def test_without_hidden_weights_it_is_a_boltzmann_machine(rng):
    energy, machine = SemiRestrictedRBMEnergy(4, 3), BoltzmannMachineEnergy(4)
    theta, X = random_parameters(energy, rng), binary_states(4)
    views = energy.layout.views(theta)
    views["weights"][...] = 0
    theta_machine = machine.layout.pack(
        coupling=views["coupling"], visible_bias=views["visible_bias"]
    )
    log_p = -energy.evaluate(theta, X)[0] - energy.log_partition(theta)
    expected = -machine.evaluate(theta_machine, X)[0] - machine.log_partition(theta_machine)
    assert_allclose(log_p, expected)


def test_with_a_diagonal_precision_it_is_the_gaussian_rbm(rng):
    energy, theta, X = model(4, np.eye(4, dtype=bool))
    views, precision = energy.layout.views(theta), np.diag(energy.precision(theta))
    rbm = GaussianRBMEnergy(4, 3, "learn_diagonal", sigma_floor=1e-9)
    theta_rbm = rbm.layout.pack(
        weights=views["weights"] / precision,
        visible_bias=views["visible_bias"] / precision,
        hidden_bias=views["hidden_bias"],
        log_scale=rbm.scale.start(1 / precision),
    )
    log_density = -energy.evaluate(theta, X)[0] - energy.log_partition(theta)
    expected = -rbm.evaluate(theta_rbm, X)[0] - rbm.log_partition(theta_rbm)
    assert_allclose(log_density, expected, rtol=1e-9)
    assert_allclose(energy.score(theta, X)[0], rbm.score(theta_rbm, X)[0], rtol=1e-8, atol=1e-9)


def test_without_weights_it_is_a_gaussian(rng):
    energy, theta, X = model(4)
    views = energy.layout.views(theta)
    views["weights"][...] = 0
    gaussian, precision = GaussianEnergy(4), energy.precision(theta)
    theta_gaussian = gaussian.pack(np.linalg.solve(precision, views["visible_bias"]), precision)
    log_density = -energy.evaluate(theta, X)[0] - energy.log_partition(theta)
    expected = -gaussian.evaluate(theta_gaussian, X)[0] - gaussian.log_partition(theta_gaussian)
    assert_allclose(log_density, expected, rtol=1e-10)


def test_a_full_precision_is_a_whitening_before_a_gaussian_rbm(rng):
    # Λ = LLᵀ: the machine of x is the Gaussian RBM with σ = 1 of Lᵀx.
    energy, theta, X = model(4)
    views, L = energy.layout.views(theta), np.linalg.cholesky(energy.precision(theta))
    rbm = GaussianRBMEnergy(4, 3, 1.0)
    theta_rbm = rbm.layout.pack(
        weights=np.linalg.solve(L, views["weights"].T).T,
        visible_bias=np.linalg.solve(L, views["visible_bias"]),
        hidden_bias=views["hidden_bias"],
    )
    log_density = -energy.evaluate(theta, X)[0] - energy.log_partition(theta)
    expected = -rbm.evaluate(theta_rbm, X @ L)[0] - rbm.log_partition(theta_rbm)
    assert_allclose(log_density, expected + np.log(np.diag(L)).sum(), rtol=1e-10)


@pytest.mark.parametrize("mask", [None, lattice_mask((2, 3), 1)])
def test_held_units_say_what_the_others_are(mask, random_seed):
    energy, theta, X = model(6, mask)
    precision, views = energy.precision(theta), energy.layout.views(theta)
    z, free = np.array([1.0, 0.0, 1.0]), np.array([True, False, True, True, False, False])
    covariance = np.linalg.inv(precision[np.ix_(free, free)])
    h = views["visible_bias"] + z @ views["weights"]
    mean = covariance @ (h[free] - precision[np.ix_(free, ~free)] @ X[0, ~free])
    current, Z = np.tile(X[0], (40_000, 1)), np.tile(z, (40_000, 1))
    for of_rows in (free, np.tile(free, (40_000, 1))):
        draws = energy.sample_visible(theta, Z, random_seed, free=of_rows, current=current)
        assert np.all(draws[:, ~free] == X[0, ~free])
        assert_allclose(draws[:, free].mean(axis=0), mean, atol=0.03)
        assert_allclose(np.cov(draws[:, free].T), covariance, atol=0.03)
    assert_allclose(energy.given_mean(theta, z[np.newaxis], X[:1], free)[0, free], mean)
