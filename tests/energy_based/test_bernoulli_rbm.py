"""The binary restricted Boltzmann machine as users use it."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from scipy.special import logsumexp
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from sklvm import BernoulliRBM
from sklvm.objectives import ContrastiveDivergence, PersistentContrastiveDivergence
from sklvm.optimizers import SGD
from sklvm.testing import binary_states

STATES = binary_states(6)


def correlated_bits(n_samples, rng):
    """Six bits in two groups that are on or off together, but for noise."""
    groups = np.repeat(rng.random((n_samples, 2)) < [0.3, 0.6], 3, axis=1)
    return (groups != (rng.random((n_samples, 6)) < 0.1)).astype(np.float64)


@pytest.fixture(scope="module")
def X():
    return correlated_bits(500, np.random.default_rng(0))


@pytest.fixture(scope="module")
def fitted(X):
    return BernoulliRBM(4, max_iter=200, random_state=0).fit(X)


def exact_means(model):
    return np.exp(model.score_samples(STATES)) @ STATES


def exact_maximum(X):
    """The highest mean log-likelihood: that of the empirical distribution."""
    _, counts = np.unique(X, axis=0, return_counts=True)
    return (counts / len(X)) @ np.log(counts / len(X))


# -- the density ----------------------------------------------------------------------------------


def test_probabilities_sum_to_one_over_all_states(fitted):
    assert np.exp(fitted.score_samples(STATES)).sum() == pytest.approx(1, abs=1e-9)
    assert fitted.log_partition_std_err_ == 0


def test_it_learns_the_correlations_of_the_data(fitted, X):
    independent = np.log(np.where(X == 1, X.mean(axis=0), 1 - X.mean(axis=0))).sum(axis=1).mean()
    assert exact_maximum(X) - fitted.score(X) < 0.15 * (exact_maximum(X) - independent)


def test_the_score_is_deterministic(fitted, X):
    assert_array_equal(fitted.score_samples(X), fitted.score_samples(X))
    assert_array_equal(fitted.pseudo_log_likelihood(X), fitted.pseudo_log_likelihood(X))


def test_free_energy_and_attributes_are_those_of_the_formula(fitted, X):
    W, a, b = fitted.components_, fitted.intercept_visible_, fitted.intercept_hidden_
    expected = -(X @ a) - np.log1p(np.exp(X @ W.T + b)).sum(axis=1)
    assert_allclose(fitted.free_energy(X), expected, rtol=1e-12)
    assert_allclose(fitted.transform(X), 1 / (1 + np.exp(-(X @ W.T + b))), rtol=1e-12)
    Z = fitted.transform(X)
    assert_allclose(fitted.inverse_transform(Z), 1 / (1 + np.exp(-(Z @ W + a))), rtol=1e-12)


def test_pseudo_log_likelihood_is_the_sum_of_the_conditionals(fitted):
    log_p = fitted.score_samples(STATES)
    expected = np.zeros(len(STATES))
    for j in range(6):
        flipped = np.arange(len(STATES)) ^ 2**j
        expected += log_p - np.logaddexp(log_p, log_p[flipped])
    assert_allclose(fitted.pseudo_log_likelihood(STATES), expected, rtol=1e-9)
    with pytest.raises(ValueError, match="binarize"):
        fitted.pseudo_log_likelihood(np.full((2, 6), 0.5))


# -- training: what scikit-learn's estimator gets wrong -------------------------------------------


@pytest.mark.parametrize("batch_size", [7, 50, 300, 400, 499, 500])
def test_the_model_has_the_mean_of_the_data_for_every_batch_size(X, batch_size):
    n_batches = -(-500 // batch_size)
    model = BernoulliRBM(
        3,
        objective=PersistentContrastiveDivergence(n_chains=200),
        optimizer=SGD(0.5, schedule="linear"),
        batch_size=batch_size,
        max_iter=max(600 // n_batches, 8),
        random_state=0,
    ).fit(X)
    assert exact_means(model) == pytest.approx(X.mean(axis=0), abs=0.04)


def test_batches_of_one_row_reach_the_mean_too(X):
    model = BernoulliRBM(
        3, optimizer=SGD(0.05, schedule="linear"), batch_size=1, max_iter=3, random_state=0
    ).fit(X)
    assert exact_means(model) == pytest.approx(X.mean(axis=0), abs=0.05)


@pytest.mark.parametrize("chunk", [50, 500])
def test_a_stream_reaches_the_mean_of_the_data(X, chunk):
    model = BernoulliRBM(3, optimizer=SGD(0.05), batch_size=50, random_state=0, max_iter=20)
    for _ in range(40):
        for first in range(0, 500, chunk):
            assert model.partial_fit(X[first : first + chunk]) is model
    assert exact_means(model) == pytest.approx(X.mean(axis=0), abs=0.06)


@pytest.mark.parametrize("objective", ["cd", "pcd", "nce"])
def test_partial_fit_over_the_same_batches_does_what_fit_does(X, objective):
    start = BernoulliRBM(
        3, objective=objective, optimizer="adam", max_iter=0, shuffle=False, batch_size=64
    ).set_params(random_state=0)
    fitted = clone(start).set_params(max_iter=2).fit(X)
    streamed = start.fit(X)
    for _ in range(2):
        for first in range(0, 500, 64):
            streamed.partial_fit(X[first : first + 64])
    assert_array_equal(streamed.components_, fitted.components_)
    assert_array_equal(streamed.intercept_hidden_, fitted.intercept_hidden_)


def test_flipped_data_give_a_model_as_good(X):
    scores = [
        BernoulliRBM(3, max_iter=30, random_state=0).fit(data).score(data) for data in (X, 1 - X)
    ]
    assert scores[0] == pytest.approx(scores[1], abs=0.1)


def test_probabilities_train_like_their_draws(rng):
    probabilities = np.tile([0.2, 0.5, 0.9], (400, 1))
    model = BernoulliRBM(2, max_iter=50, random_state=0).fit(probabilities)
    states = binary_states(3)
    means = np.exp(model.score_samples(states)) @ states
    assert means == pytest.approx([0.2, 0.5, 0.9], abs=0.05)


def test_a_weight_of_zero_leaves_a_row_out(X):
    other = np.vstack([X, 1 - X[:100]])
    weights = np.repeat([1.0, 0.0], [500, 100])
    model = BernoulliRBM(3, max_iter=2, random_state=0)
    assert_array_equal(
        clone(model).fit(other, sample_weight=weights).components_, model.fit(X).components_
    )


def test_a_sparsity_target_and_weight_decay_shape_the_hidden_units(X):
    sparse = BernoulliRBM(
        4,
        optimizer=SGD(0.05),
        sparsity_target=0.1,
        sparsity_cost=0.5,
        max_iter=150,
        random_state=0,
    ).fit(X)
    assert sparse.transform(X).mean() == pytest.approx(0.1, abs=0.05)
    plain = BernoulliRBM(4, max_iter=20, random_state=0).fit(X)
    decayed = BernoulliRBM(4, weight_decay=0.1, max_iter=20, random_state=0).fit(X)
    assert (decayed.components_**2).sum() < 0.5 * (plain.components_**2).sum()


# -- data -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("objective", ["pcd", ContrastiveDivergence(2)], ids=str)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sparse_data_are_as_good_as_dense_ones(X, objective, dtype):
    X = X.astype(dtype)
    dense = BernoulliRBM(3, objective=objective, max_iter=3, random_state=0).fit(X)
    sparse = clone(dense).fit(csr_array(X))
    assert_array_equal(sparse.components_, dense.components_)
    assert sparse.components_.dtype == dtype
    for method in ("transform", "score_samples", "free_energy", "pseudo_log_likelihood"):
        assert_array_equal(getattr(sparse, method)(csr_array(X)), getattr(dense, method)(X))


def test_many_sparse_rows_are_made_dense_a_few_at_a_time(X, monkeypatch):
    from sklvm.base import _row_blocks

    model = BernoulliRBM(3, max_iter=2, random_state=0).fit(csr_array(X))
    whole = model.transform(X)
    monkeypatch.setattr(_row_blocks, "BLOCK_ENTRIES", 50)
    for rows in (X, csr_array(X)):
        assert_allclose(model.transform(rows), whole, rtol=1e-12)


@pytest.mark.parametrize("data", [[[0.0, 2.0], [1.0, 0.0]], [[0.0, -0.1], [1.0, 0.0]]])
def test_data_that_are_not_probabilities_are_refused_by_name(data):
    for X in (np.array(data), csr_array(data)):
        with pytest.raises(ValueError, match=r"X must be binary, .*Set binarize=threshold"):
            BernoulliRBM(2, max_iter=20).fit(X)
    model = BernoulliRBM(2, max_iter=1).fit(np.eye(2))
    with pytest.raises(ValueError, match="binarize"):
        model.score_samples(data)


def test_a_threshold_makes_any_data_binary(X):
    plain = BernoulliRBM(3, max_iter=2, random_state=0).fit(X)
    raw = 10 * X - 3
    model = BernoulliRBM(3, binarize=4.0, max_iter=2, random_state=0).fit(raw)
    assert_array_equal(model.components_, plain.components_)
    assert_array_equal(model.score_samples(raw), plain.score_samples(X))
    sparse = BernoulliRBM(3, binarize=4.0, max_iter=2, random_state=0).fit(csr_array(10 * X))
    assert_array_equal(sparse.components_, plain.components_)


def test_bits_drawn_for_every_step_make_a_model_of_bits(rng):
    """Grey levels (.9, .1) and (.1, .9) are bits that hardly ever agree."""
    levels = np.repeat([[0.9, 0.1], [0.1, 0.9]], 100, axis=0)
    model = BernoulliRBM(2, binarize="dynamic", objective="mle", max_iter=300, random_state=0)
    model.fit(levels)
    states = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    assert_allclose(np.exp(model.score_samples(states)), [0.09, 0.41, 0.41, 0.09], atol=0.03)
    grey = rng.random((20, 2))
    p = np.prod(np.where(states, grey[:, np.newaxis], 1 - grey[:, np.newaxis]), axis=2)
    assert np.all(model.score_samples(grey) <= p @ model.score_samples(states) + 1e-9)


def test_bits_drawn_for_every_step_do_not_go_with_lbfgs():
    model = BernoulliRBM(2, binarize="dynamic", objective="mle", optimizer="lbfgs", max_iter=20)
    with pytest.raises(ValueError, match="binarize='dynamic' works batch by batch"):
        model.fit(np.eye(2))


def test_missing_grey_levels_are_completed_bits(rng):
    levels = np.where(rng.random((60, 4)) < 0.2, np.nan, rng.random((60, 4)))
    model = BernoulliRBM(2, binarize="dynamic", max_iter=3, random_state=0).fit(levels)
    assert np.isfinite(model.transform(levels)).all()


@pytest.mark.parametrize(
    ("parameters", "match"),
    [
        ({"objective": "score_matching"}, "'cd'.*'nce'.*'pcd'"),
        ({"objective": "gibberish"}, "objective"),
        ({"optimizer": "lbfgs"}, "deterministic objective"),
        ({"early_stopping": True}, "no value to watch"),
        ({"sparsity_target": 1.0}, "sparsity_target"),
        ({"weight_decay": -1.0}, "weight_decay"),
        ({"n_components": 0}, "n_components"),
    ],
)
def test_bad_parameters_are_named_before_any_work(X, parameters, match):
    model = BernoulliRBM(**{"n_components": 2, **parameters})
    with pytest.raises(ValueError, match=match):
        model.fit(X)
    assert not hasattr(model, "components_")


def test_the_default_optimiser_can_be_searched_by_nested_names(X):
    model = BernoulliRBM(2, max_iter=1).set_params(optimizer__learning_rate=0.5)
    assert model.fit(X).optimizer.learning_rate == 0.5
    assert model.optimizer.schedule == "linear"


def test_it_feeds_a_classifier_in_a_pipeline(X):
    y = X[:, 0] == 1
    search = GridSearchCV(
        make_pipeline(
            BernoulliRBM(max_iter=20, partition="none", random_state=0), LogisticRegression()
        ),
        {"bernoullirbm__n_components": [2, 8]},
        cv=2,
    ).fit(X, y)
    assert search.score(X, y) > 0.85


# -- missing entries ------------------------------------------------------------------------------


def test_training_on_incomplete_rows_finds_the_distribution_of_complete_ones(rng):
    X = correlated_bits(1000, rng)
    gaps = np.where(rng.random(X.shape) < 0.3, np.nan, X)
    fill = np.where(np.isnan(gaps), np.nanmean(gaps, axis=0), gaps)
    scores = [
        BernoulliRBM(3, max_iter=60, random_state=0).fit(data).score(X) for data in (X, gaps, fill)
    ]
    assert scores[1] > scores[0] - 0.15
    assert scores[1] > scores[2] + 0.2


def test_the_score_of_an_incomplete_row_is_the_marginal_density(fitted):
    log_p = fitted.score_samples(STATES)
    for observed in ({0: 1.0}, {1: 0.0, 2: 0.0, 5: 1.0}, {}):
        row = np.full((1, 6), np.nan)
        matches = np.ones(len(STATES), dtype=bool)
        for j, value in observed.items():
            row[0, j] = value
            matches &= STATES[:, j] == value
        assert fitted.score_samples(row)[0] == pytest.approx(logsumexp(log_p[matches]), abs=1e-9)


def test_sums_of_too_many_terms_are_refused(rng):
    X = (rng.random((30, 25)) < 0.5).astype(np.float64)
    model = BernoulliRBM(25, max_iter=1, partition="none").fit(X)
    X[0, :21] = np.nan
    with pytest.raises(ValueError, match=r"21 units.*impute"):
        model.score_samples(X)
    assert np.isfinite(model.transform(X)).all()
