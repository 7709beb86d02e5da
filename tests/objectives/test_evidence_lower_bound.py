"""The evidence lower bound: its gradient, and what it bounds."""

from itertools import combinations, product

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import multivariate_normal

from sklvm.energies import BernoulliLikelihood, DecoderEnergy, GaussianLikelihood
from sklvm.objectives import EvidenceLowerBound, Objective
from sklvm.optimizers import Adam
from sklvm.posteriors import GaussianEncoder
from sklvm.testing import FlatObjective, assert_is_gradient
from sklvm.training import Training

# (likelihood, sigma, posterior, activation, hidden layers, draws, beta, free bits, NaN?): every
# pair of settings of two columns occurs in a row; a Bernoulli likelihood has no sigma.
SETTINGS = [
    ("gaussian", 0.7, "diagonal", "tanh", (), 3, 4.0, 0.4, False),
    ("gaussian", 0.7, "full", "relu", (3,), 1, 4.0, 0.0, False),
    ("gaussian", 0.7, "diagonal", "softplus", (), 1, 1.0, 0.4, True),
    ("gaussian", 0.7, "full", "sigmoid", (3, 4), 3, 1.0, 0.4, True),
    ("gaussian", "learn", "diagonal", "tanh", (3,), 3, 4.0, 0.4, True),
    ("gaussian", "learn", "full", "relu", (3, 4), 3, 1.0, 0.0, False),
    ("gaussian", "learn", "diagonal", "softplus", (3,), 1, 4.0, 0.0, False),
    ("gaussian", "learn", "full", "sigmoid", (), 3, 4.0, 0.0, True),
    ("gaussian", "learn_diagonal", "full", "tanh", (3, 4), 3, 1.0, 0.0, True),
    ("gaussian", "learn_diagonal", "diagonal", "relu", (3, 4), 1, 1.0, 0.4, True),
    ("gaussian", "learn_diagonal", "full", "softplus", (), 3, 4.0, 0.0, False),
    ("gaussian", "learn_diagonal", "diagonal", "sigmoid", (3,), 1, 1.0, 0.0, False),
    ("gaussian", "predict", "diagonal", "tanh", (), 1, 1.0, 0.4, False),
    ("gaussian", "predict", "full", "relu", (3,), 3, 1.0, 0.4, True),
    ("gaussian", "predict", "full", "softplus", (3,), 3, 4.0, 0.4, True),
    ("gaussian", "predict", "diagonal", "sigmoid", (3, 4), 3, 1.0, 0.0, False),
    ("bernoulli", None, "diagonal", "tanh", (), 1, 4.0, 0.0, True),
    ("bernoulli", None, "full", "relu", (), 3, 1.0, 0.4, False),
    ("bernoulli", None, "diagonal", "softplus", (3, 4), 1, 4.0, 0.0, False),
    ("bernoulli", None, "diagonal", "sigmoid", (3,), 3, 1.0, 0.0, True),
]


def parts(likelihood, sigma, posterior, activation, hidden, mask_channel=False, d=3, K=2):
    of_x = BernoulliLikelihood(d) if sigma is None else GaussianLikelihood(d, sigma, 0.3)
    decoder = DecoderEnergy(of_x, K, hidden, activation)
    encoder = GaussianEncoder(d, K, hidden[::-1], activation, posterior == "full", mask_channel)
    return decoder, encoder


def data(likelihood, has_missing, rng, n=5, d=3):
    X = rng.random((n, d)) if likelihood == "bernoulli" else rng.standard_normal((n, d))
    if has_missing:
        X[rng.random((n, d)) < 0.3] = np.nan
    return X


def test_the_settings_are_a_pairwise_cover():
    for one, other in combinations(list(zip(*SETTINGS, strict=True))[1:], 2):
        assert set(zip(one, other, strict=True)) == set(product(one, other))


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda s: "-".join(map(str, s)))
def test_the_gradient_is_that_of_central_differences(setting, rng):
    likelihood, _, _, _, _, n_draws, beta, free_bits, has_missing = setting
    decoder, encoder = parts(*setting[:5], mask_channel=has_missing)
    objective = EvidenceLowerBound(beta, 0, free_bits, n_draws).with_encoder(encoder)
    X = data(likelihood, has_missing, rng)
    weights = rng.random(len(X))
    weights /= weights.sum()
    layout = decoder.layout + objective.own_layout(decoder)
    theta = 0.6 * rng.standard_normal(layout.size)
    _, state = FlatObjective(objective).init(decoder, theta, np.nan_to_num(X), weights, rng)

    def step(theta):
        return FlatObjective(objective).step(
            decoder, theta, X, weights, state, np.random.default_rng(5)
        )

    value, gradient, _ = step(theta)
    assert isinstance(value, float)
    # So small that no rectifier switches on the way.
    assert_is_gradient(gradient, lambda t: step(t)[0], theta, layout, step=1e-5)


@pytest.mark.parametrize("n_steps", [0, 1, 3, 4])
def test_while_the_divergence_warms_up_the_gradient_is_that_of_the_value(n_steps, rng):
    decoder, encoder = parts("gaussian", 0.7, "full", "tanh", (3,))
    objective = EvidenceLowerBound(beta=3.0, n_warm_up_steps=4).with_encoder(encoder)
    X, weights = rng.standard_normal((6, 3)), np.full(6, 1 / 6)
    layout = decoder.layout + objective.own_layout(decoder)
    theta = 0.6 * rng.standard_normal(layout.size)
    _, state = FlatObjective(objective).init(decoder, theta, X, weights, rng)
    state = state._replace(n_steps=n_steps)

    def step(theta):
        noise = np.random.default_rng(5)
        return FlatObjective(objective).step(decoder, theta, X, weights, state, noise)

    assert_is_gradient(step(theta)[1], lambda t: step(t)[0], theta, layout, step=1e-5)


def linear_gaussian(rng, d=4, K=2, sigma=0.6):
    """A linear decoder, and an encoder of exactly its posterior; θ, φ, the density of x."""
    decoder, encoder = parts("gaussian", sigma, "full", "relu", (), d=d, K=K)
    W, a = rng.standard_normal((d, K)), rng.standard_normal(d)
    covariance = np.linalg.inv(np.eye(K) + W.T @ W / sigma**2)
    L = np.linalg.cholesky(covariance)
    V = covariance @ W.T / sigma**2
    outputs = np.concatenate([np.log(np.diagonal(L)), L[np.tril_indices(K, -1)]])
    theta = decoder.layout.pack(coefs_0=W, intercepts_0=a)
    phi = encoder.layout.pack(
        coefs_0=np.vstack([V, np.zeros((len(outputs), d))]),
        intercepts_0=np.append(-V @ a, outputs),
    )
    return decoder, encoder, theta, phi, multivariate_normal(a, W @ W.T + sigma**2 * np.eye(d))


def bound(decoder, encoder, theta, phi, X, n_draws):
    objective = EvidenceLowerBound(n_mc_samples=n_draws).with_encoder(encoder)
    weights = np.full(len(X), 1 / len(X))
    _, state = FlatObjective(objective).init(decoder, theta, X, weights, np.random.default_rng(0))
    both = np.concatenate([theta, phi])
    return -FlatObjective(objective).step(
        decoder, both, X, weights, state, np.random.default_rng(1)
    )[0]


def test_with_the_exact_posterior_the_bound_is_the_log_density(rng):
    decoder, encoder, theta, phi, distribution = linear_gaussian(rng)
    X = distribution.rvs(50, random_state=0)
    value = bound(decoder, encoder, theta, phi, X, 10_000)
    assert value == pytest.approx(distribution.logpdf(X).mean(), abs=0.02)


def test_with_any_other_posterior_the_bound_is_lower(rng):
    decoder, encoder, theta, phi, distribution = linear_gaussian(rng)
    X = distribution.rvs(50, random_state=0)
    for _ in range(5):
        other = phi + 0.2 * rng.standard_normal(phi.shape)
        assert bound(decoder, encoder, theta, other, X, 2000) < distribution.logpdf(X).mean()


def test_the_divergence_is_that_of_the_gaussians(rng):
    _, encoder = parts("gaussian", 1.0, "full", "relu", ())
    X = rng.standard_normal((5, 3))
    encoding = encoder.encode(0.5 * rng.standard_normal(encoder.layout.size), X)
    terms = encoding.divergences()
    assert np.all(terms >= 0)
    for mean, L, terms_of_row in zip(encoding.mean, encoding.factor(), terms, strict=True):
        covariance = L @ L.T
        log_det = np.linalg.slogdet(covariance)[1]
        expected = 0.5 * (np.trace(covariance) + mean @ mean - len(mean) - log_det)
        assert terms_of_row.sum() == pytest.approx(expected)


def test_draws_shared_by_all_rows_are_those_of_each_row(rng):
    _, encoder = parts("gaussian", 1.0, "full", "relu", ())
    encoding = encoder.encode(rng.standard_normal(encoder.layout.size), rng.random((5, 3)))
    shared = rng.standard_normal((7, 1, 2))
    repeated = np.broadcast_to(shared, (7, 5, 2))
    assert_allclose(encoding.draw(shared), encoding.draw(repeated))


def test_a_missing_entry_is_integrated_out(rng):
    decoder, _, theta, _, _ = linear_gaussian(rng)
    Z = rng.standard_normal((3, 2))
    X = np.where([True, False, True, True], rng.standard_normal((3, 4)), np.nan)
    axis = np.linspace(-15, 15, 3001)
    filled = [np.where(np.isnan(X), value, X) for value in axis]
    densities = [np.exp(-decoder.evaluate_given(theta, each, Z)[0]) for each in filled]
    expected = np.trapezoid(densities, axis, axis=0)
    assert_allclose(np.exp(-decoder.evaluate_given(theta, X, Z)[0]), expected, rtol=1e-6)


def test_the_divergence_counts_more_and_more_while_it_warms_up(rng):
    decoder, encoder = parts("gaussian", 0.7, "diagonal", "tanh", (3,))
    objective = EvidenceLowerBound(beta=2.0, n_warm_up_steps=4).with_encoder(encoder)
    X = rng.standard_normal((6, 3))
    weights = np.full(6, 1 / 6)
    theta = rng.standard_normal(decoder.layout.size + encoder.layout.size)
    _, state = FlatObjective(objective).init(decoder, theta, X, weights, rng)
    shares = []
    for _ in range(6):
        value, _, state = FlatObjective(objective).step(decoder, theta, X, weights, state, rng)
        told = objective.diagnostics(state)
        shares.append((value - told["reconstruction_error"]) / told["divergence"])
    assert_allclose(shares, [0, 0.5, 1, 1.5, 2, 2])
    assert objective.settled(state._replace(n_steps=0)).n_steps == 4
    assert Objective().settled(state) is state


def test_free_bits_leave_a_small_divergence_alone(rng):
    decoder, encoder = parts("gaussian", 0.7, "diagonal", "tanh", ())
    X = rng.standard_normal((6, 3))
    weights = np.full(6, 1 / 6)
    theta = 0.1 * rng.standard_normal(decoder.layout.size + encoder.layout.size)

    def gradient(beta):
        objective = EvidenceLowerBound(beta, free_bits=5.0).with_encoder(encoder)
        _, state = FlatObjective(objective).init(decoder, theta, X, weights, rng)
        return FlatObjective(objective).step(
            decoder, theta, X, weights, state, np.random.default_rng(0)
        )[1]

    assert_allclose(gradient(beta=10.0), gradient(beta=0.0))


def test_single_precision_is_kept(rng):
    for setting in SETTINGS:
        decoder, encoder = parts(*setting[:5], mask_channel=setting[-1])
        X = data(setting[0], setting[-1], rng).astype(np.float32)
        objective = EvidenceLowerBound(2.0, 3, 0.1, setting[5]).with_encoder(encoder)
        weights = np.full(len(X), 1 / len(X), dtype=np.float32)
        start = decoder.init_parameters(np.nan_to_num(X), rng)
        extra, state = FlatObjective(objective).init(decoder, start, X, weights, rng)
        theta = np.concatenate([start, extra])
        _, gradient, _ = FlatObjective(objective).step(decoder, theta, X, weights, state, rng)
        errors, _ = decoder.evaluate_given(start, X, np.zeros((len(X), 2), dtype=np.float32))
        assert {start.dtype, extra.dtype, gradient.dtype, errors.dtype} == {np.dtype(np.float32)}


def test_training_raises_the_bound(rng):
    decoder, encoder, _, _, distribution = linear_gaussian(rng)
    X = distribution.rvs(200, random_state=0)
    training = Training(
        decoder,
        EvidenceLowerBound().with_encoder(encoder),
        Adam(0.02),
        X,
        np.ones(200),
        np.random.default_rng(0),
    )
    before = training.evaluate(X, np.ones(200), 100)
    for _ in range(200):
        training.step(X, np.ones(200))
    assert training.evaluate(X, np.ones(200), 100) < before - 0.5
