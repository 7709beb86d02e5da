"""The mean–covariance restricted Boltzmann machine as an estimator."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import logsumexp
from scipy.stats import multivariate_normal

from sklvm import MeanCovarianceRBM
from sklvm.optimizers import Adam
from sklvm.partition import AnnealedImportanceSampling

SHORT = {"max_iter": 2, "random_state": 0}
BUDGET = AnnealedImportanceSampling(n_temperatures=300, n_chains=200)


def of_two_widths(n, rng):
    """Rows of N(0, s²I) with s = .3 or 2: uncorrelated, and their squares are correlated."""
    X = rng.choice([0.3, 2.0], (n, 1)) * rng.standard_normal((n, 2))
    covariances = [s**2 * np.eye(2) for s in (0.3, 2.0)]
    log_p = [multivariate_normal(cov=cov).logpdf(X) for cov in covariances]
    return X, logsumexp(log_p, axis=0) - np.log(2)


@pytest.fixture(scope="module")
def X():
    return np.random.default_rng(0).standard_normal((60, 4))


def test_covariance_units_learn_what_no_gaussian_does(rng):
    X, _ = of_two_widths(3000, rng)
    test, truth = of_two_widths(3000, rng)
    model = MeanCovarianceRBM(0, 6, max_iter=40, random_state=0).fit(X)
    gaussian = multivariate_normal(X.mean(axis=0), np.cov(X.T)).logpdf(test).mean()
    assert gaussian < truth.mean() - 0.5
    assert model.score(test) > truth.mean() - 0.1
    # The more a row stands out, the fewer covariance units are on.
    n_on = model.transform([[0.0, 0.0], [1.0, 0.0], [4.0, 4.0]]).sum(axis=1)
    assert np.all(np.diff(n_on) < -0.5)


def test_annealing_agrees_with_the_exact_log_partition(X):
    model = MeanCovarianceRBM(3, 4, random_state=0, max_iter=5).fit(X)
    exact = model.estimate_log_partition().log_partition_
    assert model.log_partition_std_err_ == 0
    model.estimate_log_partition(partition=BUDGET, random_state=0)
    assert abs(model.log_partition_ - exact) < 4 * model.log_partition_std_err_ + 1e-3


@pytest.mark.parametrize("objective", ["pcd", "score_matching", "nce"])
def test_a_learned_pooling_stays_where_it_may(objective, X):
    start = np.array([[1.0, 1.0, 0.0], [0.0, 2.0, 6.0]])
    model = MeanCovarianceRBM(
        2, 2, pooling=start, equal_norms=True, objective=objective, optimizer=Adam(0.05), **SHORT
    ).fit(X)
    P = model.pooling_
    assert np.all(P >= 0)
    assert_allclose(P.sum(axis=1), 1, rtol=1e-9)
    assert_array_equal(P[start == 0], 0)
    assert np.any(np.abs(P - start / start.sum(axis=1, keepdims=True)) > 1e-3)
    norms = np.linalg.norm(model.factors_, axis=1)
    assert_allclose(norms, norms[0], rtol=1e-9)


def test_the_projected_pooling_is_the_nearest_one(rng):
    from sklvm.energy_based._pooling import project_pooling

    P, start = rng.standard_normal((4, 6)), np.arange(24).reshape(4, 6) % 5 > 0
    views = {"pooling": P.copy()}
    project_pooling(views, start.astype(float), equal_norms=False)
    # (p − q)·(r − q) ≤ 0 for all r of the convex set.
    others = np.where(start, rng.exponential(size=(500, 4, 6)), 0)
    others /= others.sum(axis=2, keepdims=True)
    inner = np.einsum("nf,knf->kn", P - views["pooling"], others - views["pooling"])
    assert inner.max() < 1e-12


def test_full_pooling_starts_from_neighbours(X):
    P = MeanCovarianceRBM(1, 2, n_factors=4, pooling="full", max_iter=0).fit(X).pooling_
    assert_allclose(P, [[0.475, 0.475, 0.025, 0.025], [0.025, 0.025, 0.475, 0.475]])
    assert_array_equal(MeanCovarianceRBM(1, 3, max_iter=0).fit(X).pooling_, np.eye(3))


def test_latent_units_come_back_as_their_mean(X):
    model = MeanCovarianceRBM(2, 3, **SHORT).fit(X)
    Z = model.transform(X)
    assert Z.shape == (60, 5)
    C, W = model.factors_, model.components_
    precision = np.eye(4) / model.sigma_**2 + C.T @ np.diag(Z[7, 2:]) @ C
    expected = np.linalg.solve(precision, model.intercept_visible_ + Z[7, :2] @ W)
    assert_allclose(model.inverse_transform(Z)[7], expected, rtol=1e-9)
    assert_array_equal(model.get_feature_names_out()[-1], "meancovariancerbm4")


def test_without_mean_units_it_is_the_covariance_machine(X):
    model = MeanCovarianceRBM(0, 3, **SHORT).fit(X)
    assert model.components_.shape == (0, 4)
    assert model.transform(X).shape == (60, 3)
    assert np.all(np.isfinite(model.score_samples(X)))


def test_normalised_units_have_their_log_partition_by_annealing(X):
    model = MeanCovarianceRBM(1, 3, normalize=True, partition=BUDGET, **SHORT).fit(X)
    assert np.all(np.isfinite(model.score_samples(X)))
    assert model.log_partition_std_err_ > 0
    with pytest.raises(ValueError, match="Set normalize=False"):
        model.inverse_transform(model.transform(X))
    with pytest.raises(ValueError, match="partition='exact' needs"):
        MeanCovarianceRBM(1, 3, normalize=True, partition="exact").fit(X)


def test_clamped_features_stay_and_the_others_follow_them(rng):
    X, _ = of_two_widths(3000, rng)
    model = MeanCovarianceRBM(0, 6, max_iter=40, random_state=0).fit(X)
    draws = [model.sample(2000, given=[x, np.nan], random_state=0) for x in (0.0, 4.0)]
    assert_array_equal(draws[1][:, 0], 4.0)
    assert draws[1][:, 1].std() > 2 * draws[0][:, 1].std()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_factors": 3}, r"n_factors=3 filters for 2 covariance units.*pooling='full'"),
        ({"pooling": np.ones((3, 4))}, r"must have the shape .* = \(2, 4\), got \(3, 4\)"),
        ({"pooling": np.ones((2, 4)), "n_factors": 5}, r"\(2, 5\), got \(2, 4\)"),
        ({"pooling": -np.eye(2)}, "at least 0, with no row of zeros, got values from -1"),
        ({"pooling": [[1.0, 0.0], [0.0, 0.0]]}, "no row of zeros"),
        ({"pooling": [[1.0, np.nan], [0.0, 1.0]]}, "finite numbers"),
        ({"pooling": "full", "optimizer": "lbfgs", "objective": "score_matching"}, "learned pool"),
        ({"equal_norms": True, "optimizer": "lbfgs", "objective": "mle"}, "equal_norms=True works"),
        ({"n_components": -1}, "n_components"),
        ({"n_covariance_components": 0}, "n_covariance_components"),
        ({"objective": "pseudo_likelihood"}, "does not fit MeanCovarianceRBM"),
    ],
)
def test_what_cannot_be_is_refused_by_name(parameters, message, X):
    with pytest.raises(ValueError, match=message):
        MeanCovarianceRBM(**{"n_components": 1, "n_covariance_components": 2, **parameters}).fit(X)
