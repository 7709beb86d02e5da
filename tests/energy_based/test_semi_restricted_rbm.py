"""The semi-restricted Boltzmann machine as an estimator."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklvm import SemiRestrictedRBM
from sklvm.graphs import lattice_mask

SHORT = {"max_iter": 3, "random_state": 0}


@pytest.fixture(scope="module")
def X():
    """Correlated neighbours, and a bump in all of them in a third of the rows."""
    rng = np.random.default_rng(0)
    walk = (
        rng.standard_normal((1000, 6))
        @ np.linalg.cholesky(0.6 ** np.abs(np.subtract.outer(np.arange(6), np.arange(6)))).T
    )
    return walk + 3.0 * (rng.random((1000, 1)) < 1 / 3)


@pytest.mark.parametrize("objective", ["pcd", "score_matching", "nce", "mle"])
def test_it_learns_a_sparse_precision_and_a_hidden_cause(objective, X):
    model = SemiRestrictedRBM(
        2, structure="lattice", radius=1, objective=objective, max_iter=60, random_state=0
    ).fit(X)
    assert np.all(np.linalg.eigvalsh(model.precision_) > 0)
    assert_array_equal(model.precision_[~lattice_mask((6,), 1)], 0)
    assert np.all(np.diag(model.precision_, 1) < -0.2)
    # That of one Gaussian with all covariances.
    covariance = np.cov(X.T)
    gaussian = -0.5 * (np.linalg.slogdet(covariance)[1] + 6 * np.log(2 * np.pi) + 6)
    assert model.score(X) > gaussian - 0.05


def test_means_and_conditionals_of_real_data(X):
    model = SemiRestrictedRBM(2, max_iter=20, random_state=0).fit(X)
    z = np.array([[1.0, 0.0]])
    mean = model.intercept_visible_ + model.components_[0]
    assert_allclose(model.inverse_transform(z)[0], mean, rtol=1e-9)
    row = X[:1].copy()
    row[0, 2] = np.nan
    assert model.transform(row).shape == (1, 2)
    places = np.linspace(-8, 10, 2001)
    rows = np.repeat(X[:1], len(places), axis=0)
    rows[:, 2] = places
    density = np.exp(model.conditional_log_proba(rows, np.arange(6) == 2))
    assert np.trapezoid(density, places) == pytest.approx(1, abs=1e-6)
    filled = model.impute(row, random_state=0)[0, 2]
    assert abs(filled - np.trapezoid(places * density, places)) < 0.3


def test_it_trains_on_missing_entries(X):
    gaps = X.copy()
    gaps[np.random.default_rng(1).random(X.shape) < 0.1] = np.nan
    model = SemiRestrictedRBM(2, structure="lattice", radius=1, **SHORT).fit(gaps)
    assert np.all(np.isfinite(model.score_samples(gaps[:20])))


@pytest.mark.parametrize("objective", ["pcd", "pseudo_likelihood", "mle"])
def test_bits(objective, rng):
    cause = rng.random((1500, 1)) < 0.5
    walk = np.cumsum(rng.standard_normal((1500, 5)), axis=1) > 0
    X = (walk ^ (cause & (np.arange(5) == 0))).astype(float)
    model = SemiRestrictedRBM(
        2, visible="binary", objective=objective, max_iter=60, random_state=0
    ).fit(X)
    p = X.mean(axis=0)
    independent = np.sum(p * np.log(p) + (1 - p) * np.log(1 - p))
    assert model.score(X) > independent + 0.5
    assert_array_equal(model.coupling_, model.coupling_.T)
    assert_array_equal(np.diag(model.coupling_), 0)
    draws = model.sample(500, given=[np.nan, 1, np.nan, np.nan, np.nan], random_state=0)
    assert set(np.unique(draws)) == {0.0, 1.0}
    assert draws[:, 2].mean() > X[:, 2].mean()
    Z = model.transform(X[:5])
    assert np.all((model.inverse_transform(Z) >= 0) & (model.inverse_transform(Z) <= 1))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"structure": np.triu(np.ones((6, 6), dtype=bool))}, "symmetric and true"),
        ({"structure": np.ones((3, 3), dtype=bool)}, r"shape \(6, 6\)"),
        ({"structure": "lattice", "image_shape": (4, 4)}, "product is the number of features, 6"),
        ({"optimizer": "lbfgs", "objective": "mle"}, "a positive definite precision works batch"),
        ({"binarize": 0.5}, "binarize=0.5 is for bits"),
        ({"objective": "pseudo_likelihood"}, "does not fit SemiRestrictedRBM"),
        ({"visible": "binary"}, "must be binary"),
        ({"radius": -1}, "radius"),
    ],
)
def test_what_cannot_be_is_refused_by_name(parameters, message, X):
    with pytest.raises(ValueError, match=message):
        SemiRestrictedRBM(2, **{**SHORT, **parameters}).fit(X)
