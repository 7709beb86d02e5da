"""The hidden units of an energy: posterior, marginal, means, and bounds."""

import unittest

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import logsumexp

from sklvm.energies import (
    Bound,
    ExactPosterior,
    IndependentBinaryLatents,
    Joint,
    LatentStates,
    Marginal,
)
from sklvm.testing._energy_checks import EnergyChecks, some_hidden
from sklvm.testing._exact_distribution import binary_states
from sklvm.testing._finite_differences import assert_is_gradient

__all__ = [
    "N_DRAWS",
    "BoundChecks",
    "HiddenMeansChecks",
    "JointChecks",
    "assert_drawn_from",
    "log_joint_of_all_hidden_states",
]

N_DRAWS = 20_000


class JointChecks(EnergyChecks):
    """Checks of the joint capability, by sums over all states of the hidden units."""

    def test_the_posterior_follows_from_differences_of_the_joint_energy(self):
        energy, theta, X = self.model(ExactPosterior)
        if isinstance(energy, LatentStates):
            raise unittest.SkipTest("its hidden units do not change by themselves")
        Z = some_hidden(energy, X)
        posterior = energy.posterior(theta, X)
        assert posterior.shape == Z.shape
        for k in range(energy.n_components):
            on, off = Z.copy(), Z.copy()
            on[:, k], off[:, k] = 1, 0
            log_odds = (
                energy.evaluate_joint(theta, X, off)[0] - energy.evaluate_joint(theta, X, on)[0]
            )
            assert_allclose(posterior[:, k], 1 / (1 + np.exp(-log_odds)), rtol=1e-9)

    def test_the_posterior_is_the_mean_over_all_hidden_states(self):
        energy, theta, X = self.model(ExactPosterior)
        states, log_joint = log_joint_of_all_hidden_states(energy, theta, X)
        p = np.exp(log_joint - logsumexp(log_joint, axis=1, keepdims=True))
        assert_allclose(energy.posterior(theta, X), p @ states, rtol=1e-9, atol=1e-12)

    def test_the_marginal_energy_is_the_joint_one_summed_over_the_hidden_states(self):
        energy, theta, X = self.model(Joint, Marginal)
        _, log_joint = log_joint_of_all_hidden_states(energy, theta, X)
        assert_allclose(
            energy.evaluate(theta, X)[0], -logsumexp(log_joint, axis=1), rtol=1e-9, atol=1e-9
        )

    def test_several_states_a_row_are_states_one_by_one(self):
        energy, theta, X = self.model(Joint)
        states = np.stack([some_hidden(energy, X), 1 - some_hidden(energy, X)])
        W = self.rng.standard_normal(states.shape[:2])
        energies, pullback = energy.evaluate_joint(theta, X, states)
        one_by_one = [energy.evaluate_joint(theta, X, Z) for Z in states]
        assert_allclose(energies, [each for each, _ in one_by_one], rtol=1e-10, atol=1e-12)
        expected = sum(pull(w) for w, (_, pull) in zip(W, one_by_one, strict=True))
        assert_allclose(pullback(W), expected, rtol=1e-9, atol=1e-9 * np.abs(expected).max())

    def test_an_exact_posterior_is_that_of_its_logits(self):
        energy, theta, X = self.model(ExactPosterior)
        states, log_joint = log_joint_of_all_hidden_states(energy, theta, X)
        log_posterior = log_joint - logsumexp(log_joint, axis=1, keepdims=True)
        exponents = energy.posterior_logits(theta, X) @ states.T
        expected = exponents - logsumexp(exponents, axis=1, keepdims=True)
        assert_allclose(log_posterior, expected, rtol=1e-9, atol=1e-9)

    def test_with_an_exact_posterior_the_joint_energy_is_linear_in_the_hidden_units(self):
        energy, theta, X = self.model(ExactPosterior)
        mean = energy.posterior(theta, X)
        at_mean, at_zero = (
            energy.evaluate_joint(theta, X, Z)[0] for Z in (mean, np.zeros_like(mean))
        )
        product = np.einsum("ij,ij->i", energy.posterior_logits(theta, X), mean)
        assert_allclose(at_mean, at_zero - product, rtol=1e-9, atol=1e-9)


class HiddenMeansChecks(EnergyChecks):
    """Checks of the hidden means: they tell all that states of the hidden units would."""

    def test_the_joint_gradient_at_the_means_is_that_of_the_marginal_energy(self):
        energy, theta, X = self.model(IndependentBinaryLatents, Marginal)
        w = self.rng.standard_normal(len(X))
        _, pullback = energy.evaluate(theta, X)
        gradient = energy.joint_gradient(theta, energy.infer(theta, X), w)
        assert_allclose(gradient, pullback(w), rtol=1e-9, atol=1e-12)

    def test_the_means_are_those_of_the_posterior(self):
        energy, theta, X = self.model(IndependentBinaryLatents)
        visible, means = energy.infer(theta, X)
        assert_array_equal(visible, X)
        assert_allclose(means, energy.posterior(theta, X), rtol=1e-12)

    def test_the_joint_gradient_is_that_of_the_joint_energy(self):
        energy, theta, X = self.model(IndependentBinaryLatents, Joint)
        w, Z = self.rng.standard_normal(len(X)), some_hidden(energy, X)
        _, pullback = energy.evaluate_joint(theta, X, Z)
        assert_allclose(energy.joint_gradient(theta, (X, Z), w), pullback(w), rtol=1e-9, atol=1e-12)

    def test_hidden_units_are_drawn_from_their_means(self):
        energy, theta, X = self.model(IndependentBinaryLatents)
        means = energy.posterior(theta, np.repeat(X[:1], N_DRAWS, axis=0))
        Z = energy.draw_hidden(means, self.seed)
        p = means[0]
        deviation = np.sqrt(p * (1 - p) / N_DRAWS)
        assert np.all(np.abs(Z.mean(axis=0) - p) <= 5 * deviation)
        assert set(np.unique(Z)) <= {0, 1}


class BoundChecks(EnergyChecks):
    """Checks of a variational bound: it is one, and its gradient is that of its value."""

    def test_the_bound_is_above_the_energy(self):
        energy, theta, X = self.model(Bound, Joint)
        _, log_joint = log_joint_of_all_hidden_states(energy, theta, X)
        assert np.all(energy.bound(theta, X)[0] >= -logsumexp(log_joint, axis=1) - 1e-9)

    def test_gradient_of_the_bound(self):
        energy, theta, X = self.model(Bound)
        w = self.rng.standard_normal(len(X))
        _, pullback = energy.bound(theta, X)
        assert_is_gradient(pullback(w), lambda t: w @ energy.bound(t, X)[0], theta, energy.layout)


def log_joint_of_all_hidden_states(energy, theta, X):
    """All states of z, and log p̃(x, z) of shape (n, n_states)."""
    if isinstance(energy, LatentStates):
        states = energy.latent_states()
    elif energy.n_components > 12:
        raise unittest.SkipTest(f"{energy.n_components} hidden units are too many to enumerate")
    else:
        states = binary_states(energy.n_components)
    columns = [
        -energy.evaluate_joint(theta, X, np.repeat(z[np.newaxis], len(X), axis=0))[0]
        for z in states
    ]
    return states, np.stack(columns, axis=1)


def assert_drawn_from(draws, states, log_weights):
    p = np.exp(log_weights - logsumexp(log_weights))
    for function in (lambda S: S, lambda S: np.einsum("ij,ik->ijk", S, S).reshape(len(S), -1)):
        values = function(states)
        mean = p @ values
        deviation = np.sqrt(np.maximum(p @ values**2 - mean**2, 0) / len(draws))
        assert np.all(np.abs(function(draws).mean(axis=0) - mean) <= 5 * deviation + 1e-12)
