"""Chain fields: gradients, optimality, logistic regression, and what goes with groups."""

import pickle
from itertools import pairwise, product

import numpy as np
import pytest
import sklearn
from scipy.optimize import approx_fprime
from scipy.sparse import csr_array
from scipy.special import logsumexp
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, GroupKFold

from sklvm import ChainConditionalRandomField
from sklvm.random_fields._chain_likelihood import ChainLikelihood


@pytest.fixture(scope="module")
def sequences():
    """X, y, groups of 40 sequences of 3 to 9 rows, whose labels tend to stay."""
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(40), rng.integers(3, 10, 40))
    n = len(groups)
    labels = np.zeros(n, dtype=int)
    for t in range(1, n):
        stays = groups[t] == groups[t - 1] and rng.random() < 0.7
        labels[t] = labels[t - 1] if stays else rng.integers(3)
    X = np.eye(3)[labels] @ rng.standard_normal((3, 4)) + rng.standard_normal((n, 4))
    return X, np.array(["in", "on", "at"])[labels], groups


@pytest.fixture(scope="module")
def model(sequences):
    X, y, groups = sequences
    return ChainConditionalRandomField(alpha=0.5).fit(X, y, groups=groups)


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_value_and_gradient_are_those_of_enumeration(rng, fit_intercept):
    X, starts = rng.standard_normal((7, 2)), np.array([0, 4, 5, 7])
    labels, weights = rng.integers(3, size=7), np.array([1.0, 3.0, 0.5])
    likelihood = ChainLikelihood(X, labels, 3, starts, weights, fit_intercept=fit_intercept)

    def by_enumeration(theta):
        W, A, b = likelihood.parts(theta)
        total = 0.0
        for start, end, weight in zip(starts[:-1], starts[1:], weights, strict=True):
            u, y = X[start:end] @ W + b, labels[start:end]

            def potential(path, u=u):
                steps = sum(A[i, j] for i, j in pairwise(path))
                return sum(u[t, j] for t, j in enumerate(path)) + steps

            paths = product(range(3), repeat=end - start)
            total -= weight * (potential(y) - logsumexp([potential(path) for path in paths]))
        return total / weights.sum()

    theta = rng.standard_normal(likelihood.start().shape)
    value, gradient = likelihood(theta)
    assert value == pytest.approx(by_enumeration(theta), rel=1e-12)
    np.testing.assert_allclose(gradient, approx_fprime(theta, by_enumeration, 1e-6), atol=1e-5)


@pytest.mark.parametrize("l1_ratio", [0.0, 0.5, 1.0])
def test_the_solution_is_optimal(sequences, l1_ratio):
    """0 is a subgradient: |∂f| ≤ α l1 where θ = 0, and ∂f = −α l1 sign θ − α l2 θ elsewhere."""
    X, y, groups = sequences
    alpha = 3.0
    model = ChainConditionalRandomField(alpha=alpha, l1_ratio=l1_ratio, tol=1e-9)
    model.fit(X, y, groups=groups)
    labels = np.searchsorted(model.classes_, y)
    starts = np.append(np.flatnonzero(np.r_[True, np.diff(groups) > 0]), len(y))
    likelihood = ChainLikelihood(X, labels, 3, starts, np.ones(40), fit_intercept=True)
    weights = np.concatenate([model.coef_.T.ravel(), model.transitions_.ravel()])
    _, gradient = likelihood(np.concatenate([weights, model.intercept_]))
    gradient *= 40
    np.testing.assert_allclose(gradient[-3:], 0, atol=1e-5)
    slope = gradient[:-3] + alpha * (1 - l1_ratio) * weights
    active = weights != 0
    np.testing.assert_allclose(
        slope[active], -alpha * l1_ratio * np.sign(weights[active]), atol=1e-5
    )
    assert np.all(np.abs(slope[~active]) <= alpha * l1_ratio + 1e-5)
    assert np.all(active) == (l1_ratio == 0)


@pytest.mark.parametrize("l1_ratio", [0, 0.5])
def test_without_groups_it_is_logistic_regression(sequences, l1_ratio):
    X, y, _ = sequences
    model = ChainConditionalRandomField(alpha=2.0, l1_ratio=l1_ratio, tol=1e-9).fit(X, y)
    other = LogisticRegression(
        C=0.5, l1_ratio=l1_ratio, solver="saga" if l1_ratio else "lbfgs", tol=1e-9, max_iter=10_000
    )
    other.fit(X, y)
    np.testing.assert_allclose(model.coef_, other.coef_, atol=1e-5)
    np.testing.assert_allclose(model.predict_proba(X), other.predict_proba(X), atol=1e-5)
    np.testing.assert_array_equal(model.predict(X), other.predict(X))
    np.testing.assert_array_equal(model.transitions_, 0)


def test_two_classes_have_the_penalty_of_both_rows(sequences):
    X, y, _ = sequences
    y = y == "in"
    model = ChainConditionalRandomField(alpha=2.0, tol=1e-9).fit(X, y)
    other = LogisticRegression(C=1.0, tol=1e-9).fit(X, y)
    np.testing.assert_allclose(model.predict_proba(X), other.predict_proba(X), atol=1e-6)


def test_marginals_labels_and_likelihoods_are_those_of_enumeration(model, sequences):
    X, y, groups = sequences
    rows = groups == 7
    n = rows.sum()
    u = X[rows] @ model.coef_.T + model.intercept_
    paths = np.array(list(product(range(3), repeat=n)))
    scores = u[np.arange(n), paths].sum(axis=1)
    scores += model.transitions_[paths[:, :-1], paths[:, 1:]].sum(axis=1)
    log_p = scores - logsumexp(scores)
    marginals = np.einsum("p,ptj->tj", np.exp(log_p), np.eye(3)[paths])
    np.testing.assert_allclose(model.predict_proba(X, groups)[rows], marginals, atol=1e-10)
    best = model.classes_[paths[log_p.argmax()]]
    np.testing.assert_array_equal(model.predict(X, groups)[rows], best)
    observed = np.all(model.classes_[paths] == y[rows], axis=1)
    assert model.log_likelihood(X, y, groups)[7] == pytest.approx(log_p[observed].item())


def test_neighbours_help(model, sequences):
    X, y, groups = sequences
    alone = ChainConditionalRandomField(alpha=0.5).fit(X, y)
    assert model.score(X, y, groups=groups) > alone.score(X, y) + 0.03


def test_the_truth_is_found_as_sequences_grow(rng):
    """Labels drawn from the model itself: the error falls, to a tenth with a hundred times more."""
    W, A = np.array([[1.0, -1.0], [0.0, 1.0]]), np.array([[1.0, 0.0], [-0.5, 0.5]])
    errors = []
    for n_sequences in (100, 10_000):
        X = rng.standard_normal((n_sequences, 4, 2))
        paths = np.array(list(product(range(2), repeat=4)))
        scores = np.einsum("ntd,jd->ntj", X, W)[:, np.arange(4), paths].sum(axis=2)
        scores += A[paths[:, :-1], paths[:, 1:]].sum(axis=1)
        y = paths[(scores + rng.gumbel(size=scores.shape)).argmax(axis=1)]
        model = ChainConditionalRandomField(alpha=1e-3)
        model.fit(X.reshape(-1, 2), y.ravel(), groups=np.repeat(np.arange(n_sequences), 4))
        difference = model.coef_[1] - model.coef_[0]
        errors.append(np.abs(difference - (W[1] - W[0])).max())
        # What of A is identified apart from the intercepts.
        cross = model.transitions_ * [[1, -1], [-1, 1]]
        errors[-1] = max(errors[-1], abs(cross.sum() - 2.0))
    assert errors[1] < 0.15
    assert errors[1] < errors[0]


def test_sparse_rows_are_as_dense_ones(model, sequences):
    X, y, groups = sequences
    sparse = ChainConditionalRandomField(alpha=0.5).fit(csr_array(X), y, groups=groups)
    np.testing.assert_allclose(sparse.coef_, model.coef_, atol=1e-5)
    np.testing.assert_allclose(
        sparse.predict_proba(csr_array(X), groups), model.predict_proba(X, groups), atol=1e-5
    )


def test_a_heavier_sequence_is_one_seen_more_often(sequences):
    X, y, groups = sequences
    weighted = ChainConditionalRandomField().fit(
        X, y, sample_weight=np.where(groups == 3, 3.0, 1.0), groups=groups
    )
    third = groups == 3
    repeated = ChainConditionalRandomField().fit(
        np.vstack([X, X[third], X[third]]),
        np.concatenate([y, y[third], y[third]]),
        groups=np.concatenate([groups, groups[third] + 100, groups[third] + 200]),
    )
    np.testing.assert_allclose(weighted.coef_, repeated.coef_, atol=1e-5)
    np.testing.assert_allclose(weighted.transitions_, repeated.transitions_, atol=1e-5)


def test_single_precision_and_pickles(model, sequences):
    X, y, groups = sequences
    single = ChainConditionalRandomField(alpha=0.5).fit(X.astype(np.float32), y, groups=groups)
    assert single.coef_.dtype == single.predict_proba(X.astype(np.float32), groups).dtype == "f4"
    np.testing.assert_allclose(single.coef_, model.coef_, atol=1e-4)
    copy = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(copy.predict_proba(X, groups), model.predict_proba(X, groups))


def test_a_search_over_groups_needs_metadata_routing(sequences):
    X, y, groups = sequences
    grid = {"alpha": [0.1, 100.0]}
    with sklearn.config_context(enable_metadata_routing=True):
        model = (
            ChainConditionalRandomField()
            .set_fit_request(groups=True)
            .set_score_request(groups=True)
        )
        search = GridSearchCV(model, grid, cv=GroupKFold(4)).fit(X, y, groups=groups)
    assert np.abs(search.best_estimator_.transitions_).max() > 0.1
    # Without it the splitter alone gets them, and there are no neighbours.
    search = GridSearchCV(ChainConditionalRandomField(), grid, cv=GroupKFold(4))
    search.fit(X, y, groups=groups)
    np.testing.assert_array_equal(search.best_estimator_.transitions_, 0)


def test_a_fit_that_ends_early_says_so(sequences):
    X, y, groups = sequences
    with pytest.warns(ConvergenceWarning, match="did not converge in 3 iterations"):
        model = ChainConditionalRandomField(max_iter=3).fit(X, y, groups=groups)
    assert model.n_iter_ == len(model.history_["objective"]) == 3
    assert np.all(np.diff(model.history_["objective"]) < 0)


def test_bad_input_is_named(model, sequences):
    X, y, _ = sequences
    with pytest.raises(ValueError, match=r"groups must be contiguous.* sequence 1 do not"):
        model.fit(X[:3], y[:3], groups=[1, 2, 1])
    with pytest.raises(ValueError, match=f"one entry a row of X, {len(X)}, got 3"):
        model.predict(X, groups=[0, 1, 2])
    with pytest.raises(ValueError, match="same for all rows of a sequence, got 2 in row 1"):
        model.fit(X[:3], y[:3], sample_weight=[1, 2, 1], groups=[0, 0, 1])
    with pytest.raises(ValueError, match="under, which is none of"):
        model.log_likelihood(X[:1], ["under"])
    with pytest.raises(ValueError, match="at least one non-zero"):
        model.fit(X, y, sample_weight=np.zeros(len(X)))
