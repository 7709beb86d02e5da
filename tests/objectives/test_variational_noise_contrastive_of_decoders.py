"""Variational noise-contrastive estimation of decoders, whose latent variables are real."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import log_expit
from scipy.stats import multivariate_normal

from sklvm.densities import GaussianDensity, IndependentBernoulliDensity
from sklvm.energies import (
    BernoulliLikelihood,
    DecoderEnergy,
    GaussianLikelihood,
    GaussianRBMEnergy,
)
from sklvm.kernels import standard_normal
from sklvm.objectives import (
    OBJECTIVES,
    VariationalNoiseContrastiveEstimation,
    check_capabilities,
)
from sklvm.optimizers import Adam
from sklvm.posteriors import GaussianEncoder
from sklvm.testing import (
    FlatObjective,
    numerical_gradient,
    random_parameters,
)
from sklvm.training import Training

NU = 3


def vnce(**parameters):
    return VariationalNoiseContrastiveEstimation(NU, frozen_noise=True, **parameters)


def linear_decoder(rng, d=3, K=2, sigma=0.7):
    """A linear Gaussian model, an encoder that can be its posterior, the φ that make it so."""
    decoder = DecoderEnergy(GaussianLikelihood(d, sigma), K)
    encoder = GaussianEncoder(d, K, full=True)
    W, a = rng.standard_normal((d, K)), rng.standard_normal(d)
    covariance = np.linalg.inv(np.eye(K) + W.T @ W / sigma**2)
    L, V = np.linalg.cholesky(covariance), covariance @ W.T / sigma**2
    log_scales, below = np.log(np.diagonal(L)), L[np.tril_indices(K, -1)]
    outputs = np.concatenate([log_scales, below])
    phi = encoder.layout.pack(
        coefs_0=np.vstack([V, np.zeros((len(outputs), d))]),
        intercepts_0=np.append(-V @ a, outputs),
    )
    theta = decoder.layout.pack(coefs_0=W, intercepts_0=a)
    distribution = multivariate_normal(a, W @ W.T + sigma**2 * np.eye(d))
    return decoder, encoder, theta, phi, distribution


def run_on_decoder(rng, n_draws=4):
    decoder, encoder, theta, phi, distribution = linear_decoder(rng)
    reference = GaussianDensity(np.zeros(3), 3 * np.eye(3))
    objective = VariationalNoiseContrastiveEstimation(
        NU, reference, encoder, n_importance_samples=n_draws, frozen_noise=True
    )
    X = rng.standard_normal((12, 3))
    weights = (1.0 + np.arange(12) % 3) / 24
    _, state = FlatObjective(objective).init(decoder, theta, X, weights, np.random.default_rng(0))

    def step(full, seed=0):
        return FlatObjective(objective).step(
            decoder, full, X, weights, state, np.random.default_rng(seed)
        )[:2]

    return (
        step,
        np.concatenate([theta, [0.3], phi]),
        (decoder, encoder, X, weights, state, distribution),
    )


def test_with_a_gaussian_encoder_that_is_the_posterior_it_is_that_of_the_marginal_density(rng):
    step, full, (decoder, _, X, weights, noise, distribution) = run_on_decoder(rng)

    def plain(rows):
        c = 0.3 * np.sqrt(3) + np.log(NU)
        return distribution.logpdf(rows) - c - noise.density.log_density(rows)

    expected = -weights @ log_expit(plain(X)) - np.sum(log_expit(-plain(noise.rows))) / len(X)
    values, gradients = zip(*(step(full, seed) for seed in range(150)), strict=True)
    assert_allclose(values, expected, rtol=1e-9)
    of_encoder = np.array(gradients)[:, decoder.layout.size + 1 :]
    deviation = of_encoder.std(axis=0) / np.sqrt(150)
    assert np.all(np.abs(of_encoder.mean(axis=0)) <= 5 * deviation + 1e-9)


def test_gradients_with_a_gaussian_encoder_are_central_differences(rng):
    step, full, (decoder, encoder, X, weights, noise, _) = run_on_decoder(rng)
    full = full + 0.3 * np.cos(np.arange(full.size))
    size = decoder.layout.size + 1
    gradient = step(full)[1]

    def of_model(theta):
        return step(np.concatenate([theta, full[size:]]))[0]

    assert_allclose(gradient[:size], numerical_gradient(of_model, full[:size]), rtol=1e-6)

    # The encoder sees the first term alone, with densities by other code.
    seed = int(np.random.default_rng(0).integers(2**63))
    W, a = (decoder.layout.views(full[: size - 1])[name] for name in ("coefs_0", "intercepts_0"))

    def first_term(phi):
        encoding = encoder.encode(phi, X)
        noise_of_z = standard_normal((4 * len(X), 2), seed, dtype=np.float64).reshape(4, -1, 2)
        L = encoding.factor()
        total = 0.0
        for epsilon in noise_of_z:
            Z = encoding.mean + np.einsum("nij,nj->ni", L, epsilon)
            for x, z, mean, factor, w in zip(X, Z, encoding.mean, L, weights, strict=True):
                log_joint = multivariate_normal(a + W @ z, 0.49 * np.eye(3)).logpdf(x)
                log_joint += multivariate_normal(np.zeros(2), np.eye(2)).logpdf(z)
                log_q = multivariate_normal(mean, factor @ factor.T).logpdf(z)
                contrast = log_joint - log_q - full[size - 1] * np.sqrt(3) - np.log(NU)
                contrast -= noise.density.log_density(x[np.newaxis])[0]
                total -= w / 4 * log_expit(contrast)
        return total

    expected = numerical_gradient(first_term, full[size:])
    error = np.linalg.norm(gradient[size:] - expected)
    assert error <= 1e-6 * np.linalg.norm(expected)


@pytest.mark.parametrize("is_binary", [True, False])
def test_the_noise_of_a_decoder_is_of_the_kind_of_the_data(is_binary, rng):
    X = rng.random((40, 3))
    likelihood = BernoulliLikelihood(3) if is_binary else GaussianLikelihood(3)
    X = (X < 0.4).astype(float) if is_binary else X
    training = Training(
        DecoderEnergy(likelihood, 2, (4,)),
        VariationalNoiseContrastiveEstimation(NU),
        Adam(0.01),
        X,
        np.ones(40),
        rng,
    )
    kind = IndependentBernoulliDensity if is_binary else GaussianDensity
    assert isinstance(training.objective_state.density, kind)
    value, _ = training.step(X, np.ones(40))
    assert np.isfinite(value)


def test_all_states_are_those_of_few_binary_units_only(rng):
    objective = vnce(posterior="encoder", n_importance_samples="all")
    energy, X = GaussianRBMEnergy(2, 13), rng.standard_normal((9, 2))
    with pytest.raises(ValueError, match=r"at most 12 binary latent variables.*has 13"):
        FlatObjective(objective).init(
            energy, random_parameters(energy, rng), X, np.full(9, 1 / 9), rng
        )
    _, full, (decoder, _, X, weights, _, _) = run_on_decoder(rng)
    with pytest.raises(ValueError, match="has 2 real ones"):
        FlatObjective(objective).init(decoder, full[: decoder.layout.size], X, weights, rng)


def test_an_exact_posterior_is_not_asked_of_an_energy_without(rng):
    _, _, (decoder, *_) = run_on_decoder(rng)
    with pytest.raises(ValueError, match="with the ExactPosterior capability"):
        check_capabilities(vnce(posterior="exact"), decoder, OBJECTIVES, "SomeModel")
