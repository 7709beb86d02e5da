"""The auto-encoder with tied weights: its criteria, and when it is a density."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit, logsumexp
from scipy.stats import multivariate_normal
from sklearn.datasets import load_iris
from sklearn.preprocessing import StandardScaler

from sklvm import GaussianRBM, SigmoidAutoencoder
from sklvm.energies import DeepEnergy, GaussianRBMEnergy
from sklvm.kernels import standard_normal
from sklvm.objectives import (
    DenoisingReconstructionError,
    DenoisingScoreMatching,
    PointPosteriorBound,
    ReconstructionError,
    ScoreMatching,
)
from sklvm.optimizers import LBFGS, Adam
from sklvm.testing import FlatObjective, binary_states

OBJECTIVES = ["score_matching", "point_posterior", "denoising", "reconstruction_error"]


@pytest.fixture(scope="module")
def X():
    return StandardScaler().fit_transform(load_iris().data)


def small(**parameters):
    defaults = {"n_components": 5, "optimizer": Adam(0.01), "max_iter": 10, "random_state": 0}
    return SigmoidAutoencoder(**{**defaults, **parameters})


def by_hand(coder, X):
    """x − g(f(x)), and f(x)."""
    S = expit(X @ coder.components_.T + coder.intercept_hidden_)
    return X - coder.intercept_visible_ - S @ coder.components_, S


def test_the_criteria_are_their_formulas(X):
    coder = small(max_iter=3).fit(X)
    (energy, theta), weights = coder.fitted_energy_, np.full(len(X), 1 / len(X))
    residual, S = by_hand(coder, X)
    plain = 0.5 * (residual**2).sum(axis=1)
    formulas = {
        ReconstructionError(): plain,
        PointPosteriorBound(0.6): plain + (S**2).sum(axis=1) / (2 * 0.6**2),
        ScoreMatching(): plain + (S * (1 - S)) @ (coder.components_**2).sum(axis=1) - X.shape[1],
    }
    for objective, expected in formulas.items():
        value = FlatObjective(objective).step(energy, theta, X, weights, None, None)[0]
        assert value == pytest.approx(expected.mean())


def test_denoising_with_unit_noise_is_denoising_score_matching(X, rng):
    """½‖x − r(x̃)‖² = ½‖ψ(x̃) − (x − x̃)‖², for ψ(x̃) = r(x̃) − x̃."""
    energy, weights = GaussianRBMEnergy(4, 5, sigma=1.0), np.full(len(X), 1 / len(X))
    theta = rng.standard_normal(energy.layout.size)

    def step(objective):
        return FlatObjective(objective).step(
            energy, theta, X, weights, None, np.random.default_rng(0)
        )

    error, gradient, _ = step(DenoisingReconstructionError(noise_level=1.0))
    value, expected, _ = step(DenoisingScoreMatching(noise_level=1.0))
    assert_allclose(gradient, expected, rtol=1e-9, atol=1e-12)
    # Score matching takes the mean of ½‖noise‖² off.
    seed = int(np.random.default_rng(0).integers(2**63))
    noise = standard_normal(X.shape, seed, dtype=X.dtype)
    assert error - value == pytest.approx(0.5 * (noise**2).sum(axis=1).mean())


def test_the_denoising_criterion_is_its_formula(X):
    coder = small(max_iter=3).fit(X)
    objective = DenoisingReconstructionError(noise_level=0.4)
    weights = np.full(len(X), 1 / len(X))
    rng, (energy, theta) = np.random.default_rng(0), coder.fitted_energy_
    value = FlatObjective(objective).step(energy, theta, X, weights, None, rng)[0]
    seed = int(np.random.default_rng(0).integers(2**63))
    noise = 0.4 * standard_normal(X.shape, seed, dtype=X.dtype)
    residual = by_hand(coder, X + noise)[0] - noise
    assert value == pytest.approx(0.5 * (residual**2).sum(axis=1).mean())


def test_by_score_matching_it_is_the_deep_energy_model_without_layers(X, rng):
    ours, deep = GaussianRBMEnergy(4, 5, sigma=1.0), DeepEnergy(4, 5, (), sigma=1.0)
    W, a, b = rng.standard_normal((5, 4)), rng.standard_normal(4), rng.standard_normal(5)
    theta = ours.layout.pack(weights=W, visible_bias=a, hidden_bias=b)
    deep_theta = deep.layout.pack(coefs_0=W, visible_bias=a, intercepts_0=b)
    weights = np.full(len(X), 1 / len(X))
    value, gradient, _ = FlatObjective(ScoreMatching()).step(ours, theta, X, weights, None, rng)
    expected, deep_gradient, _ = FlatObjective(ScoreMatching()).step(
        deep, deep_theta, X, weights, None, rng
    )
    assert value == pytest.approx(expected)
    named, deep_named = ours.layout.views(gradient), deep.layout.views(deep_gradient)
    for name, deep_name in zip(
        ("weights", "visible_bias", "hidden_bias"),
        ("coefs_0", "visible_bias", "intercepts_0"),
        strict=True,
    ):
        assert_allclose(named[name], deep_named[deep_name], atol=1e-12)


def test_by_score_matching_it_is_the_gaussian_machine_of_unit_variance(X):
    ours = small().fit(X)
    machine = GaussianRBM(
        5,
        sigma=1.0,
        objective="score_matching",
        optimizer=Adam(0.01),
        centered=False,
        max_iter=10,
        random_state=0,
    ).fit(X)
    assert_allclose(ours.components_, machine.components_)
    assert_allclose(ours.history_["objective"], machine.history_["objective"])
    assert_allclose(ours.score_samples(X), machine.score_samples(X))


def test_after_score_matching_the_score_is_a_log_density(X):
    coder = small().fit(X)
    assert coder.score_normalized_
    Z = binary_states(5)
    means = coder.inverse_transform(Z)
    a = coder.intercept_visible_
    log_weights = Z @ coder.intercept_hidden_ + 0.5 * ((means**2).sum(axis=1) - a @ a)
    log_weights -= logsumexp(log_weights)
    mixture = [
        w + multivariate_normal(mean, np.eye(4)).logpdf(X)
        for w, mean in zip(log_weights, means, strict=True)
    ]
    assert_allclose(coder.score_samples(X), logsumexp(mixture, axis=0), rtol=1e-9)
    assert coder.sample(3, random_state=0).shape == (3, 4)


@pytest.mark.parametrize("objective", OBJECTIVES[1:])
def test_by_the_others_the_score_is_minus_the_energy_and_there_are_no_draws(objective, X):
    coder = small(objective=objective).fit(X)
    assert not coder.score_normalized_
    residual, S = by_hand(coder, X)
    expected = 0.5 * (residual**2).sum(axis=1)
    if objective == "point_posterior":
        expected += (S**2).sum(axis=1) / (2 * 10.0**2)
    assert_allclose(coder.energy(X), expected)
    assert_array_equal(coder.score_samples(X), -coder.energy(X))
    assert not hasattr(coder, "log_partition_")
    for name in ("sample", "estimate_log_partition"):
        assert not hasattr(coder, name)
        assert not hasattr(small(objective=objective), name)


def test_what_is_set_after_the_fit_changes_nothing(X):
    coder = small(objective="denoising").fit(X)
    expected = coder.score_samples(X)
    coder.set_params(objective="score_matching")
    assert_array_equal(coder.score_samples(X), expected)
    assert not hasattr(coder, "sample")


def test_the_settings_of_an_objective_are_reached_by_its_short_name(X):
    coder = small(objective="point_posterior").set_params(objective__tau=0.6).fit(X)
    residual, S = by_hand(coder, X)
    expected = 0.5 * (residual**2).sum(axis=1) + (S**2).sum(axis=1) / (2 * 0.6**2)
    assert_allclose(coder.energy(X), expected)


def test_other_objectives_that_fit_the_machine_fit_it_here(X):
    coder = small(objective="nce").fit(X)
    assert coder.score_normalized_
    assert coder.sample(2, random_state=0).shape == (2, 4)
    with pytest.raises(ValueError, match=r"does not fit SigmoidAutoencoder.*Decoder capability"):
        small(objective="elbo").fit(X)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_training_lowers_the_criterion(objective, X):
    history = small(objective=objective, max_iter=40).fit(X).history_["objective"]
    assert history[-1] < history[0] - 0.05


def test_the_parts_are_those_of_the_formula(X):
    coder = small(objective="reconstruction_error").fit(X)
    residual, S = by_hand(coder, X)
    assert_allclose(coder.transform(X), S)
    assert_allclose(coder.reconstruct(X), X - residual)


def test_noise_does_not_go_with_a_quasi_newton_method(X):
    with pytest.raises(ValueError, match="LBFGS needs a deterministic objective"):
        small(objective="denoising", optimizer="lbfgs").fit(X)
    plain = small(objective="reconstruction_error", optimizer=LBFGS(), max_iter=500).fit(X)
    assert np.all(np.diff(plain.history_["objective"]) <= 1e-9)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_single_precision_is_kept(objective, X):
    coder = small(objective=objective, max_iter=2).fit(X.astype(np.float32))
    scores = coder.score_samples(X.astype(np.float32))
    assert {scores.dtype, coder.components_.dtype} == {np.dtype(np.float32)}
