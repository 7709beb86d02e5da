"""Whitening is an invertible change of variables to unit covariance, with its density."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm
from sklearn.base import clone
from sklearn.covariance import EmpiricalCovariance, GraphicalLasso, LedoitWolf
from sklearn.decomposition import PCA
from sklearn.frozen import FrozenEstimator

from sklvm.covariance import ConstrainedGaussian, ZCAWhitener

methods = pytest.mark.parametrize("method", ["zca", "pca"])


def correlated_data(n_samples=400, n_features=6, seed=0):
    rng = np.random.default_rng(seed)
    mixing = rng.standard_normal((n_features, n_features))
    return rng.standard_normal((n_samples, n_features)) @ mixing + np.arange(n_features)


@methods
def test_whitened_data_have_unit_covariance(method):
    Z = ZCAWhitener(method).fit_transform(correlated_data())
    np.testing.assert_allclose(Z.mean(axis=0), 0, atol=1e-10)
    np.testing.assert_allclose(np.cov(Z.T, bias=True), np.eye(6), atol=1e-9)


def test_zca_is_the_symmetric_inverse_root_of_the_covariance():
    X = correlated_data()
    W = ZCAWhitener().fit(X).components_
    np.testing.assert_allclose(W, W.T, atol=1e-12)
    assert np.linalg.eigvalsh(W)[0] > 0
    np.testing.assert_allclose(W @ np.cov(X.T, bias=True) @ W, np.eye(6), atol=1e-9)


def test_pca_whitening_is_that_of_scikit_learn():
    X = correlated_data()
    ours = ZCAWhitener("pca", n_components=4).fit(X)
    theirs = PCA(4, whiten=True).fit(X)
    # It divides by n − 1 where we divide by n.
    np.testing.assert_allclose(
        ours.transform(X), theirs.transform(X) * np.sqrt(400 / 399), atol=1e-8
    )
    np.testing.assert_allclose(ours.explained_variance_, theirs.explained_variance_ * 399 / 400)


@methods
@pytest.mark.parametrize("regularization", [0.0, 0.3])
def test_the_round_trip_is_exact_when_nothing_is_dropped(method, regularization):
    X = correlated_data()
    whitener = ZCAWhitener(method, regularization=regularization).fit(X)
    np.testing.assert_allclose(whitener.inverse_transform(whitener.transform(X)), X, atol=1e-10)


@methods
def test_the_round_trip_with_dropped_directions_is_the_principal_projection(method):
    X = correlated_data()
    whitener = ZCAWhitener(method, n_components=2, regularization=0.1).fit(X)
    pca = PCA(2).fit(X)
    expected = pca.inverse_transform(pca.transform(X))
    reconstructed = whitener.inverse_transform(whitener.transform(X))
    np.testing.assert_allclose(reconstructed, expected, atol=1e-9)


@methods
@pytest.mark.parametrize("n_components", [None, 1, 4])
@pytest.mark.parametrize("regularization", [0.0, 0.3])
def test_score_samples_is_the_log_density_of_the_regularised_gaussian(
    method, n_components, regularization
):
    X = correlated_data()
    whitener = ZCAWhitener(method, n_components=n_components, regularization=regularization).fit(X)
    variances, directions = np.linalg.eigh(np.cov(X.T, bias=True))
    n_dropped = 0 if n_components is None else 6 - n_components
    variances[:n_dropped] = variances[:n_dropped].mean() if n_dropped else 0
    covariance = (directions * (variances + regularization)) @ directions.T
    expected = multivariate_normal(X.mean(axis=0), covariance).logpdf(X)
    np.testing.assert_allclose(whitener.score_samples(X), expected, rtol=1e-9)


def test_dropped_directions_have_the_density_of_probabilistic_pca():
    X = correlated_data()
    # Its covariances are divided by n − 1.
    scaled = X.mean(axis=0) + (X - X.mean(axis=0)) * np.sqrt(400 / 399)
    ours = ZCAWhitener("pca", n_components=3).fit(scaled)
    np.testing.assert_allclose(ours.score_samples(X), PCA(3).fit(X).score_samples(X), rtol=1e-9)


@methods
@pytest.mark.parametrize("regularization", [0.0, 0.3])
def test_the_jacobian_turns_the_density_of_whitened_data_into_that_of_the_data(
    method, regularization
):
    X = correlated_data()
    whitener = ZCAWhitener(method, regularization=regularization).fit(X)
    log_density = norm.logpdf(whitener.transform(X)).sum(axis=1) + whitener.log_abs_det_jacobian_
    np.testing.assert_allclose(whitener.score_samples(X), log_density, rtol=1e-9)
    _, log_determinant = np.linalg.slogdet(whitener.components_)
    assert whitener.log_abs_det_jacobian_ == pytest.approx(log_determinant)


@methods
@pytest.mark.parametrize("cuts", [[1], [7, 8, 100], [200]])
def test_partial_fits_add_up_to_the_fit(method, cuts):
    X = correlated_data()
    weights = np.random.default_rng(0).random(400)
    whole = ZCAWhitener(method).fit(X, sample_weight=weights)
    parts = ZCAWhitener(method)
    for rows, row_weights in zip(np.split(X, cuts), np.split(weights, cuts), strict=True):
        assert parts.partial_fit(rows, sample_weight=row_weights) is parts
    np.testing.assert_allclose(parts.mean_, whole.mean_, rtol=1e-10)
    np.testing.assert_allclose(parts.components_, whole.components_, rtol=1e-10, atol=1e-11)
    np.testing.assert_allclose(parts.score_samples(X), whole.score_samples(X), rtol=1e-10)


def test_fit_forgets_and_partial_fit_remembers():
    X, Y = correlated_data(seed=0), correlated_data(seed=1)
    whitener = ZCAWhitener().fit(Y).fit(X)
    np.testing.assert_array_equal(whitener.components_, ZCAWhitener().fit(X).components_)
    both = whitener.partial_fit(Y).components_
    np.testing.assert_allclose(both, ZCAWhitener().fit(np.r_[X, Y]).components_, rtol=1e-9)


@pytest.mark.parametrize(
    "estimator", [LedoitWolf(), ConstrainedGaussian("lattice", image_shape=(2, 3), radius=1)]
)
def test_whitening_by_an_estimator_whitens_its_covariance(estimator):
    X = correlated_data()
    whitener = ZCAWhitener(covariance_estimator=estimator).fit(X)
    covariance = clone(estimator).fit(X).covariance_
    W = whitener.components_
    np.testing.assert_allclose(W @ covariance @ W, np.eye(6), atol=1e-8)
    expected = multivariate_normal(X.mean(axis=0), covariance).logpdf(X)
    np.testing.assert_allclose(whitener.score_samples(X), expected, rtol=1e-8)
    assert not hasattr(estimator, "covariance_")


def test_an_estimator_of_the_empirical_covariance_changes_nothing():
    X = correlated_data()
    ours, theirs = ZCAWhitener(), ZCAWhitener(covariance_estimator=EmpiricalCovariance())
    np.testing.assert_allclose(ours.fit(X).components_, theirs.fit(X).components_, rtol=1e-8)


def test_a_frozen_gaussian_whitens_other_rows_as_it_is():
    gaussian = ConstrainedGaussian().fit(correlated_data())
    whitener = ZCAWhitener(covariance_estimator=FrozenEstimator(gaussian))
    whitener.fit(correlated_data(50, seed=1))
    covariance = whitener.components_ @ gaussian.covariance_ @ whitener.components_.T
    np.testing.assert_allclose(covariance, np.eye(6), atol=1e-9)
    np.testing.assert_array_equal(whitener.mean_, gaussian.location_)


def test_weights_reach_an_estimator_that_takes_them_and_are_refused_for_another():
    X, weights = correlated_data(), np.random.default_rng(0).random(400)
    by_estimator = ZCAWhitener(covariance_estimator=ConstrainedGaussian())
    np.testing.assert_allclose(
        by_estimator.fit(X, sample_weight=weights).components_,
        ZCAWhitener().fit(X, sample_weight=weights).components_,
        rtol=1e-8,
        atol=1e-10,
    )
    with pytest.raises(ValueError, match=r"GraphicalLasso.*sample_weight"):
        ZCAWhitener(covariance_estimator=GraphicalLasso()).fit(X, sample_weight=weights)


def test_there_is_no_partial_fit_with_an_estimator():
    whitener = ZCAWhitener(covariance_estimator=LedoitWolf())
    assert not hasattr(whitener, "partial_fit")
    with pytest.raises(AttributeError) as caught:
        whitener.partial_fit(correlated_data())
    assert "covariance_estimator=None" in str(caught.value.__cause__)
    assert hasattr(ZCAWhitener(), "partial_fit")


@methods
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", ["few rows", "constant", "dependent"])
def test_directions_without_variance_are_left_at_zero(method, dtype, kind):
    X = {
        "few rows": correlated_data(10, 40),
        "constant": np.c_[correlated_data(), np.full(400, 7.0)],
        "dependent": np.c_[correlated_data(), correlated_data()[:, :2]],
    }[kind].astype(dtype)
    rank = {"few rows": 9, "constant": 6, "dependent": 6}[kind]
    whitener = ZCAWhitener(method).fit(X)
    assert (whitener.explained_variance_ > 0).sum() == rank
    Z = whitener.transform(X)
    assert Z.dtype == dtype
    whitened = np.linalg.eigvalsh(np.cov(Z.T.astype(np.float64), bias=True))
    np.testing.assert_allclose(whitened[-rank:], 1, atol=1e-2)
    np.testing.assert_allclose(whitened[:-rank], 0, atol=1e-5)
    scale = np.abs(X).max()
    np.testing.assert_allclose(
        whitener.inverse_transform(Z), X, atol=1e3 * np.finfo(dtype).eps * scale
    )
    with pytest.raises(ValueError, match=r"no density.*regularization"):
        whitener.score_samples(X)
    # With a ridge, or as probabilistic PCA of fewer directions than the rank, there is one.
    assert np.isfinite(clone(whitener).set_params(regularization=0.1).fit(X).score(X))
    if kind == "few rows":
        assert np.isfinite(clone(whitener).set_params(n_components=5).fit(X).score(X))


@methods
@pytest.mark.parametrize("n_components", [None, 2])
def test_samples_have_the_covariance_of_the_model(method, n_components):
    X = correlated_data()
    whitener = ZCAWhitener(method, n_components=n_components, regularization=0.1).fit(X)
    drawn = whitener.sample(200_000, random_state=0)
    # The expected log-density of a Gaussian under itself depends on its covariance alone.
    entropy = (
        -whitener.log_abs_det_jacobian_
        + 0.5 * (6 - len(whitener.explained_variance_)) * np.log(whitener.noise_variance_ or 1)
        + 3 * np.log(2 * np.pi * np.e)
    )
    assert whitener.score(drawn) == pytest.approx(-entropy, abs=0.02)
    np.testing.assert_allclose(drawn.mean(axis=0), X.mean(axis=0), atol=0.05)


@methods
def test_the_number_of_outputs(method):
    X = correlated_data()
    whitener = ZCAWhitener(method, n_components=2).fit(X)
    n_outputs = {"zca": 6, "pca": 2}[method]
    assert whitener.components_.shape == (n_outputs, 6)
    assert whitener.mixing_.shape == (6, n_outputs)
    assert whitener.transform(X).shape == (400, n_outputs)
    names = {"zca": [f"x{j}" for j in range(6)], "pca": ["zcawhitener0", "zcawhitener1"]}[method]
    assert list(whitener.get_feature_names_out()) == names
    other = {"zca": "pca", "pca": "zca"}[method]
    assert list(whitener.set_params(method=other).get_feature_names_out()) == names
    assert np.linalg.matrix_rank(whitener.transform(X)) == 2


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"method": "cholesky"}, "method"),
        ({"n_components": 7}, "at most the number of features, 6, got 7"),
        ({"n_components": 0}, "n_components"),
        ({"regularization": -0.1}, "regularization"),
        ({"covariance_estimator": "lw"}, "covariance_estimator"),
    ],
)
def test_a_bad_parameter_is_named(parameters, message):
    with pytest.raises(ValueError, match=message):
        ZCAWhitener(**parameters).fit(correlated_data())


def test_whitened_data_of_the_wrong_width_are_refused():
    whitener = ZCAWhitener("pca", n_components=2).fit(correlated_data())
    with pytest.raises(ValueError, match="3 columns"):
        whitener.inverse_transform(np.zeros((4, 3)))


def test_float32_data_are_whitened_as_float64_ones():
    X = (correlated_data() + 100).astype(np.float32)
    single, double = ZCAWhitener().fit(X), ZCAWhitener().fit(X.astype(np.float64))
    Z = single.transform(X)
    assert Z.dtype == single.components_.dtype == single.score_samples(X).dtype == np.float32
    np.testing.assert_allclose(Z, double.transform(X.astype(np.float64)), atol=2e-3)
