"""Binary factors: the bound, its gradient, and the sum over all states that it bounds."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.optimize import minimize
from scipy.special import expit, xlogy
from scipy.stats import multivariate_normal

from sklvm.energies import BinaryFactorEnergy
from sklvm.testing import (
    EnergyTestCase,
    assert_is_gradient,
    binary_states,
    random_parameters,
)

SETTINGS = [
    {"sigma": 0.8, "tied": True, "learn_prior": True},
    {"sigma": 0.8, "tied": False, "learn_prior": False},
    {"sigma": "learn", "tied": True, "learn_prior": False},
    {"sigma": "learn", "tied": False, "learn_prior": True},
]


class TestBinaryFactorEnergy(EnergyTestCase):
    def make(self):
        rng = np.random.default_rng(0)
        energy = BinaryFactorEnergy(4, 3, tied=False, learn_prior=True)
        return energy, random_parameters(energy, rng), rng.standard_normal((12, 4))


@pytest.fixture(params=SETTINGS, ids=str)
def energy(request):
    return BinaryFactorEnergy(4, 3, sigma_floor=0.3, **request.param)


@pytest.fixture
def theta(energy, rng):
    return 0.7 * rng.standard_normal(energy.layout.size)


def parts(energy, theta):
    """Wᵀ, a, σ², c."""
    views = energy.layout.views(theta)
    log_odds = views.get("prior_log_odds", np.zeros(3))
    sigma2 = 0.8**2 if energy.scale.sigma == 0.8 else np.exp(2 * views["log_scale"]) + 0.3**2
    return views["weights"], views["visible_bias"], sigma2, log_odds


def log_joint(energy, theta, x, z):
    W, a, sigma2, c = parts(energy, theta)
    prior = np.log(np.where(z == 1, expit(c), expit(-c))).sum()
    return prior + multivariate_normal(a + z @ W, sigma2 * np.eye(4)).logpdf(x)


def test_the_gradient_is_that_of_central_differences(energy, theta, rng):
    X, w = rng.standard_normal((6, 4)), rng.random(6)
    gradient = energy.bound(theta, X)[1](w)
    assert_is_gradient(gradient, lambda t: w @ energy.bound(t, X)[0], theta, energy.layout)


@pytest.mark.parametrize("shape", [(6, 3), (2, 6, 3)])
def test_the_joint_energy_is_minus_the_log_density_and_has_its_gradient(shape, energy, theta, rng):
    X, Z = rng.standard_normal((6, 4)), (rng.random(shape) < 0.5).astype(float)
    energies, pullback = energy.evaluate_joint(theta, X, Z)
    expected = [-log_joint(energy, theta, X[i % 6], z) for i, z in enumerate(Z.reshape(-1, 3))]
    assert_allclose(energies.ravel(), expected)
    w = rng.standard_normal(energies.shape)
    assert_is_gradient(
        pullback(w),
        lambda t: np.vdot(w, energy.evaluate_joint(t, X, Z)[0]),
        theta,
        energy.layout,
    )


def test_the_bound_is_the_expectation_over_all_states(energy, theta, rng):
    X = rng.standard_normal((4, 4))
    Q = expit(energy.encoder_logits(theta, X)[0])
    for x, q, bound in zip(X, Q, energy.bound(theta, X)[0], strict=True):
        expected = 0.0
        for z in binary_states(3):
            share = np.prod(np.where(z == 1, q, 1 - q))
            expected += xlogy(share, share) - share * log_joint(energy, theta, x, z)
        assert bound == pytest.approx(expected)


def test_the_density_is_the_sum_over_all_states_and_bounds_the_bound(energy, theta, rng):
    X = rng.standard_normal((5, 4))
    table = [[log_joint(energy, theta, x, z) for z in binary_states(3)] for x in X]
    assert_allclose(energy.log_density(theta, X), np.log(np.exp(table).sum(axis=1)))
    assert np.all(energy.bound(theta, X)[0] >= -energy.log_density(theta, X))


def test_the_gap_is_the_divergence_from_the_posterior(energy, theta, rng):
    X = rng.standard_normal((4, 4))
    gaps = energy.bound(theta, X)[0] + energy.log_density(theta, X)
    for x, q_on, gap in zip(X, expit(energy.encoder_logits(theta, X)[0]), gaps, strict=True):
        joint = np.array([log_joint(energy, theta, x, z) for z in binary_states(3)])
        p = np.exp(joint - joint.max()) / np.exp(joint - joint.max()).sum()
        q = np.prod(np.where(binary_states(3) == 1, q_on, 1 - q_on), axis=1)
        assert gap == pytest.approx(np.sum(xlogy(q, q / p)))


@pytest.mark.parametrize("n_components", [1, 12])
def test_few_and_many_states_add_up_to_the_same_density(n_components, rng):
    """All factors but one at 0: the sum over the others is their prior's."""
    energy = BinaryFactorEnergy(2, n_components, sigma=0.8)
    W = np.zeros((n_components, 2))
    W[0] = [1.0, -0.5]
    theta = energy.layout.pack(weights=W, visible_bias=[0.2, 0.1], hidden_bias=0.0)
    X = rng.standard_normal((5, 2))
    distributions = [
        multivariate_normal([0.2 + z, 0.1 - 0.5 * z], 0.64 * np.eye(2)) for z in (0, 1)
    ]
    expected = np.log(0.5 * sum(distribution.pdf(X) for distribution in distributions))
    assert_allclose(energy.log_density(theta, X), expected)


def test_with_orthogonal_tied_weights_the_bound_is_the_log_density(rng):
    energy = BinaryFactorEnergy(4, 3, sigma=0.8, learn_prior=True)
    W = np.linalg.qr(rng.standard_normal((4, 3)))[0].T * [[1.5], [0.7], [2.0]]
    a, c = rng.standard_normal(4), rng.standard_normal(3)
    b = c - (W @ a + 0.5 * (W * W).sum(axis=1)) / 0.8**2
    theta = energy.layout.pack(weights=W, visible_bias=a, hidden_bias=b, prior_log_odds=c)
    X = rng.standard_normal((7, 4))
    assert_allclose(energy.bound(theta, X)[0], -energy.log_density(theta, X))


def test_draws_have_the_moments_of_the_mixture(energy, theta):
    X = energy.sample(theta, 200_000, np.random.default_rng(0))
    W, a, sigma2, c = parts(energy, theta)
    p = expit(c)
    assert_allclose(X.mean(axis=0), a + p @ W, atol=0.02)
    assert_allclose(np.cov(X.T), W.T @ np.diag(p * (1 - p)) @ W + sigma2 * np.eye(4), atol=0.04)


def test_lowering_the_bound_raises_the_likelihood(energy, rng):
    truth = BinaryFactorEnergy(4, 3, sigma=0.4)
    W = 2 * np.eye(3, 4)
    theta = truth.layout.pack(weights=W, visible_bias=np.zeros(4), hidden_bias=np.zeros(3))
    X = truth.sample(theta, 500, rng)
    start = energy.init_parameters(X, np.random.default_rng(0))
    w = np.full(500, 1 / 500)

    def criterion(t):
        bound, pullback = energy.bound(t, X)
        return w @ bound, pullback(w)

    end = minimize(criterion, start, jac=True, method="L-BFGS-B", options={"maxiter": 100}).x
    assert energy.log_density(end, X).mean() > energy.log_density(start, X).mean() + 0.1


def test_single_precision_is_kept(energy, rng):
    X = rng.standard_normal((6, 4)).astype(np.float32)
    theta = energy.init_parameters(X, rng)
    bound, pullback = energy.bound(theta, X)
    arrays = [theta, bound, pullback(np.ones(6, dtype=np.float32))]
    arrays += [energy.log_density(theta, X), energy.sample(theta, 3, rng)]
    assert {array.dtype for array in arrays} == {np.dtype(np.float32)}
