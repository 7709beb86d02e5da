"""The default detector: what it is made of, and the tables that it has to bear."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import make_blobs
from sklearn.metrics import roc_auc_score
from sklearn.utils.estimator_checks import estimator_checks_generator

from sklvm import DensityOutlierDetector
from sklvm.anomaly import LocalDensityEnsemble
from sklvm.anomaly._compressed_features import CompressedFeatures
from sklvm.anomaly._tail_probabilities import TailProbabilities
from sklvm.densities import GaussianKernelDensity


@pytest.fixture(scope="module")
def clusters():
    """Two clusters, correlated, of different units; and rows between and around them."""
    rng = np.random.default_rng(0)
    X, _ = make_blobs(600, 3, centers=[[0, 0, 0], [6, 6, 0]], random_state=0)
    X[:, 2] += X[:, 0]
    odd = np.add(rng.uniform(-3, 9, (100, 3)), [0, 0, 4])
    return X * [1, 1000, 1e-3], odd * [1, 1000, 1e-3]


def area(model, X, odd):
    scores = np.concatenate([model.score_samples(X), model.score_samples(odd)])
    return roc_auc_score(np.repeat([0, 1], [len(X), len(odd)]), -scores)


def test_it_finds_rows_that_lie_elsewhere(clusters):
    X, odd = clusters
    model = LocalDensityEnsemble().fit(X[:400])
    assert area(model, X[400:], odd) > 0.97
    assert np.all(model.score_samples(X) <= 0)


def test_a_score_does_not_depend_on_units_or_on_other_rows(clusters):
    X, odd = clusters
    model = LocalDensityEnsemble().fit(X[:400])
    scores = model.score_samples(odd)
    np.testing.assert_allclose(model.score_samples(odd[3:4]), scores[3], rtol=1e-9)
    # Units and origins; powers of two leave no rounding behind.
    moved = LocalDensityEnsemble().fit(X[:400] * [2.0, 0.25, 2.0**20])
    np.testing.assert_allclose(moved.score_samples(odd * [2.0, 0.25, 2.0**20]), scores)


def test_a_clump_of_anomalies_in_training_is_still_found(clusters):
    X, _ = clusters
    rng = np.random.default_rng(1)
    clump = rng.normal([12, 0, 0], 0.1, (40, 3)) * [1, 1000, 1e-3]
    model = LocalDensityEnsemble(trim=0.1).fit(np.vstack([X[:400], clump[:20]]))
    assert area(model, X[400:], clump[20:]) > 0.95


def test_two_of_the_three_see_rows_without_the_outermost(clusters):
    X, _ = clusters
    model = LocalDensityEnsemble(trim=0.2).fit(X)
    assert len(model.density_.centres) == 480
    kept = LocalDensityEnsemble(trim=0).fit(X)
    assert len(kept.density_.centres) == 600


def test_training_rows_are_compared_without_themselves(clusters):
    X, _ = clusters
    X = X[:60]
    model = LocalDensityEnsemble(trim=0.0).fit(X)
    Z = model._features.transform(X)
    expected = GaussianKernelDensity.fit(Z, shrinkage=0.1).left_out_log_density()
    # Up to the constants of the kernel and of the row that is left out, the same for all rows.
    surprises = model._tails[1]._sorted
    np.testing.assert_allclose(np.diff(surprises), np.diff(np.sort(-expected)), atol=1e-9)


def test_neighbours_are_counted_as_a_loop_counts_them(clusters):
    X, odd = clusters
    model = LocalDensityEnsemble(trim=0.0, neighbors=0.1).fit(X[:50])
    W = model.density_.whiten(model._features.transform(X[:50]))
    V = model.density_.whiten(model._features.transform(odd[:4]))
    surprises = model._surprises(model._features.transform(odd[:4]))[2]
    for v, surprise in zip(V, surprises, strict=True):
        fifth = np.sort(np.linalg.norm(W - v, axis=1))[4]  # a tenth of 50 rows are 5
        assert surprise == pytest.approx(fifth, rel=1e-6)


@pytest.mark.parametrize("n", [2, 3, 12, 50])
@pytest.mark.parametrize("d", [1, 7, 200])
def test_any_shape_of_table(n, d, rng):
    X = rng.standard_normal((n, d))
    model = LocalDensityEnsemble().fit(X)
    scores = model.score_samples(np.vstack([X, 50 + X[:2]]))
    assert np.all(np.isfinite(scores))
    if n >= 12:
        assert scores[-2:].max() < np.median(scores[:-2])


def test_columns_that_say_nothing_and_gaps(clusters):
    X, odd = clusters
    rng = np.random.default_rng(2)
    extend = lambda X: np.column_stack([X, X[:, 0], np.full(len(X), 7.0), np.full(len(X), np.nan)])  # noqa: E731
    train, test, out = extend(X[:400]), extend(X[400:]), extend(odd)
    for table in (train, test, out):
        table[:, :3][rng.random((len(table), 3)) < 0.05] = np.nan
    model = LocalDensityEnsemble().fit(train)
    assert area(model, test, out) > 0.9
    changed = test[:20].copy()
    changed[:, 4] += 1e-3  # the constant column
    assert np.all(model.score_samples(changed) < model.score_samples(test[:20]) - 0.5)


@pytest.mark.parametrize("scale", [1e-150, 1e100])
def test_far_rows_and_extreme_units(scale, clusters):
    X, odd = clusters
    model = LocalDensityEnsemble().fit(X * scale)
    assert np.all(np.isfinite(model.score_samples(np.vstack([odd, 1e30 * odd]) * scale)))


def test_equal_rows():
    model = LocalDensityEnsemble().fit(np.ones((20, 3)))
    same, other = model.score_samples([[1.0, 1, 1], [1, 1, 2]])
    assert np.isfinite([same, other]).all()
    assert other < same


def test_of_many_rows_some_are_centres(clusters):
    X, odd = clusters
    model = LocalDensityEnsemble(max_centers=100, random_state=0).fit(X[:400])
    assert len(model.density_.centres) == 80
    assert area(model, X[400:], odd) > 0.95
    again = clone(model).fit(X[:400])
    np.testing.assert_array_equal(again.score_samples(odd), model.score_samples(odd))


def test_single_precision_stays(clusters):
    X, odd = clusters
    model = LocalDensityEnsemble().fit(X.astype(np.float32))
    assert model.score_samples(odd.astype(np.float32)).dtype == np.float32
    assert model.contributions(odd.astype(np.float32)).dtype == np.float32


def test_contributions_name_the_entry_that_does_not_fit_the_others(clusters):
    X, _ = clusters
    model = LocalDensityEnsemble().fit(X)
    rows = np.median(X[:1], axis=0) + np.zeros((1, 3))
    rows[0, 1] += 4000.0
    contributions = model.contributions(rows)
    assert contributions.shape == (1, 3)
    assert contributions[0, 1] == contributions.max() > 2
    # Of training rows they are 0 in the mean, by definition.
    assert np.all(np.abs(model.contributions(X).mean(axis=0)) < 0.3)


def test_features_are_scaled_by_their_quartiles_and_compressed():
    x = np.r_[np.linspace(-1, 1, 101), 1e4]
    features = CompressedFeatures(x[:, np.newaxis])
    Z = features.transform(x[:, np.newaxis])[:, 0]
    assert Z.mean() == pytest.approx(0, abs=1e-12)
    assert Z.std() == pytest.approx(1)
    median, scale = np.median(x), (np.quantile(x, 0.75) - np.quantile(x, 0.25)) / 1.349
    expected = 3 * np.arcsinh((x - median) / (3 * scale))
    np.testing.assert_allclose(Z, (expected - expected.mean()) / expected.std())


def test_tail_probabilities_are_ranks_within_and_fall_slowly_beyond():
    tail = TailProbabilities(np.arange(1.0, 101))
    # 50 is as surprising as 51 of 100 rows.
    assert tail(np.array([50.0]))[0] == pytest.approx(-np.log(51.5 / 101))
    far = tail(np.array([100.0, 104.5, 1e6]))
    assert far[1] - far[0] == pytest.approx(np.log(2))  # mean excess of 91, …, 100 over 91
    assert far[2] > far[1]


@pytest.mark.parametrize(
    ("parameter", "value"),
    [("trim", 0.5), ("trim", -0.1), ("neighbors", 0), ("shrinkage", 0), ("max_centers", 1)],
)
def test_bad_parameters_are_refused(parameter, value):
    with pytest.raises(ValueError, match=parameter):
        LocalDensityEnsemble(**{parameter: value}).fit(np.eye(5))


@pytest.mark.parametrize(
    ("estimator", "check"),
    [
        (estimator, check)
        for model in (LocalDensityEnsemble(), DensityOutlierDetector())
        for estimator, check in estimator_checks_generator(model)
        if "sample_weight" not in getattr(check, "func", check).__name__  # takes none
    ],
    ids=lambda value: getattr(getattr(value, "func", value), "__name__", type(value).__name__),
)
def test_scikit_learns_checks(estimator, check):
    check(estimator)
