"""Variational models by every objective that trains their encoder."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning

from sklvm import BinaryLatentVAE, SigmoidAutoencoder, VAETransformer
from sklvm.energies import DecoderEnergy, GaussianLikelihood
from sklvm.layouts import Parameters
from sklvm.objectives import (
    AutoencoderLoss,
    EvidenceLowerBound,
    ImportanceWeightedBound,
    ScoreMatching,
    VariationalNoiseContrastiveEstimation,
)
from sklvm.optimizers import LBFGS, Adam
from sklvm.posteriors import PointEncoder

OBJECTIVES = ["elbo", "importance_weighted", "vnce", "autoencoder"]


@pytest.fixture(scope="module")
def X():
    rng = np.random.default_rng(0)
    Z = rng.standard_normal((400, 2))
    return np.tanh(Z @ rng.standard_normal((2, 5))) + 0.2 * rng.standard_normal((400, 5))


def small(**parameters):
    defaults = {
        "n_components": 2,
        "hidden_layer_sizes": (12,),
        "optimizer": Adam(0.01),
        "max_iter": 20,
        "random_state": 0,
    }
    return VAETransformer(**{**defaults, **parameters})


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_objective_lowers_itself_and_keeps_the_precision(objective, dtype, X):
    vae = small(objective=objective).fit(X.astype(dtype))
    history = vae.history_["objective"]
    assert history[-1] < history[0] - 0.02
    assert vae.transform(X.astype(dtype)).dtype == dtype
    assert vae.score_samples(X.astype(dtype)).dtype == dtype
    assert vae.reconstruct(X).shape == X.shape


def test_the_shorthand_beta_is_that_of_the_objective(X):
    short = small(beta=3.0, max_iter=2).fit(X)
    full = small(objective=EvidenceLowerBound(beta=3.0), max_iter=2).fit(X)
    assert_array_equal(short.transform(X), full.transform(X))
    both = small(objective=EvidenceLowerBound(beta=5.0), beta=3.0, max_iter=2).fit(X)
    assert_array_equal(short.transform(X), both.transform(X))
    with pytest.raises(ValueError, match=r"beta=3.0 weighs the divergence of objective='elbo'"):
        small(objective="importance_weighted", beta=3.0).fit(X)


def test_the_settings_of_an_objective_are_reached_by_its_short_name(X):
    vae = small(max_iter=2).set_params(objective__n_warm_up_steps=7)
    assert vae.objective.n_warm_up_steps == 7
    vae = small(objective="importance_weighted", max_iter=1).set_params(objective__n_samples=3)
    assert 1 <= vae.fit(X).history_["effective_sample_size"][0] <= 3


def test_a_tighter_bound_scores_no_lower(X):
    settings = {"max_iter": 80, "n_importance_samples": 2000}
    elbo = small(**settings).fit(X)
    weighted = small(objective=ImportanceWeightedBound(20), **settings).fit(X)
    assert weighted.score(X) > elbo.score(X) - 0.05
    # It is freer to leave q apart from the posterior.
    gaps = [np.mean(vae.score_samples(X) - vae.elbo(X)) for vae in (elbo, weighted)]
    assert gaps[1] > gaps[0]


def test_missing_entries_are_taken_where_there_is_a_likelihood_of_the_others(X):
    gaps = np.where(np.random.default_rng(1).random(X.shape) < 0.1, np.nan, X)
    for objective in ("elbo", "importance_weighted", "autoencoder"):
        vae = small(objective=objective, max_iter=2).fit(gaps)
        assert np.isfinite(vae.score_samples(gaps)).all()
    for objective in ("vnce", AutoencoderLoss(contraction=0.1)):
        with pytest.raises(ValueError, match=r"X contains NaN, and .* is for complete data"):
            small(objective=objective, activation="tanh").fit(gaps)
    with pytest.raises(ValueError, match="activation='relu' has no second derivative"):
        small(objective=AutoencoderLoss(contraction=0.1)).fit(X)


def test_an_objective_that_trains_no_encoder_is_refused(X):
    with pytest.raises(ValueError, match=r"needs an energy with the .* capability"):
        small(objective=ScoreMatching()).fit(X)


# -- auto-encoders ---------------------------------------------------------------------------------


def test_an_auto_encoder_scores_by_its_loss_and_is_no_density(X):
    coder = small(objective=AutoencoderLoss(tau=0.7), sigma=0.5).fit(X)
    Z, errors = coder.transform(X), X - coder.reconstruct(X)
    loss = (errors**2).sum(axis=1) / (2 * 0.5**2) + 2.5 * np.log(2 * np.pi * 0.5**2)
    assert_allclose(coder.score_samples(X), -loss - (Z**2).sum(axis=1) / (2 * 0.7**2), rtol=1e-9)
    assert not coder.score_normalized_
    assert not coder.score_is_bound_
    for name in ("sample", "elbo", "latent_posterior"):
        assert not hasattr(coder, name)
        assert not hasattr(small(objective="autoencoder"), name)
    coder.set_params(objective="elbo")
    assert not hasattr(coder, "sample")


def test_a_deterministic_auto_encoder_goes_with_a_quasi_newton_method(X):
    coder = small(objective="autoencoder", sigma=1.0, optimizer=LBFGS(), max_iter=50)
    with pytest.warns(ConvergenceWarning):
        coder.fit(X)
    assert np.all(np.diff(coder.history_["objective"]) <= 1e-9)


def test_a_tied_sigmoid_layer_is_the_sigmoid_auto_encoder_with_a_point_posterior(X):
    tied = SigmoidAutoencoder(
        3, objective="point_posterior", max_iter=3, random_state=0, optimizer="adam"
    ).fit(X)
    energy = DecoderEnergy(GaussianLikelihood(5, sigma=1.0), 3)
    encoder = PointEncoder(5, 3, output_activation="sigmoid")
    W = tied.components_
    theta = energy.layout.pack(coefs_0=W.T, intercepts_0=tied.intercept_visible_)
    phi = encoder.layout.pack(coefs_0=W, intercepts_0=tied.intercept_hidden_)
    objective = AutoencoderLoss(tau=10.0).with_encoder(encoder)
    parameters = Parameters(np.concatenate([theta, phi]), objective.own_layout(energy))
    losses = objective.row_losses(energy, parameters, X)
    assert_allclose(losses - 2.5 * np.log(2 * np.pi), tied.energy(X))


@pytest.mark.parametrize("hidden", [(), (4,), (5, 4)])
def test_the_contraction_is_the_squared_norm_of_the_encoders_jacobian(hidden, X, rng):
    encoder = PointEncoder(5, 2, hidden, "tanh", output_activation="sigmoid")
    phi = rng.standard_normal(encoder.layout.size)
    norms, _ = encoder.encode(phi, X[:4]).jacobian_norms()
    for x, norm in zip(X, norms, strict=False):
        up, down = (encoder.encode(phi, x + s * 1e-5 * np.eye(5)).mean for s in (1, -1))
        assert norm == pytest.approx(np.sum(((up - down) / 2e-5) ** 2), rel=1e-6)


def test_contraction_flattens_the_code(X):
    def flatness(contraction):
        objective = AutoencoderLoss(tau=5.0, contraction=contraction)
        coder = small(objective=objective, activation="tanh", sigma=0.3, max_iter=40).fit(X)
        training = coder._training
        encoder = training.objective.encoder(training.energy)
        code = encoder.encode(training.parameters.own_part("encoder_"), X)
        return code.jacobian_norms()[0].mean()

    assert flatness(0.5) < 0.5 * flatness(0.0)


# -- noise contrast --------------------------------------------------------------------------------


def test_binary_causes_are_found_by_noise_contrast_as_by_the_bound():
    rng = np.random.default_rng(0)
    causes = rng.random((800, 2)) < 0.5
    X = causes @ np.array([[3.0, 0.0, 1.0], [0.0, 3.0, 0.0]]) + 0.5 * rng.standard_normal((800, 3))
    settings = {"optimizer": Adam(0.03), "max_iter": 60, "random_state": 0}
    bound = BinaryLatentVAE(2, **settings).fit(X)
    objective = VariationalNoiseContrastiveEstimation(n_importance_samples="all")
    contrast = BinaryLatentVAE(2, objective=objective, **settings).fit(X)
    assert contrast.score(X) > bound.score(X) - 0.05
    assert np.mean(contrast.score_samples(X) - contrast.elbo(X)) < 0.1
    assert (
        BinaryLatentVAE(2, objective="vnce", max_iter=2, random_state=0, optimizer="adam")
        .fit(X)
        .n_iter_
        == 2
    )


def test_the_decoder_of_digits_is_trained_by_noise_contrast():
    X = (load_digits().data[:600] > 7).astype(float)
    vae = VAETransformer(
        4,
        hidden_layer_sizes=(24,),
        likelihood="bernoulli",
        objective="vnce",
        optimizer=Adam(0.01),
        random_state=0,
        max_iter=50,
    )
    start = vae.set_params(max_iter=0).fit(X).score(X)
    assert vae.set_params(max_iter=30).fit(X).score(X) > start + 1.5
