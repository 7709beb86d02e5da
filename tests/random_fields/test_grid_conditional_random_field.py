"""Grid fields: recovered parameters, logistic regression, inference, unlabelled pixels, errors."""

from itertools import product

import numpy as np
import pytest
from scipy.special import logsumexp
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.preprocessing import FunctionTransformer

from sklvm import GridConditionalRandomField
from sklvm.objectives import ContrastiveDivergence
from sklvm.random_fields._grid_potentials import GridPotentials
from sklvm.random_fields.inference import BeliefPropagation, Exact, MeanField


@pytest.fixture(scope="module")
def blocks():
    """Noisy images of 6 × 6 pixels in blocks of 3 × 3: X, y."""
    rng = np.random.default_rng(0)
    y = np.kron(rng.integers(2, size=(30, 2, 2)), np.ones((3, 3), dtype=int)).reshape(30, 36)
    return y + 0.8 * rng.standard_normal(y.shape), y


@pytest.fixture(scope="module")
def small():
    """A fitted field of 2 × 3 pixels with 3 labels, two channels, full tables; its X and y."""
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((20, 12)), np.array(["a", "b", "c"])[rng.integers(3, size=(20, 6))]
    model = GridConditionalRandomField((2, 3), pairwise="full", contrast=True, alpha=0.5)
    return model.fit(X, y), X, y


def all_images(model, x):
    """All label images of one image, and their log-probabilities by their own sum."""
    states = np.array(list(product(range(3), repeat=6)))
    images = model.classes_[states]
    log_p = -np.array([model.energy(x[np.newaxis], y[np.newaxis])[0] for y in images])
    return states, images, log_p - logsumexp(log_p)


def test_labels_probabilities_and_likelihoods_are_those_of_enumeration(small):
    model, X, y = small
    states, images, log_p = all_images(model, X[3])
    marginals = np.einsum("n,nsa->sa", np.exp(log_p), np.eye(3)[states])
    np.testing.assert_allclose(model.predict_proba(X[3:4])[0], marginals, atol=1e-10)
    np.testing.assert_array_equal(model.predict(X[3:4])[0], images[log_p.argmax()])
    observed = np.all(images == y[3], axis=1)
    values, bound = model.log_likelihood(X[3:4], y[3:4], return_bound=True)
    assert bound == "exact"
    assert values[0] == pytest.approx(log_p[observed].item())


def test_each_decision_is_the_best_by_its_own_measure(small):
    model, X, _ = small
    by_energy = model.predict(X)
    by_marginal = model.predict(X, decision="marginal")
    assert np.all(model.energy(X, by_energy) <= model.energy(X, by_marginal) + 1e-12)
    labels = np.searchsorted(model.classes_, by_marginal)
    np.testing.assert_array_equal(labels, model.predict_proba(X).argmax(axis=2))


@pytest.mark.parametrize("objective", ["mle", "pseudo_likelihood"])
def test_images_of_one_pixel_are_logistic_regression(rng, objective):
    X = rng.standard_normal((80, 3))
    y = (X @ rng.standard_normal((3, 3)) + rng.gumbel(size=(80, 3))).argmax(axis=1)
    model = GridConditionalRandomField(objective=objective, alpha=2.0, tol=1e-8).fit(X, y)
    other = LogisticRegression(C=0.5, tol=1e-8).fit(X, y)
    np.testing.assert_allclose(model.coef_, other.coef_, atol=1e-4)
    np.testing.assert_allclose(model.predict_proba(X), other.predict_proba(X), atol=1e-5)
    np.testing.assert_array_equal(model.predict(X), other.predict(X))


def test_without_coupling_pixels_are_rows_of_logistic_regression(rng, blocks):
    X, y = blocks
    model = GridConditionalRandomField((6, 6), objective="pseudo_likelihood", coupling_alpha=1e12)
    model.fit(X, y)
    other = LogisticRegression(C=2.0, tol=1e-8).fit(X.reshape(-1, 1), y.ravel())
    p = other.predict_proba(X.reshape(-1, 1)).reshape(30, 36, 2)
    np.testing.assert_allclose(model.predict_proba(X), p, atol=1e-4)


@pytest.mark.parametrize("objective", ["mle", "pseudo_likelihood", "pcd"])
def test_the_coupling_is_found_from_exact_draws_at_the_rate_of_maximum_likelihood(objective):
    """θ* = 0.9 on 3 × 3 pixels; the error has slope −½ in the number of images."""
    rng = np.random.default_rng(0)
    truth = GridPotentials((3, 3), 4, 2, 1, 1, "potts")
    theta = truth.layout.pack(weights=[[-0.5, 0.5]], coupling=[0.9], intercept=[0.2, -0.2])
    elimination = Exact().elimination(truth.graph, 2)
    tables = -truth.pair(theta, np.ones((1, truth.graph.n_edges, 1)))

    def error(n):
        # The same images of features again and again: draws for one image come all at once.
        X = np.repeat(rng.standard_normal((10, 9)), n // 10, axis=0)
        unary = -truth.unary(theta, X[:: n // 10, :, np.newaxis])
        draws = [elimination.sample(u[np.newaxis], tables, n // 10, rng) for u in unary]
        model = GridConditionalRandomField(
            (3, 3), objective=objective, alpha=0.0, max_iter=40, batch_size=100, random_state=0
        )
        return abs(model.fit(X, np.concatenate(draws)).coupling_[0] - 0.9)

    assert error(300) < 0.2
    if objective != "pcd":
        few, many = (np.mean([error(n) for _ in range(12)]) for n in (50, 500))
        assert np.log(many / few) / np.log(500 / 50) == pytest.approx(-0.5, abs=0.25)


def test_neighbours_help(blocks):
    X, y = blocks
    model = GridConditionalRandomField((6, 6)).fit(X[:20], y[:20])
    alone = LogisticRegression().fit(X[:20].reshape(-1, 1), y[:20].ravel())
    error = 1 - model.score(X[20:], y[20:])
    assert error < 0.5 * (1 - alone.score(X[20:].reshape(-1, 1), y[20:].ravel()))
    assert model.coupling_[0] > 1


@pytest.mark.parametrize(
    "parameters",
    [
        {"inference": "belief_propagation"},
        {"inference": BeliefPropagation(True, damping=0.2)},
        {"objective": "pcd", "random_state": 0, "max_iter": 100},
        {"objective": ContrastiveDivergence(20), "random_state": 0, "max_iter": 100},
    ],
    ids=str,
)
def test_other_ways_to_train_come_close_to_the_exact_likelihood(blocks, parameters):
    X, y = blocks
    exact = GridConditionalRandomField((6, 6)).fit(X, y)
    other = GridConditionalRandomField((6, 6), **parameters).fit(X, y)
    achieved = other.log_likelihood(X, y, inference="auto").mean()
    assert achieved > exact.log_likelihood(X, y).mean() - 2


def test_tables_learn_what_a_potts_model_cannot(rng):
    """Vertical stripes: neighbours to the right differ, neighbours below are alike."""
    y = (np.arange(6) + rng.integers(2, size=(30, 1, 1))) % 2 * np.ones((1, 5, 1), dtype=int)
    y = np.broadcast_to(y, (30, 5, 6)).reshape(30, 30)
    X = y + 1.5 * rng.standard_normal(y.shape)
    errors = [
        1
        - GridConditionalRandomField((5, 6), pairwise=kind)
        .fit(X[:15], y[:15])
        .score(X[15:], y[15:])
        for kind in ("potts", "full")
    ]
    assert errors[1] < 0.02 < 0.2 < errors[0]


def test_contrast_lets_labels_change_where_the_image_does(rng):
    """Regions of random grey, whose label the grey does not tell: only edges carry it."""
    y = np.kron(rng.integers(2, size=(40, 1, 3)), np.ones((3, 3), dtype=int)).reshape(40, 27)
    grey = np.kron(8 * rng.standard_normal((40, 1, 3)), np.ones((3, 3))).reshape(40, 27)
    hint = y + 1.5 * rng.standard_normal(y.shape)
    X = np.stack([grey, hint], axis=2).reshape(40, 54)
    models = [
        GridConditionalRandomField((3, 9), contrast=contrast).fit(X[:25], y[:25])
        for contrast in (False, True)
    ]
    assert models[1].score(X[25:], y[25:]) > models[0].score(X[25:], y[25:])
    assert models[1].coupling_[1] > 0
    assert models[1].n_channels_ == 2


def test_unlabelled_pixels_are_summed_out(small):
    model, X, y = small
    y = np.searchsorted(model.classes_, y)
    model = GridConditionalRandomField((2, 3), pairwise="full").fit(X, y)
    partly = y[:1].copy()
    partly[0, [1, 4]] = -1
    total = []
    for a, b in product(range(3), repeat=2):
        complete = partly.copy()
        complete[0, [1, 4]] = a, b
        total.append(model.log_likelihood(X[:1], complete)[0])
    assert model.log_likelihood(X[:1], partly)[0] == pytest.approx(logsumexp(total))
    # All possible images have probability 1.
    assert model.log_likelihood(X[:1], np.full((1, 6), -1))[0] == pytest.approx(0, abs=1e-10)


@pytest.mark.parametrize("objective", ["mle", "pseudo_likelihood", "pcd"])
def test_training_on_some_pixels_finds_what_training_on_all_does(blocks, objective, rng):
    X, y = blocks
    hidden = np.where(rng.random(y.shape) < 0.3, -1, y)
    model = GridConditionalRandomField((6, 6), objective=objective, random_state=0).fit(X, hidden)
    full = GridConditionalRandomField((6, 6), objective=objective, random_state=0).fit(X, y)
    np.testing.assert_allclose(model.coupling_, full.coupling_, rtol=0.35)
    known = hidden >= 0
    share = np.mean((model.predict(X) == y)[known])
    assert model.score(X, hidden) == pytest.approx(share)


def test_a_wide_grid_has_a_lower_bound_of_the_likelihood(small):
    model, X, y = small
    exact = model.log_likelihood(X, y)
    for inference, kind, sign in (
        (BeliefPropagation(True, damping=0.3), "lower", -1),
        (MeanField(), "upper", 1),
    ):
        values, bound = model.log_likelihood(X, y, inference=inference, return_bound=True)
        assert bound == kind
        assert np.all(sign * (values - exact) >= -1e-6)


def test_features_are_made_by_a_transformer(blocks):
    X, y = blocks
    squares = FunctionTransformer(lambda X: np.stack([X, X**2], axis=2).reshape(len(X), -1))
    model = GridConditionalRandomField((6, 6), features=squares).fit(X, y)
    assert model.coef_.shape == (2, 2)
    both = np.stack([X, X**2], axis=2).reshape(30, 72)
    other = GridConditionalRandomField((6, 6), n_channels=2).fit(both, y)
    np.testing.assert_allclose(model.coef_, other.coef_)


def test_a_heavier_image_is_one_seen_more_often(blocks):
    X, y = blocks
    for objective in ("mle", "pseudo_likelihood"):
        weighted = GridConditionalRandomField((6, 6), objective=objective)
        weighted.fit(X[:6], y[:6], sample_weight=[2, 1, 1, 0, 1, 1])
        rows = [0, 0, 1, 2, 4, 5]
        repeated = GridConditionalRandomField((6, 6), objective=objective).fit(X[rows], y[rows])
        np.testing.assert_allclose(weighted.coupling_, repeated.coupling_, atol=1e-4)
        np.testing.assert_allclose(weighted.coef_, repeated.coef_, atol=1e-4)


def test_a_search_over_the_coupling_penalty(blocks):
    X, y = blocks
    search = GridSearchCV(
        GridConditionalRandomField((6, 6), objective="pseudo_likelihood"),
        {"coupling_alpha": [1.0, 100.0], "inference": ["icm", "mean_field"]},
        cv=3,
    ).fit(X, y)
    assert search.best_params_["coupling_alpha"] == 100.0
    model = GridConditionalRandomField().set_params(inference="gibbs", inference__n_sweeps=7)
    assert model.get_params()["inference__n_sweeps"] == 7


def test_single_precision_is_kept(blocks):
    X, y = blocks
    model = GridConditionalRandomField((6, 6)).fit(X.astype(np.float32), y)
    assert model.coef_.dtype == model.predict_proba(X.astype(np.float32)).dtype == np.float32
    assert model.log_likelihood(X.astype(np.float32), y).dtype == np.float32


@pytest.mark.parametrize(
    ("parameters", "change", "message"),
    [
        (
            {"image_shape": (5, 6)},
            None,
            r"image_shape=\(5, 6\) has 30 pixels, and the data have 36",
        ),
        ({"image_shape": (8,)}, None, r"two positive integers \(height, width\), got \(8,\)"),
        ({"n_channels": 2}, None, "X has 36 columns: not 36 pixels × n_channels=2"),
        ({"n_labels": 1}, None, "labels 0 to n_labels - 1 = 0, and -1 .* got 1"),
        ({"neighbourhood": 6}, None, "neighbourhood must be 4 or 8, got 6"),
        ({"decision": "marginal", "inference": "graph_cut"}, None, "GraphCut has none"),
        ({"inference": "icm"}, None, "IteratedConditionalModes does not have"),
        ({"inference": Exact(16)}, None, "max_states=16"),
        ({}, lambda y: np.full_like(y, -1), "no labelled pixel"),
        ({}, lambda y: y[:5], "a row for each of the 30 of X"),
        ({}, lambda y: y + 0.5, "continuous values"),
    ],
)
def test_what_does_not_fit_is_refused_before_any_work(blocks, parameters, change, message):
    X, y = blocks
    model = GridConditionalRandomField(**{"image_shape": (6, 6), **parameters})
    with pytest.raises(ValueError, match=message):
        model.fit(X, y if change is None else change(y))
    assert not hasattr(model, "coef_")


def test_labels_that_were_not_seen_and_cuts_that_cannot_be(blocks, rng):
    X, y = blocks
    model = GridConditionalRandomField((6, 6)).fit(X, y)
    with pytest.raises(ValueError, match="label 2, which is none of"):
        model.energy(X, y + 1)
    with pytest.raises(ValueError, match=r"shape \(30, 36\), a label a pixel, got \(30, 35\)"):
        model.score(X, y[:, 1:])
    alternating = np.tile(np.indices((6, 6)).sum(axis=0).ravel() % 2, (30, 1))
    model = GridConditionalRandomField((6, 6)).fit(rng.standard_normal((30, 36)), alternating)
    assert model.coupling_[0] < 0
    with pytest.raises(ValueError, match="submodular"):
        model.predict(X, inference="graph_cut")
    with pytest.raises(ValueError, match="decision must be 'energy' or 'marginal', got 'mode'"):
        model.predict(X, decision="mode")
