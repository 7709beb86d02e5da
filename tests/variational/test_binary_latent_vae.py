"""The auto-encoder with binary latent variables as users use it."""

import copy

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import logsumexp
from scipy.stats import multivariate_normal
from sklearn.base import clone

from sklvm import BinaryLatentVAE
from sklvm.optimizers import Adam
from sklvm.testing import binary_states


def causes(rng, n_samples=600, sigma=0.3):
    """Three binary causes in six features, and what they are in each row."""
    Z = (rng.random((n_samples, 3)) < 0.5).astype(float)
    W = np.array([[3.0, 3, 0, 0, 0, 0], [0, 0, 2, -2, 0, 0], [0, 0, 0, 0, 4, 1]])
    return Z @ W + sigma * rng.standard_normal((n_samples, 6)), Z, W


def small(**parameters):
    defaults = {"n_components": 3, "optimizer": "lbfgs", "max_iter": 300, "random_state": 0}
    return BinaryLatentVAE(**{**defaults, **parameters})


def brief(**parameters):
    return small(**{"optimizer": Adam(0.02), "max_iter": 5, **parameters})


@pytest.mark.parametrize("tied", [True, False])
def test_the_causes_are_found(tied, rng):
    X, Z, _ = causes(rng)
    vae = small(tied=tied).fit(X)
    correlations = np.abs(np.corrcoef(vae.transform(X).T, Z.T)[:3, 3:])
    # Each cause has a latent variable of its own, on or off.
    assert_allclose(np.sort(correlations, axis=0)[-1], 1, atol=0.05)
    assert vae.sigma_ == pytest.approx(0.3, abs=0.05)


def test_the_score_is_the_mixture_over_all_states(rng):
    X, _, _ = causes(rng, 100)
    vae = brief(learn_prior=True).fit(X)
    states = binary_states(3)
    log_prior = -np.logaddexp(0, np.where(states == 1, -1, 1) * vae.prior_log_odds_).sum(axis=1)
    mixture = [
        w + multivariate_normal(mean, vae.sigma_**2 * np.eye(6)).logpdf(X)
        for w, mean in zip(log_prior, vae.inverse_transform(states), strict=True)
    ]
    assert_allclose(vae.score_samples(X), logsumexp(mixture, axis=0))


def test_the_bound_is_below_the_score_and_its_gap_closes_in_training(rng):
    X, _, _ = causes(rng)
    early, late = brief().fit(X), small().fit(X)
    gaps = [np.mean(vae.score_samples(X) - vae.elbo(X)) for vae in (early, late)]
    assert gaps[0] > gaps[1] > 0
    assert gaps[1] < 0.01
    assert -late.elbo(X).mean() == pytest.approx(late.history_["objective"][-1], abs=0.1)


def test_with_many_latent_variables_the_score_tends_to_the_sum_over_states(rng, monkeypatch):
    X, _, _ = causes(rng)
    vae = brief(n_importance_samples=20_000).fit(X)
    exact = vae.score_samples(X[:50])
    monkeypatch.setattr("sklvm.variational._binary_latent_vae.MAX_LISTED_UNITS", 2)
    estimated = vae.score_samples(X[:50])
    assert_allclose(estimated, exact, atol=0.1)
    assert_allclose(estimated[7:8], vae.score_samples(X[7:8]), rtol=1e-12)
    wide = BinaryLatentVAE(15, max_iter=1, random_state=0, optimizer="adam").fit(
        X.astype(np.float32)
    )
    assert wide.score_samples(X[:5].astype(np.float32)).dtype == np.float32


def test_mini_batches_get_near_to_what_a_quasi_newton_method_finds(rng):
    X, _, _ = causes(rng)
    exact = small().fit(X)
    assert np.all(np.diff(exact.history_["objective"]) <= 1e-9)
    batches = small(optimizer=Adam(0.02), max_iter=60, tied=False).fit(X)
    assert exact.elbo(X).mean() - 0.2 < batches.elbo(X).mean() < exact.elbo(X).mean() + 0.02


def test_draws_have_the_moments_of_the_data_after_training(rng):
    X, _, _ = causes(rng, 2000)
    draws = small().fit(X).sample(50_000, random_state=0)
    assert_allclose(draws.mean(axis=0), X.mean(axis=0), atol=0.2)
    assert_allclose(np.cov(draws.T), np.cov(X.T), atol=0.35)


def test_partial_fit_over_the_same_batches_does_what_fit_does(rng):
    X, _, _ = causes(rng, 250)
    start = brief(max_iter=0, shuffle=False)
    fitted = clone(start).set_params(max_iter=2).fit(X)
    streamed = copy.deepcopy(start.fit(X))
    for _ in range(2):
        streamed.partial_fit(X)
    assert_array_equal(streamed.components_, fitted.components_)


def test_tied_weights_are_published_as_the_encoders_too(rng):
    X, _, _ = causes(rng, 50)
    vae = brief(sigma=0.5).fit(X)
    assert_allclose(vae.encoder_components_, vae.components_ / 0.25)
    logits = X @ vae.encoder_components_.T + vae.intercept_hidden_
    assert_allclose(vae.transform(X), 1 / (1 + np.exp(-logits)))
