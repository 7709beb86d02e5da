"""The Gaussian restricted Boltzmann machine as users use it."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import multivariate_normal
from sklearn import datasets
from sklearn.base import clone
from sklearn.preprocessing import StandardScaler

from sklvm import GaussianRBM
from sklvm.objectives import DenoisingScoreMatching
from sklvm.optimizers import LBFGS, Adam
from sklvm.testing import binary_states


def two_blobs(n_samples, rng):
    side = np.where(rng.random(n_samples) < 0.5, -0.8, 0.8)
    return np.column_stack([side, side]) + rng.standard_normal((n_samples, 2)) * 0.5


def true_log_density(X):
    parts = [multivariate_normal([c, c], 0.25 * np.eye(2)).logpdf(X) for c in (-0.8, 0.8)]
    return np.logaddexp(*parts) - np.log(2)


@pytest.fixture(scope="module")
def X():
    return two_blobs(1000, np.random.default_rng(0))


def of_tables():
    """Raw tables of many shapes, by name."""
    rng = np.random.default_rng(0)
    tables = {
        name: getattr(datasets, f"load_{name}")().data
        for name in ("iris", "wine", "breast_cancer", "digits", "diabetes")
    }
    return {
        **tables,
        "moons": datasets.make_moons(600, noise=0.1, random_state=0)[0],
        "blobs": datasets.make_blobs(600, 10, random_state=0)[0],
        "heavy tails": rng.standard_t(2, (800, 8)),
        "low rank": datasets.make_low_rank_matrix(400, 60, random_state=0),
        "constant feature": np.column_stack([rng.random((300, 3)), np.ones(300)]),
    }


@pytest.mark.parametrize("sigma", ["learn", "learn_diagonal"])
@pytest.mark.parametrize("name", of_tables())
def test_standardised_tables_train_and_are_not_worse_than_a_diagonal_gaussian(name, sigma):
    table = of_tables()[name]
    rows = np.random.default_rng(1).permutation(len(table))
    n_train = int(0.7 * len(rows))
    scaler = StandardScaler().fit(table[rows[:n_train]])
    train, test = (scaler.transform(table[part]) for part in np.split(rows, [n_train]))
    norms = np.linalg.norm(test, axis=1)
    test = test[norms <= np.quantile(norms, 0.98)]
    model = GaussianRBM(16, sigma=sigma, random_state=0, max_iter=20).fit(train)
    assert np.isfinite(model.components_).all()
    # A constant feature's variance counts as that of the start, or as the one σ² for all.
    floor = 1e-4 if sigma == "learn_diagonal" or train.var(axis=0).min() > 0 else model.sigma_**2
    variances = np.maximum(train.var(axis=0), floor)
    gaussian = -0.5 * (test**2 / variances + np.log(2 * np.pi * variances)).sum(axis=1).mean()
    assert model.score(test) >= gaussian - 0.03 * table.shape[1]


@pytest.mark.parametrize("scale", [1e-2, 1e2])
@pytest.mark.filterwarnings("ignore:.*standard deviations from:sklvm.exceptions.FitWarning")
def test_data_of_any_scale_train(X, scale):
    model = GaussianRBM(4, sigma_floor=1e-3 * scale, random_state=0, max_iter=20).fit(
        scale * X + 5 * scale
    )
    assert np.isfinite(model.score(scale * X + 5 * scale))


@pytest.mark.parametrize(
    "objective",
    ["pcd", "cd", "nce", "score_matching", DenoisingScoreMatching(0.2)],
    ids=["pcd", "cd", "nce", "score_matching", "denoising"],
)
def test_every_objective_finds_two_blobs(objective):
    rng = np.random.default_rng(3)
    train, test = two_blobs(2000, rng), two_blobs(2000, rng)
    model = GaussianRBM(
        4, objective=objective, optimizer=Adam(0.02, schedule="cosine"), max_iter=40, random_state=0
    ).fit(train)
    gap = true_log_density(test).mean() - model.score(test)
    gaussian = multivariate_normal(train.mean(axis=0), np.cov(train.T)).logpdf(test).mean()
    gaussian_gap = true_log_density(test).mean() - gaussian
    assert gaussian_gap > 0.2
    assert gap < 0.5 * gaussian_gap


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_score_matching_by_lbfgs_honours_the_weight_decay(X):
    start = GaussianRBM(4, sigma=0.7, objective="score_matching", optimizer=LBFGS(), max_iter=30)
    plain = clone(start).set_params(random_state=0).fit(X)
    decayed = clone(start).set_params(random_state=0, weight_decay=1.0).fit(X)
    assert (decayed.components_**2).sum() < 0.9 * (plain.components_**2).sum()


@pytest.mark.parametrize("sigma", [0.7, "learn", "learn_diagonal"])
def test_it_is_the_mixture_that_its_attributes_say(X, sigma):
    model = GaussianRBM(3, sigma=sigma, max_iter=5, random_state=0).fit(X)
    Z = binary_states(3)
    variances = np.broadcast_to(np.square(model.sigma_), 2)
    means = model.inverse_transform(Z)
    assert_allclose(means, model.intercept_visible_ + Z @ model.components_, rtol=1e-12)
    a = model.intercept_visible_
    log_weights = Z @ model.intercept_hidden_ + ((means**2 - a**2) / (2 * variances)).sum(axis=1)
    weights = np.exp(log_weights - log_weights.max())
    densities = [multivariate_normal(mean, np.diag(variances)).pdf(X) for mean in means]
    expected = np.log(np.transpose(densities) @ (weights / weights.sum()))
    assert_allclose(model.score_samples(X), expected, rtol=1e-8)
    assert isinstance(model.sigma_, float) or sigma == "learn_diagonal"
    assert sigma != 0.7 or model.sigma_ == pytest.approx(0.7)


def test_the_origin_of_the_data_does_not_matter(X):
    models = [
        GaussianRBM(4, objective="score_matching", max_iter=5, random_state=0).fit(X + shift)
        for shift in (0.0, 50.0)
    ]
    scores = [model.score_samples(X + s) for model, s in zip(models, (0.0, 50.0), strict=True)]
    assert_allclose(*scores, atol=1e-6)


def test_partial_fit_over_the_same_batches_does_what_fit_does(X):
    start = GaussianRBM(3, max_iter=0, optimizer="adam", shuffle=False, batch_size=64)
    start.set_params(random_state=0)
    fitted = clone(start).set_params(max_iter=2).fit(X)
    streamed = start.fit(X)
    for _ in range(2):
        for first in range(0, len(X), 64):
            streamed.partial_fit(X[first : first + 64])
    assert_array_equal(streamed.components_, fitted.components_)
    assert streamed.sigma_ == fitted.sigma_
    assert_array_equal(streamed.score_samples(X), fitted.score_samples(X))


def test_annealing_agrees_with_the_exact_log_partition(X):
    model = GaussianRBM(6, max_iter=20, random_state=0).fit(X)
    exact = model.estimate_log_partition().log_partition_
    model.estimate_log_partition(partition="ais", random_state=0)
    assert abs(model.log_partition_ - exact) < 4 * model.log_partition_std_err_ + 1e-6


def test_training_on_incomplete_rows_finds_the_distribution_of_complete_ones(X):
    rng = np.random.default_rng(5)
    gaps = X.copy()
    gaps[rng.random(len(X)) < 0.5, 1] = np.nan
    fill = np.where(np.isnan(gaps), np.nanmean(gaps, axis=0), gaps)
    scores = [
        GaussianRBM(4, max_iter=60, random_state=0).fit(data).score(X) for data in (X, gaps, fill)
    ]
    assert scores[1] > scores[0] - 0.1
    assert scores[1] > scores[2] + 0.1


def test_incomplete_rows_need_an_optimiser_of_batches(X):
    gaps = X.copy()
    gaps[0, 0] = np.nan
    model = GaussianRBM(2, objective="score_matching", optimizer="lbfgs", max_iter=20)
    with pytest.raises(ValueError, match="X contains NaN"):
        model.fit(gaps)
    assert not hasattr(model, "components_")


def test_a_feature_without_any_value_is_refused(X):
    gaps = X.copy()
    gaps[:, 1] = np.nan
    with pytest.raises(ValueError, match=r"Features \[1\]"):
        GaussianRBM(2, max_iter=20).fit(gaps)


@pytest.mark.parametrize("parameters", [{"sigma": 0.0}, {"sigma": "free"}, {"sigma_floor": 0}])
def test_bad_parameters_are_named(X, parameters):
    with pytest.raises(ValueError, match=next(iter(parameters))):
        GaussianRBM(2, **parameters).fit(X)
