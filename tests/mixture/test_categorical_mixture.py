"""Latent class analysis: against enumeration, one column at a time, and mixtures of bits."""

import itertools

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import logsumexp
from sklearn.base import clone

from sklvm import BernoulliMixture, CategoricalMixture
from sklvm.mixture._categorical_components import CategoricalComponents
from sklvm.optimizers import EM
from sklvm.testing import StatisticsTestCase

pytestmark = pytest.mark.filterwarnings(
    "ignore:(Categorical|Bernoulli)Mixture. The fit did not:sklearn.exceptions.ConvergenceWarning"
)

SIZES = (3, 2, 4)
PROBABILITIES = [
    np.array([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8]]),
    np.array([[0.9, 0.1], [0.2, 0.8]]),
    np.array([[0.4, 0.4, 0.1, 0.1], [0.05, 0.05, 0.3, 0.6]]),
]


def answers(n, seed=0):
    rng = np.random.default_rng(seed)
    labels = rng.choice(2, n, p=[0.6, 0.4])
    columns = [[rng.choice(p.shape[1], p=p[k]) for k in labels] for p in PROBABILITIES]
    return np.array(columns, dtype=float).T, labels


def gaps(X, share=0.2, seed=1):
    rng = np.random.default_rng(seed)
    holes = rng.random(X.shape) < share
    holes[holes.all(axis=1)] = False
    return np.where(holes, np.nan, X)


@pytest.fixture(scope="module")
def X():
    return answers(500)[0]


@pytest.fixture(scope="module")
def fitted(X):
    return CategoricalMixture(2, random_state=0).fit(X)


def states():
    return np.array(list(itertools.product(*map(range, SIZES))), dtype=float)


def test_scores_are_log_probabilities_that_sum_to_one(fitted):
    rows = states()
    scores = fitted.score_samples(rows)
    assert np.exp(scores).sum() == pytest.approx(1)
    joint = np.log(fitted.weights_) + sum(
        np.log(p[:, rows[:, j].astype(int)]).T for j, p in enumerate(fitted.probabilities_)
    )
    assert_allclose(scores, logsumexp(joint, axis=1), rtol=1e-10)
    assert_allclose(fitted.predict_proba(rows), np.exp(joint - scores[:, np.newaxis]), atol=1e-12)


def test_missing_entries_are_summed_out(fitted):
    rows = states()
    for row in rows[::3]:
        for holes in ([True, False, False], [False, True, True]):
            holed = np.where(holes, np.nan, row)[np.newaxis]
            completions = rows[(rows[:, ~np.array(holes)] == row[~np.array(holes)]).all(axis=1)]
            scores = fitted.score_samples(completions)
            marginal = logsumexp(scores)
            assert fitted.score_samples(holed)[0] == pytest.approx(marginal)
            conditional = fitted.conditional_log_proba(row[np.newaxis], np.array(holes))[0]
            expected = fitted.score_samples(row[np.newaxis])[0] - marginal
            assert conditional == pytest.approx(expected)
            for j in np.flatnonzero(holes):
                by_value = [np.exp(scores[completions[:, j] == v]).sum() for v in range(SIZES[j])]
                assert fitted.impute(holed)[0, j] == np.argmax(by_value)


def test_draws_have_the_probabilities_of_the_model(fitted):
    draws = fitted.sample(30_000, random_state=0)
    observed = [(draws == row).all(axis=1).mean() for row in states()]
    expected = np.exp(fitted.score_samples(states()))
    assert_allclose(observed, expected, atol=4 * np.sqrt(expected.max() / len(draws)))
    holed = np.tile([2.0, np.nan, np.nan], (20_000, 1))
    drawn = fitted.impute(holed, method="draw", random_state=0)
    posterior = fitted.predict_proba(holed[:1])[0]
    for j in (1, 2):
        frequencies = np.bincount(drawn[:, j].astype(int), minlength=SIZES[j]) / len(drawn)
        assert_allclose(frequencies, posterior @ fitted.probabilities_[j], atol=0.02)


@pytest.mark.parametrize("optimizer", ["em", EM(hard=True), EM(incremental=True)], ids=str)
@pytest.mark.parametrize("holes", [0, 0.3])
def test_the_bound_never_falls(X, rng, optimizer, holes):
    mixture = CategoricalMixture(
        3,
        optimizer=optimizer,
        batch_size=100 if getattr(optimizer, "incremental", False) else None,
        tol=0,
        max_iter=25,
        random_state=0,
    )
    bound = mixture.fit(gaps(X, holes), sample_weight=rng.random(500) + 0.1).history_["bound"]
    assert np.diff(bound).min() > -1e-12


def test_two_categories_are_bits():
    rng = np.random.default_rng(0)
    X = gaps((rng.random((400, 5)) < [0.2, 0.5, 0.6, 0.8, 0.3]).astype(float))
    settings = {"init": np.eye(5)[:3], "max_iter": 8, "tol": 0, "prior_strength": 0.3}
    categories = CategoricalMixture(3, random_state=0, **settings).fit(X)
    bits = BernoulliMixture(3, random_state=0, **settings).fit(X)
    on = np.column_stack([p[:, 1] for p in categories.probabilities_])
    assert_allclose(on, bits.components_, atol=1e-9)
    assert_allclose(categories.score_samples(X), bits.score_samples(X), rtol=1e-8)


def test_planted_classes_come_back():
    X, _ = answers(20_000)
    mixture = CategoricalMixture(2, tol=1e-8, max_iter=2000, random_state=0).fit(gaps(X))
    order = np.argsort(-mixture.weights_)
    assert_allclose(mixture.weights_[order], [0.6, 0.4], atol=0.05)
    for found, planted in zip(mixture.probabilities_, PROBABILITIES, strict=True):
        assert_allclose(found[order], planted, atol=0.05)


def test_weights_are_repetitions(X):
    weights = np.arange(len(X)) % 3
    mixture = CategoricalMixture(2, init=X[:2], max_iter=10, tol=0)
    weighted = clone(mixture).fit(X, sample_weight=weights)
    repeated = clone(mixture).fit(np.repeat(X, weights, axis=0))
    for one, other in zip(weighted.probabilities_, repeated.probabilities_, strict=True):
        assert_allclose(one, other, rtol=1e-8)


def test_categories_are_the_values_of_the_data_or_those_that_are_said(X):
    odd = np.array([-1.5, 7.0, 100.0, 2e5])[X.astype(int)]
    by_value = CategoricalMixture(2, init=odd[:2], max_iter=5, tol=0).fit(odd)
    by_code = CategoricalMixture(2, init=X[:2], max_iter=5, tol=0).fit(X)
    assert_allclose(by_value.score_samples(odd), by_code.score_samples(X))
    assert_array_equal(by_value.categories_[1], [-1.5, 7.0])
    assert np.isin(by_value.sample(20), odd).all()
    said = CategoricalMixture(2, n_categories=[3, 2, 6]).fit(X)
    assert [p.shape for p in said.probabilities_] == [(2, 3), (2, 2), (2, 6)]
    assert said.n_parameters() == 1 + 2 * (2 + 1 + 5)
    assert np.isfinite(said.score_samples([[0, 0, 5]]))


def test_a_stream_is_one_pass_of_batches(X):
    mixture = CategoricalMixture(2, init=X[:2], batch_size=125, shuffle=False, max_iter=1).fit(X)
    stream = clone(mixture).set_params(max_iter=0).fit(X)
    for chunk in (X[:250], X[250:]):
        stream.partial_fit(chunk)
    for one, other in zip(stream.probabilities_, mixture.probabilities_, strict=True):
        assert_array_equal(one, other)
    with pytest.raises(ValueError, match="Feature 1 of X has the value 6, which is none of its 2"):
        stream.partial_fit(X + np.array([0, 6, 0]))


@pytest.mark.parametrize(
    ("options", "data", "message"),
    [
        ({"n_categories": 2}, lambda X: X, "Feature 0 of X has the value 2, which is none of"),
        ({"n_categories": [3, 2]}, lambda X: X, "n_categories must be an integer or one for each"),
        ({"n_categories": [3, 2, 0]}, lambda X: X, "n_categories must be at least 1, got 0"),
        ({"n_components": 501}, lambda X: X, "n_components=501 components need as many rows"),
        ({"init": np.full((2, 3), 9.0)}, lambda X: X, "Feature 0 of X has the value 9"),
    ],
)
def test_bad_input_is_named(X, options, data, message):
    with pytest.raises(ValueError, match=message):
        CategoricalMixture(**{"n_components": 2, **options}).fit(data(X))


def test_unseen_codes_are_an_error(fitted, X):
    with pytest.raises(ValueError, match="Feature 2 of X has the value 4"):
        fitted.score_samples([[0, 0, 4]])
    with pytest.raises(ValueError, match="method must be 'mode' or 'draw', got 'mean'"):
        fitted.impute(X, method="mean")


class TestCategoricalStatistics(StatisticsTestCase):
    def collect(self, rows, weights):
        X = gaps(answers(self.n_rows)[0])
        self.components = CategoricalComponents(2, 0.0, tuple(map(np.arange, map(float, SIZES))))
        shares = np.random.default_rng(0).random((self.n_rows, 2))[rows] * weights[:, np.newaxis]
        return self.components.collect(None, X[rows], shares)

    def solution(self, statistics):
        return (self.components.solve(statistics, np.zeros((2, sum(SIZES)))),)
