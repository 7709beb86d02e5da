"""A Gaussian with given zeros in its precision: consistent, normalised, clear about bad data."""

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view
from scipy.stats import multivariate_normal
from sklearn.base import clone
from sklearn.covariance import EmpiricalCovariance
from sklearn.exceptions import ConvergenceWarning

from sklvm.covariance import ConstrainedGaussian
from sklvm.covariance._solvers import solve_score_matching
from sklvm.graphs import SymmetricPattern, lattice_mask

OBJECTIVES = ["mle", "score_matching"]
objectives = pytest.mark.parametrize("objective", OBJECTIVES)


def correlated_data(n_samples=300, n_features=6, seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n_samples, n_features)) @ rng.standard_normal(
        (n_features, n_features)
    ) + np.arange(n_features)


def lattice_precision(side, radius=1):
    mask = lattice_mask((side, side), radius)
    precision = np.where(mask, -0.11, 0.0)
    np.fill_diagonal(precision, 1.0)
    return precision


def lattice_data(side, n_samples, seed):
    covariance = np.linalg.inv(lattice_precision(side))
    rng = np.random.default_rng(seed)
    return rng.multivariate_normal(np.zeros(side**2), covariance, size=n_samples)


def smooth_images():
    rng = np.random.default_rng(0)
    noise = rng.standard_normal((2000, 14, 14))
    for axis in (1, 2):
        noise = sliding_window_view(noise, 7, axis=axis).mean(axis=-1)
    return noise.reshape(2000, 64) + 0.01 * rng.standard_normal((2000, 64))


@objectives
def test_without_zeros_the_precision_is_the_inverse_covariance(objective):
    X = correlated_data()
    gaussian = ConstrainedGaussian("full", objective=objective).fit(X)
    covariance = np.cov(X.T, bias=True)
    np.testing.assert_allclose(gaussian.precision_, np.linalg.inv(covariance), rtol=1e-8)
    np.testing.assert_allclose(gaussian.covariance_, covariance, rtol=1e-8)
    np.testing.assert_allclose(gaussian.location_, X.mean(axis=0))


@objectives
def test_with_no_pairs_the_precision_holds_the_inverse_variances(objective):
    X = correlated_data()
    gaussian = ConstrainedGaussian("diagonal", objective=objective).fit(X)
    np.testing.assert_allclose(gaussian.precision_, np.diag(1 / X.var(axis=0)))


@objectives
def test_score_samples_is_the_normalised_log_density(objective):
    X = correlated_data(n_features=12)
    gaussian = ConstrainedGaussian(
        "lattice", image_shape=(3, 4), radius=1, objective=objective
    ).fit(X)
    expected = multivariate_normal(gaussian.location_, gaussian.covariance_).logpdf(X)
    np.testing.assert_allclose(gaussian.score_samples(X), expected, rtol=1e-9)
    assert gaussian.score(X) == pytest.approx(expected.mean())


def test_distances_and_error_norm_are_those_of_scikit_learn():
    X = correlated_data()
    ours, theirs = ConstrainedGaussian().fit(X), EmpiricalCovariance().fit(X)
    np.testing.assert_allclose(ours.mahalanobis(X), theirs.mahalanobis(X), rtol=1e-7)
    np.testing.assert_array_equal(ours.get_precision(), ours.precision_)
    reference = np.eye(6)
    assert ours.error_norm(reference) == pytest.approx(theirs.error_norm(reference))


def test_samples_have_the_location_and_the_covariance():
    gaussian = ConstrainedGaussian("lattice", image_shape=(6,), radius=1).fit(correlated_data())
    drawn = gaussian.sample(200_000, random_state=0)
    scale = np.sqrt(np.diag(gaussian.covariance_))
    np.testing.assert_allclose(drawn.mean(axis=0) / scale, gaussian.location_ / scale, atol=0.02)
    correlation = (np.cov(drawn.T) - gaussian.covariance_) / np.outer(scale, scale)
    np.testing.assert_allclose(correlation, 0, atol=0.02)
    np.testing.assert_array_equal(
        gaussian.sample(3, random_state=7), gaussian.sample(3, random_state=7)
    )


@objectives
def test_the_error_falls_as_one_over_the_root_of_the_number_of_rows(objective):
    truth = lattice_precision(6)
    estimator = ConstrainedGaussian("lattice", image_shape=(6, 6), radius=1, objective=objective)
    sizes = np.array([500, 2000, 8000, 32_000])
    errors = [
        np.sqrt(
            np.mean(
                [
                    np.sum((clone(estimator).fit(lattice_data(6, n, seed)).precision_ - truth) ** 2)
                    for seed in range(6)
                ]
            )
        )
        for n in sizes
    ]
    slope = np.polyfit(np.log(sizes), np.log(errors), 1)[0]
    assert slope == pytest.approx(-0.5, abs=0.07)


def test_maximum_likelihood_is_the_more_likely_of_the_two():
    X = lattice_data(5, 400, seed=0)
    scores = {
        objective: ConstrainedGaussian("lattice", image_shape=(5, 5), radius=1, objective=objective)
        .fit(X)
        .score(X)
        for objective in OBJECTIVES
    }
    assert scores["mle"] > scores["score_matching"]


@objectives
def test_a_model_with_the_right_zeros_generalises_better_than_one_without(objective):
    X, held_out = lattice_data(6, 150, seed=0), lattice_data(6, 5000, seed=1)
    sparse = ConstrainedGaussian("lattice", image_shape=(6, 6), radius=1, objective=objective)
    assert sparse.fit(X).score(held_out) > ConstrainedGaussian().fit(X).score(held_out)


@objectives
def test_weights_are_repetitions(objective):
    X = correlated_data(60)
    weights = np.random.default_rng(0).integers(0, 3, size=60)
    estimator = ConstrainedGaussian(
        "lattice", image_shape=(2, 3), radius=1, objective=objective, tol=1e-10
    )
    weighted = clone(estimator).fit(X, sample_weight=weights)
    repeated = clone(estimator).fit(np.repeat(X, weights, axis=0))
    np.testing.assert_allclose(weighted.precision_, repeated.precision_, rtol=1e-6, atol=1e-8)


@objectives
def test_smooth_images_yield_a_positive_definite_precision(objective):
    X = smooth_images()
    gaussian = ConstrainedGaussian("lattice", image_shape=(8, 8), radius=1, objective=objective)
    gaussian.fit(X)
    assert np.linalg.eigvalsh(gaussian.precision_)[0] > 0
    assert gaussian.residual_ <= gaussian.tol
    mask = lattice_mask((8, 8), 1)
    assert not gaussian.precision_[~mask].any()
    assert gaussian.score(X) > ConstrainedGaussian("diagonal").fit(X).score(X) + 50


def test_the_default_bound_is_the_largest_variance_of_the_data():
    X = correlated_data()
    gaussian = ConstrainedGaussian(objective="score_matching").fit(X)
    largest = np.linalg.eigvalsh(np.cov(X.T, bias=True))[-1]
    assert gaussian.min_precision_ == pytest.approx(1 / largest)


@pytest.mark.parametrize("n_samples", [2, 5, 9, 12, 30])
@objectives
def test_few_rows_give_a_finite_positive_definite_model(objective, n_samples):
    X = np.random.default_rng(0).standard_normal((n_samples, 16)).cumsum(axis=1)
    gaussian = ConstrainedGaussian(
        "lattice", image_shape=(4, 4), radius=1, objective=objective, tol=1e-4
    ).fit(X)
    assert np.linalg.eigvalsh(gaussian.precision_)[0] > 0
    assert np.isfinite(gaussian.score_samples(X)).all()
    # A lattice of radius 1 has cliques of four pixels; three rows do not determine their block.
    assert (gaussian.regularization_ > 0) == (n_samples < 5)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.c_[correlated_data(50), np.ones(50)], "features 6 are constant"),
        (np.c_[correlated_data(50), correlated_data(50)[:, :1]], "singular on 7 features"),
        (correlated_data(5), "singular on 6 features"),
    ],
    ids=["constant", "dependent", "few rows"],
)
def test_degenerate_data_are_an_error_that_names_the_remedy(X, message):
    with pytest.raises(ValueError, match=f"{message}.*regularization"):
        ConstrainedGaussian(regularization=0.0).fit(X)
    model = ConstrainedGaussian(regularization=0.5).fit(X)
    expected = np.linalg.inv(np.cov(X.T, bias=True) + 0.5 * np.eye(X.shape[1]))
    np.testing.assert_allclose(model.precision_, expected, rtol=1e-8, atol=1e-10)
    assert ConstrainedGaussian().fit(X).ridge_.any()


def test_data_without_any_variance_are_an_error():
    with pytest.raises(ValueError, match="constant"):
        ConstrainedGaussian().fit(np.ones((10, 3)))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"structure": "lattice"}, "needs `image_shape`"),
        ({"structure": "lattice", "image_shape": (2, 2)}, r"number of features, 6; got \(2, 2\)"),
        ({"structure": "lattice", "image_shape": (-2, -3)}, "positive integers"),
        ({"structure": np.ones((5, 5), bool)}, r"shape \(6, 6\)"),
        ({"structure": np.ones((6, 6))}, "dtype bool"),
        ({"structure": np.triu(np.ones((6, 6), bool))}, "symmetric"),
        ({"structure": ~np.eye(6, dtype=bool)}, "diagonal"),
        ({"objective": "cd"}, "'score_matching'.*'mle'|'mle'.*'score_matching'"),
        ({"min_precision": 0.0}, "min_precision"),
        ({"regularization": -1.0}, "regularization"),
    ],
)
def test_a_bad_parameter_is_named(parameters, message):
    with pytest.raises(ValueError, match=message):
        ConstrainedGaussian(**parameters).fit(correlated_data())


@objectives
def test_a_fit_that_stops_early_warns_and_stays_positive_definite(objective):
    estimator = ConstrainedGaussian(
        "lattice",
        image_shape=(6, 6),
        radius=1,
        objective=objective,
        min_precision=0.5,  # above the least eigenvalue of the truth
        max_iter=1,
        tol=1e-12,
    )
    with pytest.warns(ConvergenceWarning, match=r"1 Newton steps.*max_iter"):
        estimator.fit(lattice_data(6, 500, seed=0))
    assert np.linalg.eigvalsh(estimator.precision_)[0] > 0


def test_smooth_images_need_the_cone():
    covariance = np.cov(smooth_images().T, bias=True)
    pattern = SymmetricPattern(lattice_mask((8, 8), 1))
    unbounded = solve_score_matching(
        covariance, pattern, min_precision=-1e9, tol=1e-8, max_iter=0
    ).precision
    assert np.linalg.eigvalsh(unbounded)[0] < -1e-2


@objectives
def test_float32_data_give_the_same_model(objective):
    X = correlated_data(n_features=12).astype(np.float32)
    estimator = ConstrainedGaussian("lattice", image_shape=(3, 4), radius=1, objective=objective)
    single, double = clone(estimator).fit(X), clone(estimator).fit(X.astype(np.float64))
    np.testing.assert_allclose(single.covariance_, double.covariance_, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(single.score_samples(X), double.score_samples(X), rtol=1e-3)
    assert single.score_samples(X).dtype == single.sample(2).dtype == np.float32
