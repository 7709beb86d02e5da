"""Mixtures of bits: against sums over all of space, closed forms, and themselves in other words."""

import itertools

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scipy.special import logsumexp, softmax
from sklearn.base import clone

from sklvm import BernoulliMixture, DensityOutlierDetector
from sklvm.mixture._bernoulli_components import BernoulliComponents, BernoulliStatistics
from sklvm.optimizers import EM
from sklvm.testing import StatisticsTestCase

pytestmark = pytest.mark.filterwarnings(
    "ignore:BernoulliMixture. The fit did not converge:sklearn.exceptions.ConvergenceWarning"
)

MEANS = np.array(
    [
        [0.9, 0.8, 0.9, 0.1, 0.2, 0.1],
        [0.1, 0.2, 0.1, 0.9, 0.7, 0.9],
        [0.8, 0.1, 0.7, 0.2, 0.9, 0.3],
    ]
)


def bits(n, seed=0):
    rng = np.random.default_rng(seed)
    labels = rng.choice(3, n, p=[0.5, 0.3, 0.2])
    return (rng.random((n, 6)) < MEANS[labels]).astype(float), labels


@pytest.fixture(scope="module")
def X():
    return bits(600)[0]


@pytest.fixture(scope="module")
def fitted(X):
    return BernoulliMixture(3, random_state=0).fit(X)


def gaps(X, share=0.2, seed=1):
    rng = np.random.default_rng(seed)
    return np.where(rng.random(X.shape) < share, np.nan, X)


def naive_log_joint(mixture, X):
    """log p(x, k) of complete rows, entry by entry."""
    weights, means = mixture.weights_, mixture.components_
    return np.array(
        [
            [
                np.log(w) + np.sum(x * np.log(m) + (1 - x) * np.log(1 - m))
                for w, m in zip(weights, means, strict=True)
            ]
            for x in X
        ]
    )


def states(d=6):
    return np.array(list(itertools.product([0.0, 1.0], repeat=d)))


# -- what a fitted mixture says -------------------------------------------------------------------


def test_scores_are_log_probabilities_that_sum_to_one(fitted):
    scores = fitted.score_samples(states())
    assert np.exp(scores).sum() == pytest.approx(1)
    assert_allclose(scores, logsumexp(naive_log_joint(fitted, states()), axis=1), rtol=1e-10)


def test_posteriors_are_those_of_bayes(fitted, X):
    expected = softmax(naive_log_joint(fitted, X), axis=1)
    assert_allclose(fitted.predict_proba(X), expected, atol=1e-12)
    assert_array_equal(fitted.transform(X), fitted.predict_proba(X))
    assert_array_equal(fitted.predict(X), expected.argmax(axis=1))


@pytest.mark.parametrize("make", [np.asarray, sparse.csr_array], ids=["dense", "sparse"])
def test_missing_entries_are_summed_out(fitted, make):
    rows = states()[::5]
    free = np.zeros(rows.shape, dtype=bool)
    free[:, [1, 4]] = np.arange(len(rows))[:, np.newaxis] % 3 > [0, 1]
    for row, holes in zip(rows, free, strict=True):
        completions = states()[(states()[:, ~holes] == row[~holes]).all(axis=1)]
        marginal = logsumexp(fitted.score_samples(completions))
        holed = np.where(holes, np.nan, row)[np.newaxis]
        assert fitted.score_samples(make(holed))[0] == pytest.approx(marginal)
        conditional = fitted.conditional_log_proba(row[np.newaxis], holes)[0]
        assert conditional == pytest.approx(fitted.score_samples(row[np.newaxis])[0] - marginal)
        completed = np.exp(fitted.score_samples(completions) - marginal) @ completions
        assert_allclose(fitted.impute(holed)[0], completed, atol=1e-10)


def test_draws_have_the_probabilities_of_the_model(fitted):
    draws = fitted.sample(40_000, random_state=0)
    codes = draws @ 2 ** np.arange(5, -1, -1)
    observed = np.bincount(codes.astype(int), minlength=64) / len(draws)
    expected = np.exp(fitted.score_samples(states()))
    assert_allclose(observed, expected, atol=4 * np.sqrt(expected.max() / len(draws)))
    holed = np.repeat([[1.0, np.nan, np.nan, 0.0, np.nan, 1.0]], 20_000, axis=0)
    drawn = fitted.impute(holed, method="draw", random_state=0)
    assert_allclose(drawn.mean(axis=0), fitted.impute(holed[:1])[0], atol=0.02)
    assert set(np.unique(drawn)) == {0.0, 1.0}


def test_criteria_of_choice_charge_for_parameters(fitted, X):
    assert fitted.n_parameters() == 2 + 3 * 6
    deviance = -2 * fitted.score_samples(X).sum()
    assert fitted.aic(X) == pytest.approx(deviance + 40)
    assert fitted.bic(X) == pytest.approx(deviance + 20 * np.log(600))
    bics = [BernoulliMixture(k, random_state=0).fit(X).bic(X) for k in (1, 2, 3, 6)]
    assert np.argmin(bics) == 2


# -- EM -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [{}, {"prior_strength": 0.0}, {"optimizer": EM(hard=True)}])
@pytest.mark.parametrize("holes", [0, 0.3])
def test_the_bound_never_falls(X, rng, options, holes):
    weights = rng.random(len(X)) + 0.1
    mixture = BernoulliMixture(4, tol=0, max_iter=40, random_state=0, **options)
    bound = mixture.fit(gaps(X, holes), sample_weight=weights).history_["bound"]
    assert len(bound) == 40
    assert np.diff(bound).min() > -1e-12


@pytest.mark.parametrize("a", [0.0, 0.1, 2.0])
def test_an_iteration_is_that_of_the_book(X, rng, a):
    X, weights = gaps(X, 0.1), rng.random(len(X))
    start = X[:3].copy()
    start[np.isnan(start)] = 0.5
    one, two = (
        BernoulliMixture(3, init=start, prior_strength=a, max_iter=n, tol=0, random_state=0).fit(
            X, None, weights
        )
        for n in (1, 2)
    )
    r = weights[:, np.newaxis] * one.predict_proba(X)
    on = np.array([[np.nansum(r[:, k] * X[:, j]) for j in range(6)] for k in range(3)])
    seen = np.array([[r[~np.isnan(X[:, j]), k].sum() for j in range(6)] for k in range(3)])
    assert_allclose(two.components_, (on + a) / (seen + 2 * a), rtol=1e-10)
    assert_allclose(two.weights_, r.sum(axis=0) / weights.sum(), rtol=1e-10)


def test_one_component_is_the_mean(X):
    mixture = BernoulliMixture(prior_strength=0.0, max_iter=2, tol=0).fit(X)
    assert_allclose(mixture.components_[0], X.mean(axis=0))
    expected = X * np.log(X.mean(axis=0)) + (1 - X) * np.log(1 - X.mean(axis=0))
    assert_allclose(mixture.score_samples(X), expected.sum(axis=1))


def test_weights_are_repetitions(X):
    weights = np.arange(len(X)) % 3
    mixture = BernoulliMixture(3, init=X[:3], max_iter=10, tol=0)
    weighted = clone(mixture).fit(X, sample_weight=weights)
    repeated = clone(mixture).fit(np.repeat(X, weights, axis=0))
    assert_allclose(weighted.components_, repeated.components_, rtol=1e-8)
    assert_allclose(weighted.weights_, repeated.weights_, rtol=1e-8)


@pytest.mark.parametrize("holes", [0, 0.2])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_sparse_rows_are_rows(X, holes, dtype):
    X = gaps(X, holes).astype(dtype)
    mixture = BernoulliMixture(3, max_iter=15, tol=0, random_state=0, init=MEANS.round())
    dense, thin = clone(mixture).fit(X), clone(mixture).fit(sparse.csr_array(X))
    tolerance = 1e-9 if dtype == np.float64 else 1e-3
    assert_allclose(thin.components_, dense.components_, atol=tolerance)
    scores = thin.score_samples(sparse.csr_matrix(X))
    assert scores.dtype == thin.components_.dtype == dtype
    assert_allclose(scores, dense.score_samples(X), atol=20 * tolerance)


def test_planted_components_come_back():
    X, _ = bits(20_000)
    for rows in (X, gaps(X)):
        mixture = BernoulliMixture(3, tol=1e-7, max_iter=1000, random_state=0).fit(rows)
        order = np.argmax(mixture.components_ @ (MEANS - 0.5).T, axis=0)
        assert_allclose(mixture.components_[order], MEANS, atol=0.04)
        assert_allclose(mixture.weights_[order], [0.5, 0.3, 0.2], atol=0.02)


def test_hard_assignments_are_counted(X):
    mixture = BernoulliMixture(
        3, optimizer=EM(hard=True), init=X[:3], prior_strength=0.5, tol=1e-12
    ).fit(X)
    labels = mixture.predict(X)
    counts = np.bincount(labels, minlength=3)
    sums = np.array([X[labels == k].sum(axis=0) for k in range(3)])
    assert_allclose(mixture.weights_, counts / len(X))
    assert_allclose(mixture.components_, (sums + 0.5) / (counts[:, np.newaxis] + 1))


def test_annealing_ends_in_em_and_finds_no_worse_an_optimum():
    X, _ = bits(300, seed=3)
    settings = {"max_iter": 300, "tol": 1e-8, "init": X[:3] * 0 + 0.5 + 1e-3 * X[:3]}
    plain = BernoulliMixture(3, **settings).fit(X)
    annealed = BernoulliMixture(
        3, optimizer=EM(start_temperature=3.0, n_annealing_iterations=30), **settings
    ).fit(X)
    history = annealed.history_
    assert np.isfinite(history["inverse_temperature"]).sum() == 30
    assert np.all(np.diff(history["inverse_temperature"][:30]) > 0)
    assert np.diff(history["bound"][31:]).min() > -1e-12
    assert history["bound"][-1] == pytest.approx(
        annealed.score(X)
        + 0.1 * np.log(annealed.components_ * (1 - annealed.components_)).sum() / 300
    )
    assert history["bound"][-1] >= plain.history_["bound"][-1] - 1e-3


# -- streams and batches --------------------------------------------------------------------------


def test_a_stream_is_one_pass_of_batches(X):
    mixture = BernoulliMixture(3, init=X[:3], batch_size=150, shuffle=False, max_iter=1).fit(X)
    stream = clone(mixture).set_params(max_iter=0).fit(X)
    for chunk in (X[:300], X[300:]):
        stream.partial_fit(chunk)
    assert_array_equal(stream.components_, mixture.components_)


def test_a_few_passes_of_batches_do_what_many_full_ones_do():
    X, _ = bits(6000)
    full = BernoulliMixture(3, tol=1e-9, max_iter=500, random_state=0).fit(X).score(X)
    settings = {"batch_size": 250, "max_iter": 5, "tol": 0, "random_state": 0}
    online = BernoulliMixture(3, **settings).fit(X).score(X)
    incremental = BernoulliMixture(3, optimizer=EM(incremental=True), **settings).fit(X)
    assert online > full - 0.01
    assert incremental.score(X) > full - 0.01
    assert np.diff(incremental.history_["bound"]).min() > -1e-12


def test_a_warm_start_goes_on(X):
    mixture = BernoulliMixture(3, init=X[:3], warm_start=True, max_iter=5, tol=0)
    twice = clone(mixture).fit(X).fit(X)
    assert_allclose(twice.components_, clone(mixture).set_params(max_iter=10).fit(X).components_)
    with pytest.raises(
        ValueError, match="n_components=4 does not go with warm_start=True after a fit with 3"
    ):
        twice.set_params(n_components=4).fit(X)


def test_empty_components_start_again_at_the_rows_that_are_explained_worst():
    X = np.repeat(np.eye(6), 50, axis=0)
    odd = 1 - np.eye(6)[:2]
    X = np.vstack([X, odd])
    start = np.vstack([np.eye(6), np.full((2, 6), 1e-3)])
    mixture = BernoulliMixture(
        8, init=start, optimizer=EM(hard=True), prior_strength=0.01, max_iter=20, tol=0
    ).fit(X)
    assert mixture.history_["restarts"].sum() > 0
    assert (np.bincount(mixture.predict(X), minlength=8) > 0).sum() > 6


# -- certainty ------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [np.asarray, sparse.csr_array], ids=["dense", "sparse"])
def test_what_was_never_seen_is_impossible_without_a_prior(make):
    X = np.array([[1, 0, 0], [1, 1, 0], [1, 0, 0], [1, 1, 0.0]])
    mixture = BernoulliMixture(prior_strength=0.0, max_iter=1, tol=0).fit(X)
    rows = np.array([[1, 0, 0], [0, 0, 0], [1, 1, 1], [np.nan, 0, np.nan], [0.999, 0, 0]])
    scores = mixture.score_samples(make(rows))
    assert_allclose(scores, [np.log(0.5), -np.inf, -np.inf, np.log(0.5), -np.inf])
    assert_allclose(mixture.predict_proba(make(rows)), 1)
    assert np.isfinite(BernoulliMixture(max_iter=1, tol=0).fit(X).score_samples(rows)).all()


def test_grey_levels_are_bits_in_expectation(fitted):
    grey = np.full((1, 6), 0.5)
    mixture = BernoulliMixture(max_iter=1, tol=0).fit(states())
    assert mixture.score_samples(grey)[0] == pytest.approx(mixture.score(states()))


def test_thresholds_are_those_of_the_fit(X):
    noisy = 10 * X - 5
    mixture = BernoulliMixture(2, binarize=0.0, random_state=0).fit(noisy)
    plain = BernoulliMixture(2, random_state=0).fit(X)
    mixture.set_params(binarize=100.0)
    assert_array_equal(mixture.score_samples(noisy), plain.score_samples(X))


# -- refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "data", "message"),
    [
        ({}, lambda X: 2 * X, r"probabilities in \[0, 1\]"),
        ({"n_components": 601}, lambda X: X, "n_components=601 components need as many rows"),
        ({"init": np.zeros((2, 6))}, lambda X: X, r"init must have shape .* = \(3, 6\)"),
        ({"init": "random"}, lambda X: X, "'init' parameter of BernoulliMixture"),
        ({"prior_strength": -1}, lambda X: X, "'prior_strength' parameter of BernoulliMixture"),
        ({"optimizer": EM(start_temperature=0.5)}, lambda X: X, "'start_temperature' parameter"),
        ({"optimizer": "adam"}, lambda X: X, "'optimizer' parameter of BernoulliMixture"),
        ({}, lambda X: np.where(np.arange(600)[:, None] == 7, np.nan, X), r"Rows \[7\] of X"),
        ({}, lambda X: np.where(np.arange(6) == 2, np.nan, X), r"Features \[2\] of X have no"),
    ],
)
def test_bad_input_is_named(X, options, data, message):
    with pytest.raises(ValueError, match=message):
        BernoulliMixture(**{"n_components": 3, **options}).fit(data(X))


def test_bad_questions_are_named(fitted, X):
    with pytest.raises(ValueError, match="n_samples must be an integer of at least 1, got 0"):
        fitted.sample(0)
    with pytest.raises(ValueError, match="method must be 'mean' or 'draw'"):
        fitted.impute(X, method="median")
    with pytest.raises(ValueError, match=r"free must be a mask of shape \(6,\)"):
        fitted.conditional_log_proba(X, np.zeros(3, dtype=bool))


def test_a_detector_takes_it(X):
    detector = DensityOutlierDetector(BernoulliMixture(3, random_state=0), contamination=0.05)
    labels = detector.fit_predict(X)
    assert 0 < (labels == -1).mean() < 0.1


class TestBernoulliStatistics(StatisticsTestCase):
    def collect(self, rows, weights):
        rng = np.random.default_rng(0)
        X = gaps((rng.random((self.n_rows, 3)) < 0.4).astype(float))
        shares = rng.random((self.n_rows, 2))[rows] * weights[:, np.newaxis]
        return BernoulliComponents(2, 0.0).collect(None, X[rows], shares)

    def solution(self, statistics):
        assert isinstance(statistics, BernoulliStatistics)
        return (BernoulliComponents(2, 0.0).solve(statistics, np.zeros((2, 3))),)
