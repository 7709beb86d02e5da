"""Ranks, ridges and outliers do not depend on units, nor on columns that say nothing."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm
from sklearn.decomposition import PCA

from sklvm import ConstrainedGaussian, DensityOutlierDetector, ZCAWhitener
from sklvm.covariance._gaussian_forms import DenseForm, RowsForm
from sklvm.covariance._principal_directions import of_covariance, of_rows
from sklvm.statistics import GaussianStatistics

dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])
methods = pytest.mark.parametrize("method", ["zca", "pca"])


def mixed_table(dtype):
    """Income, a share and a rate, independent of each other."""
    rng = np.random.default_rng(0)
    columns = rng.normal(6e4, 3e4, 2000), rng.random(2000), rng.normal(0, 0.1, 2000)
    return np.stack(columns, axis=1).astype(dtype)


@dtypes
@methods
def test_columns_of_small_units_are_whitened_as_any_other(method, dtype):
    X = mixed_table(dtype)
    whitener = ZCAWhitener(method).fit(X)
    assert whitener.rank_ == 3
    np.testing.assert_allclose(whitener.transform(X).astype(float).std(axis=0), 1, atol=2e-3)
    # The oracle itself does not bear such units.
    units = np.array([3e4, 0.3, 0.1])
    scaled = X.astype(float) / units
    covariance = np.cov(scaled.T, bias=True)
    expected = multivariate_normal(scaled.mean(axis=0), covariance).logpdf(scaled)
    expected -= np.log(units).sum()
    np.testing.assert_allclose(whitener.score_samples(X), expected, rtol=1e-3, atol=1e-3)


@methods
@pytest.mark.parametrize("shape", [(300, 8), (20, 60)], ids=["tall", "wide"])
def test_the_rank_does_not_depend_on_units(method, shape):
    rng = np.random.default_rng(0)
    X = rng.standard_normal(shape)
    X[:, -1] = X[:, 0] - X[:, 1]
    X[:, -2] = 5.0
    rank = min(shape[0] - 1, shape[1] - 2)
    for span in (0, 3, 10, 30):
        units = 10.0 ** rng.uniform(-span, span, shape[1])
        whitener = ZCAWhitener(method).fit(X * units)
        assert whitener.rank_ == rank
        Z = whitener.transform(X * units)
        if method == "pca":
            np.testing.assert_allclose(np.cov(Z[:, :rank].T, bias=True), np.eye(rank), atol=1e-6)


@dtypes
def test_a_table_of_equal_rows_has_no_direction(dtype):
    X = np.tile(np.array([0.1, 7.3, -2.2], dtype=dtype), (6, 1))
    whitener = ZCAWhitener().fit(X)
    assert whitener.rank_ == 0 and not whitener.explained_variance_.any()
    assert not whitener.transform(X + dtype(1e-6)).any()
    with pytest.raises(ValueError, match="vary in 0 of 3 directions"):
        whitener.score_samples(X)
    with pytest.raises(ValueError, match="all features are constant"):
        ConstrainedGaussian().fit(X)


@pytest.mark.parametrize("n_rows", [5, 13, 100, 399])
def test_a_constant_column_is_seen_as_one(n_rows):
    X = np.random.default_rng(0).standard_normal((n_rows, 3))
    X[:, 1] = 7.3
    model = ConstrainedGaussian().fit(X)
    np.testing.assert_allclose(model.ridge_, [0, 1e-3 * 7.3**2, 0])
    alone = ConstrainedGaussian().fit(X[:, [0, 2]])
    np.testing.assert_allclose(model.precision_[np.ix_([0, 2], [0, 2])], alone.precision_)
    moved = X + np.array([0, 1e-6, 0])
    np.testing.assert_allclose(model.score_samples(moved), model.score_samples(X), atol=1e-6)


@pytest.mark.parametrize("value", [1.0, 0.0, -7.3, 1e6])
def test_a_constant_column_hides_no_outlier(value):
    X = mixed_table(np.float64)
    with_column = np.c_[X, np.full(len(X), value)]
    plain = DensityOutlierDetector(ConstrainedGaussian(), contamination=0.01).fit(X)
    more = DensityOutlierDetector(ConstrainedGaussian(), contamination=0.01).fit(with_column)
    far = np.vstack([X, [[6e4, 5.0, 0.0]]])
    labels = more.predict(np.c_[far, np.full(len(far), value)])
    np.testing.assert_array_equal(labels, plain.predict(far))
    assert labels[-1] == -1


@pytest.mark.parametrize("structure", ["full", "diagonal"])
@pytest.mark.parametrize("shape", [(300, 6), (8, 30)], ids=["tall", "wide"])
def test_scores_change_by_the_logarithm_of_the_units_only(structure, shape):
    rng = np.random.default_rng(0)
    X = rng.standard_normal(shape) + 1
    X[:, 2] = X[:, 3]  # so that there is a ridge
    units = 10.0 ** rng.integers(-30, 30, shape[1]).astype(float)
    plain, scaled = ConstrainedGaussian(structure).fit(X), ConstrainedGaussian(structure)
    scaled.fit(X * units)
    np.testing.assert_allclose(
        scaled.score_samples(X * units) + np.log(units).sum(), plain.score_samples(X), rtol=1e-8
    )


def test_wide_data_have_the_gaussian_of_their_covariance():
    X = np.random.default_rng(0).standard_normal((10, 40)) * np.arange(1, 41) + 3
    model = ConstrainedGaussian().fit(X)
    covariance = np.cov(X.T, bias=True)
    covariance += 1e-3 * np.diag(np.diag(covariance))
    np.testing.assert_allclose(model.covariance_, covariance, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(model.precision_ @ covariance, np.eye(40), atol=1e-8)
    expected = multivariate_normal(X.mean(axis=0), covariance).logpdf(X + 0.1)
    np.testing.assert_allclose(model.score_samples(X + 0.1), expected, rtol=1e-8)
    dense, rows = DenseForm(np.linalg.inv(covariance)), model._form
    assert isinstance(rows, RowsForm) and rows.log_det == pytest.approx(dense.log_det)
    drawn = model.sample(100_000, random_state=0)
    scale = np.sqrt(np.diag(covariance))
    gap = (np.cov(drawn.T) - covariance) / np.outer(scale, scale)
    np.testing.assert_allclose(gap, 0, atol=0.02)


@methods
@pytest.mark.parametrize("n_components", [None, 5, 15])
@pytest.mark.parametrize("regularization", [0.0, 0.2])
def test_wide_data_are_whitened_as_by_their_covariance(method, n_components, regularization):
    X = np.random.default_rng(0).standard_normal((12, 30)) @ np.diag(np.arange(1, 31))
    options = {"n_components": n_components, "regularization": regularization}
    by_rows = ZCAWhitener(method, **options).fit(X)
    assert by_rows.rank_ == 11
    square = ZCAWhitener(method, **options)
    location, covariance = GaussianStatistics.collect(X).solve()
    square._publish(location, of_covariance(covariance, location), X.dtype)
    np.testing.assert_allclose(by_rows.explained_variance_, square.explained_variance_, atol=1e-9)
    if method == "zca" and not (n_components == 15 and regularization):
        # The directions of no variance are not unique.
        np.testing.assert_allclose(by_rows.components_, square.components_, atol=1e-9)
    if regularization or n_components == 5:
        fresh = X + np.random.default_rng(1).standard_normal(X.shape)
        if n_components != 15:
            by_rows.n_features_in_ = square.n_features_in_ = 30
            np.testing.assert_allclose(
                by_rows.score_samples(fresh), square.score_samples(fresh), rtol=1e-9
            )


def test_wide_data_have_the_principal_components_of_scikit_learn():
    X = np.random.default_rng(0).standard_normal((50, 800))
    Z = ZCAWhitener("pca", n_components=20).fit_transform(X)
    expected = PCA(20, whiten=True, svd_solver="full").fit_transform(X) * np.sqrt(50 / 49)
    np.testing.assert_allclose(np.abs(Z), np.abs(expected), atol=1e-9)


@pytest.mark.parametrize("n_rows", [200, 5])
def test_principal_directions_in_mixed_units_are_exact(n_rows):
    rng = np.random.default_rng(0)
    directions, _ = np.linalg.qr(rng.standard_normal((n_rows, 6)))
    directions -= directions.mean(axis=0)
    directions, _ = np.linalg.qr(directions)
    deviations = 10.0 ** np.array([20, 8, 1, -3, -15, -28.0][: directions.shape[1]])
    width = len(deviations)
    X = directions[:, :width] * deviations * np.sqrt(n_rows)
    statistics = GaussianStatistics.collect(X)
    principal = of_covariance(statistics.solve()[1])
    kept = width if n_rows == 200 else width - 1
    np.testing.assert_allclose(np.sqrt(principal.variances[:kept]), deviations[:kept], rtol=1e-10)
    wide = GaussianStatistics(statistics.weight, statistics.mean, rows=X - X.mean(axis=0))
    np.testing.assert_allclose(
        np.sqrt(of_rows(wide).variances[:kept]), deviations[:kept], rtol=1e-10
    )


def test_a_diagonal_gaussian_makes_no_matrix():
    X = np.random.default_rng(0).standard_normal((20, 50_000))
    model = ConstrainedGaussian("diagonal").fit(X)
    expected = norm.logpdf(X, X.mean(axis=0), X.std(axis=0)).sum(axis=1)
    np.testing.assert_allclose(model.score_samples(X), expected, rtol=1e-10)
    assert model.sample(2, random_state=0).shape == (2, 50_000)
