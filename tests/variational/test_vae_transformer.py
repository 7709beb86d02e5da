"""The variational auto-encoder as users use it, against densities that are known otherwise."""

import copy

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.linalg import subspace_angles
from scipy.special import expit, logsumexp
from scipy.stats import multivariate_normal, norm
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from sklvm import VAETransformer
from sklvm.exceptions import DivergenceError
from sklvm.objectives import EvidenceLowerBound
from sklvm.optimizers import SGD, Adam


def small(**parameters):
    defaults = {"n_components": 2, "hidden_layer_sizes": (8,), "max_iter": 5, "random_state": 0}
    defaults["optimizer"] = "adam"
    return VAETransformer(**{**defaults, **parameters})


def factor_data(rng, n_samples=500, d=6, K=2):
    W = rng.standard_normal((K, d)) * 1.5
    return 2.0 + rng.standard_normal((n_samples, K)) @ W + 0.5 * rng.standard_normal((n_samples, d))


def bits(rng, n_samples=300, d=6):
    return (rng.random((n_samples, d)) < expit(3 * rng.standard_normal((n_samples, 1)))).astype(
        float
    )


def linear(posterior, max_iter, **parameters):
    return VAETransformer(
        2,
        hidden_layer_sizes=(),
        posterior=posterior,
        optimizer=Adam(0.01, schedule="cosine"),
        max_iter=max_iter,
        random_state=0,
        **parameters,
    )


@pytest.mark.slow
@pytest.mark.parametrize("posterior", ["diagonal", "full"])
def test_a_linear_model_becomes_probabilistic_pca(posterior, rng):
    X = factor_data(rng)
    vae = linear(posterior, 1000).fit(X)
    pca = PCA(2).fit(X)
    # sklearn's noise variance has n − 1 in the denominator, as has its covariance.
    expected = pca.score(X)
    assert vae.score(X) == pytest.approx(expected, rel=1e-3)
    angles = np.rad2deg(subspace_angles(vae.components_.T, pca.components_.T))
    assert angles.max() < 1
    covariance = vae.components_.T @ vae.components_ + vae.sigma_**2 * np.eye(6)
    distribution = multivariate_normal(vae.decoder_intercepts_[0], covariance)
    assert distribution.logpdf(X).mean() == pytest.approx(expected, rel=1e-3)
    assert np.mean(distribution.logpdf(X) - vae.elbo(X)) < 0.01


@pytest.fixture(scope="module", params=["diagonal", "full"])
def linear_vae(request):
    X = factor_data(np.random.default_rng(0))
    return linear(request.param, 60).fit(X), X


def exact_distribution(vae):
    d = vae.n_features_in_
    covariance = vae.components_.T @ vae.components_ + vae.sigma_**2 * np.eye(d)
    return multivariate_normal(vae.decoder_intercepts_[0], covariance)


def test_the_score_tends_to_the_log_density_and_the_bound_stays_below(linear_vae):
    vae, X = linear_vae
    exact = exact_distribution(vae).logpdf(X)
    # A warm start of no epochs takes the new setting and keeps the parameters.
    patient = copy.copy(vae).set_params(n_importance_samples=10_000, warm_start=True, max_iter=0)
    patient.fit(X)
    assert_array_equal(patient.components_, vae.components_)
    assert_allclose(patient.score_samples(X[:100]), exact[:100], atol=0.1)
    assert abs(patient.score(X[:100]) - exact[:100].mean()) < 0.01
    assert patient.elbo(X[:100]).mean() < exact[:100].mean()
    assert np.all(vae.elbo(X) <= vae.score_samples(X))


def test_a_bernoulli_model_agrees_with_quadrature_over_its_latent_plane(rng):
    X = bits(rng)
    vae = small(likelihood="bernoulli", max_iter=20, n_importance_samples=100_000).fit(X)
    axis = np.linspace(-7, 7, 141)
    Z = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    log_prior = norm.logpdf(Z).sum(axis=1) + 2 * np.log(axis[1] - axis[0])
    P = vae.inverse_transform(Z)
    some = X[:20]
    log_joint = some @ np.log(P).T + (1 - some) @ np.log1p(-P).T + log_prior
    exact = logsumexp(log_joint, axis=1)
    assert_allclose(vae.score_samples(some), exact, atol=0.03)
    assert np.mean(vae.elbo(some)) < exact.mean()


def test_the_probabilities_of_all_binary_states_add_up_to_one(rng):
    vae = small(likelihood="bernoulli", n_importance_samples=20_000).fit(bits(rng, d=4))
    states = np.stack(np.meshgrid(*4 * [[0.0, 1.0]]), axis=-1).reshape(-1, 4)
    assert np.exp(vae.score_samples(states)).sum() == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("sigma", [0.5, "learn", "learn_diagonal", "predict"])
@pytest.mark.parametrize("posterior", ["diagonal", "full"])
def test_a_fit_raises_the_bound(sigma, posterior, rng):
    X = factor_data(rng, 300)
    model = small(sigma=sigma, posterior=posterior, optimizer=Adam(0.005))
    before = clone(model).set_params(max_iter=0).fit(X).elbo(X).mean()
    after = model.set_params(max_iter=30).fit(X)
    assert after.elbo(X).mean() > before + 0.3
    history = after.history_
    assert_allclose(history["objective"], history["reconstruction_error"] + history["divergence"])


def test_draws_have_the_moments_of_the_model(linear_vae):
    vae, _ = linear_vae
    distribution = exact_distribution(vae)
    draws = vae.sample(200_000, random_state=0)
    assert_allclose(draws.mean(axis=0), distribution.mean, atol=0.03)
    assert_allclose(np.cov(draws.T), distribution.cov, atol=0.08)
    assert_array_equal(vae.sample(3, random_state=1), vae.sample(3, random_state=1))


def test_binary_draws_have_the_frequencies_of_the_scores(rng):
    vae = small(likelihood="bernoulli", n_importance_samples=100_000).fit(bits(rng, d=3))
    draws = vae.sample(50_000, random_state=0)
    states, counts = np.unique(draws, axis=0, return_counts=True)
    assert_allclose(counts / len(draws), np.exp(vae.score_samples(states)), atol=0.01)


def test_the_posterior_has_the_shape_that_was_asked_for(linear_vae):
    vae, X = linear_vae
    mean, factor = vae.latent_posterior(X)
    assert_array_equal(mean, vae.transform(X))
    assert np.all(np.triu(factor, 1) == 0)
    assert np.all(np.einsum("nkk->nk", factor) > 0)
    is_diagonal = np.all(np.tril(factor, -1) == 0)
    assert is_diagonal == (vae.posterior == "diagonal")


def test_reconstructions_and_traversals_are_what_the_decoder_makes(rng):
    X = factor_data(rng, 200)
    vae = small(n_components=3).fit(X)
    assert_array_equal(vae.reconstruct(X), vae.inverse_transform(vae.transform(X)))
    assert vae.latent_traversal().shape == (3, 7, 6)
    traversal = vae.latent_traversal(X[0], components=[2, 0], values=[-1.0, 0.5])
    z = vae.transform(X[:1])[0]
    for images, component in zip(traversal, [2, 0], strict=True):
        for image, value in zip(images, [-1.0, 0.5], strict=True):
            moved = np.where(np.arange(3) == component, value, z)
            assert_allclose(image, vae.inverse_transform(moved[np.newaxis])[0])


def test_blocks_of_rows_make_no_difference(rng, monkeypatch):
    X = factor_data(rng, 100)
    vae = small().fit(X)
    Z, reconstructed = vae.transform(X), vae.reconstruct(X)
    monkeypatch.setattr("sklvm.base._row_blocks.BLOCK_ENTRIES", 70)
    assert_allclose(vae.transform(X), Z)
    assert_allclose(vae.reconstruct(X), reconstructed)
    draws = vae.sample(100, random_state=0)
    assert draws.shape == X.shape
    assert len(np.unique(draws, axis=0)) == 100


def test_latent_variables_of_another_number_are_refused(rng):
    vae = small().fit(factor_data(rng, 50))
    with pytest.raises(ValueError, match="Z has 3 columns, and this VAETransformer has 2"):
        vae.inverse_transform(np.zeros((4, 3)))


def with_gaps(X, rng, share=0.2):
    return np.where(rng.random(X.shape) < share, np.nan, X)


def test_missing_entries_are_integrated_out_of_the_score(rng):
    X = factor_data(rng)
    vae = linear("full", 60, n_importance_samples=2000).fit(with_gaps(X, rng))
    rows = X[:30].copy()
    rows[:, [1, 4]] = np.nan
    distribution = exact_distribution(vae)
    kept = [0, 2, 3, 5]
    marginal = multivariate_normal(distribution.mean[kept], distribution.cov[np.ix_(kept, kept)])
    assert_allclose(vae.score_samples(rows), marginal.logpdf(rows[:, kept]), atol=0.5)
    assert np.all(np.isfinite(vae.reconstruct(rows)))


def test_entries_are_filled_better_than_by_their_mean(rng):
    X = factor_data(rng, 1000)
    gaps = with_gaps(X, rng)
    vae = small(hidden_layer_sizes=(32,), optimizer=Adam(0.01, schedule="cosine"), max_iter=60)
    filled = vae.fit(gaps).reconstruct(gaps)
    missing = np.isnan(gaps)
    error = np.mean((filled - X)[missing] ** 2)
    assert error < 0.4 * np.mean((np.nanmean(gaps, axis=0) - X)[missing] ** 2)


def test_a_model_of_complete_data_refuses_gaps_that_come_later(rng):
    X = factor_data(rng, 50)
    vae = small().fit(X)
    for use in (vae.transform, vae.score_samples, vae.partial_fit):
        with pytest.raises(ValueError, match="was fitted to complete data"):
            use(with_gaps(X, rng))


def test_a_feature_without_a_value_is_refused(rng):
    X = factor_data(rng, 50)
    X[:, 3] = np.nan
    with pytest.raises(ValueError, match=r"Features \[3\] have no observed value"):
        small().fit(X)


@pytest.mark.parametrize("bad", [-0.1, 1.5])
def test_the_bernoulli_likelihood_takes_the_unit_interval_only(bad, rng):
    X = bits(rng)
    X[3, 2] = bad
    with pytest.raises(ValueError, match=r"probabilities in \[0, 1\], got values from"):
        small(likelihood="bernoulli").fit(X)


def grey_levels(rng, n_samples=400):
    """Two kinds of rows, whose features are likely, or unlikely, to be on together."""
    kinds = np.array([[0.9, 0.9, 0.1, 0.1], [0.1, 0.1, 0.9, 0.9]])
    return kinds[rng.integers(2, size=n_samples)]


def test_bits_drawn_for_every_step_make_a_model_of_bits(rng):
    X = grey_levels(rng)
    vae = small(likelihood="bernoulli", binarize="dynamic", n_importance_samples=20_000)
    vae.set_params(optimizer=Adam(0.02, schedule="cosine"), max_iter=150).fit(X)
    states = np.stack(np.meshgrid(*4 * [[0.0, 1.0]]), axis=-1).reshape(-1, 4)
    levels = grey_levels(rng, 2000)
    p = np.prod(np.where(states[:, np.newaxis], levels, 1 - levels), axis=2).mean(axis=1)
    # Independent bits of the same means would be off by 0.27.
    assert_allclose(np.exp(vae.score_samples(states)), p, atol=0.08)


def test_a_threshold_makes_any_data_binary(rng):
    X = np.where(rng.random((50, 4)) < 0.1, np.nan, bits(rng)[:50, :4])
    plain = small(likelihood="bernoulli", max_iter=2).fit(X)
    vae = small(likelihood="bernoulli", binarize=4.0, max_iter=2).fit(10 * X - 3)
    assert_array_equal(vae.encoder_coefs_[0], plain.encoder_coefs_[0])
    assert_array_equal(vae.score_samples(10 * X - 3), plain.score_samples(X))


def test_scores_of_grey_levels_are_below_the_expected_score_of_their_bits(rng):
    X = grey_levels(rng)
    vae = small(likelihood="bernoulli", binarize="dynamic", n_importance_samples=20_000).fit(X)
    states = np.stack(np.meshgrid(*4 * [[0.0, 1.0]]), axis=-1).reshape(-1, 4)
    scores = vae.score_samples(states)
    rows = rng.random((20, 4))
    chances = np.prod(np.where(states, rows[:, np.newaxis], 1 - rows[:, np.newaxis]), axis=2)
    assert np.all(vae.score_samples(rows) < chances @ scores)


def test_held_out_rows_are_judged_by_the_same_bits_every_time(rng):
    X = grey_levels(rng)
    vae = small(
        likelihood="bernoulli", binarize="dynamic", early_stopping=True, optimizer=SGD(1e-12)
    ).fit(X)
    validation = vae.history_["validation_objective"]
    assert_allclose(validation, validation[0], rtol=1e-6)
    assert np.ptp(vae.history_["objective"]) > 1e-3


def test_bits_are_drawn_for_the_bernoulli_likelihood_only(rng):
    for method in ("fit", "partial_fit"):
        with pytest.raises(ValueError, match=r"binarize='dynamic' .* likelihood='gaussian'"):
            getattr(small(binarize="dynamic"), method)(rng.random((20, 3)))


@pytest.mark.parametrize("name", ["hidden_layer_sizes", "decoder_layer_sizes"])
def test_layers_have_to_have_a_width(name, rng):
    with pytest.raises(ValueError, match=f"{name} must hold integers of at least 1"):
        small(**{name: (4, 0)}).fit(factor_data(rng, 50))


def test_a_decoder_mirrors_the_encoder_unless_told_otherwise(rng):
    X = factor_data(rng, 50)
    widths = lambda coefs: [len(V) for V in coefs]  # noqa: E731
    mirrored = small(hidden_layer_sizes=(5, 4)).fit(X)
    assert widths(mirrored.encoder_coefs_) == [5, 4, 4]
    assert widths(mirrored.decoder_coefs_) == [4, 5, 6]
    own = small(hidden_layer_sizes=(5, 4), decoder_layer_sizes=(), sigma="predict").fit(X)
    assert widths(own.decoder_coefs_) == [12]
    assert own.components_.shape == (2, 6)
    assert not hasattr(own, "sigma_")


def test_partial_fit_over_the_same_batches_does_what_fit_does(rng):
    X = factor_data(rng, 250)
    start = small(max_iter=0, shuffle=False, batch_size=100)
    fitted = clone(start).set_params(max_iter=2).fit(X)
    streamed = start.fit(X)
    for _ in range(2):
        streamed.partial_fit(X)
    assert_array_equal(streamed.transform(X), fitted.transform(X))


def test_a_warm_start_goes_on(rng):
    X = factor_data(rng, 200)
    twice = small(warm_start=True, max_iter=3, shuffle=False).fit(X).fit(X)
    once = small(max_iter=6, shuffle=False).fit(X)
    assert_allclose(twice.transform(X), once.transform(X))


def test_held_out_rows_stop_a_fit_and_are_not_fooled_by_the_warm_up(rng):
    X = factor_data(rng, 300)
    vae = small(
        early_stopping=True,
        n_iter_no_change=3,
        max_iter=200,
        objective=EvidenceLowerBound(beta=4.0, n_warm_up_steps=30),
    ).set_params(optimizer=Adam(0.02))
    vae.fit(X)
    assert vae.n_iter_ < 200
    # By its own weight of the divergence, the first epoch would be the best.
    assert np.argmin(vae.history_["validation_objective"]) > 3


def test_a_larger_beta_leaves_less_divergence(rng):
    X = factor_data(rng, 300)
    fits = [small(beta=beta, max_iter=40, optimizer=Adam(0.01)).fit(X) for beta in (0.1, 1, 20)]
    divergences = [vae.history_["divergence"][-1] for vae in fits]
    assert divergences[0] > divergences[1] > divergences[2]


def test_weights_of_rows_count(rng):
    near, far = factor_data(rng, 200), factor_data(rng, 200) + 6.0
    X = np.vstack([near, far])
    weights = np.repeat([1.0, 1e-3], 200)
    vae = small(max_iter=60, optimizer=Adam(0.01)).fit(X, sample_weight=weights)
    assert vae.score(near) > vae.score(far) + 1


def test_an_explosion_leaves_the_last_finite_parameters(rng):
    vae = small(optimizer=SGD(1e6))
    X = factor_data(rng, 200)
    with pytest.raises(DivergenceError):
        vae.fit(X)
    assert np.all(np.isfinite(vae.transform(X)))


def test_a_search_over_the_latent_space_by_a_classifier_behind_it():
    X, y = load_digits(n_class=4, return_X_y=True)
    pipeline = make_pipeline(
        small(hidden_layer_sizes=(32,), likelihood="bernoulli", optimizer=Adam(0.01), max_iter=40),
        LogisticRegression(max_iter=500),
    )
    grid = {"vaetransformer__n_components": [2, 8], "vaetransformer__beta": [1.0, 4.0]}
    search = GridSearchCV(pipeline, grid, cv=2).fit(X / 16, y)
    assert search.best_score_ > 0.8


def test_single_precision_is_close_to_double(rng):
    X = factor_data(rng, 200)
    double = small().fit(X)
    single = small().fit(X.astype(np.float32))
    assert single.sample(3).dtype == single.latent_traversal().dtype == np.float32
    assert single.elbo(X.astype(np.float32)).dtype == np.float32
    assert_allclose(single.score_samples(X.astype(np.float32)), double.score_samples(X), rtol=0.02)
