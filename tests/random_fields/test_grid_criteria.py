"""What grid fields are trained by, against enumeration and finite differences."""

from itertools import product

import numpy as np
import pytest
from scipy.optimize import approx_fprime
from scipy.special import logsumexp

from sklvm.random_fields._grid_contrastive_divergence import GridContrastiveDivergence
from sklvm.random_fields._grid_likelihood import GridLikelihood
from sklvm.random_fields._grid_potentials import GridPotentials
from sklvm.random_fields._grid_pseudo_likelihood import GridPseudoLikelihood
from sklvm.random_fields._grid_surrogate_likelihood import GridSurrogateLikelihood
from sklvm.random_fields.inference import BeliefPropagation, Exact, MeanField

KINDS = [("potts", 4, 1), ("potts", 8, 2), ("full", 4, 1), ("full", 8, 2)]


@pytest.fixture(params=KINDS, ids=lambda k: f"{k[0]}, {k[1]} neighbours, {k[2]} edge features")
def problem(request, rng):
    """Potentials, data with two unlabelled pixels, and θ; 4 images of 2 × 3 pixels, 3 labels."""
    pairwise, neighbourhood, n_edge_features = request.param
    potentials = GridPotentials((2, 3), neighbourhood, 3, 2, n_edge_features, pairwise)
    n_images = 1 if n_edge_features == 1 else 4
    edges = rng.random((n_images, potentials.graph.n_edges, n_edge_features))
    labels = rng.integers(3, size=(4, 6))
    labels[0, 2] = labels[3, 5] = -1
    data = (rng.standard_normal((4, 6, 2)), edges, labels, np.array([1.0, 2.0, 0.5, 1.0]))
    return potentials, data, 0.5 * rng.standard_normal(potentials.layout.size)


def log_weight(potentials, theta, features, edge_features, y):
    """log P̃(y|x), written out edge by edge."""
    parts = potentials.layout.views(theta)
    total = sum(
        (f @ parts["weights"] + parts["intercept"])[a] for f, a in zip(features, y, strict=True)
    )
    width = 3
    for (s, t), g in zip(potentials.graph.edges, edge_features, strict=True):
        if potentials.is_potts:
            total -= (y[s] != y[t]) * (g @ parts["coupling"])
        else:
            step = (t // width - s // width, t % width - s % width)
            direction = [(0, 1), (1, 0), (1, 1), (1, -1)].index(step)
            total += g @ parts["coupling"][direction, :, y[s], y[t]]
    return total


def edges_of(data, i):
    return data[1][i if len(data[1]) > 1 else 0]


def consistent(labels):
    """All label images that agree with the labelled pixels."""
    return product(*[range(3) if label < 0 else [label] for label in labels])


def log_likelihood(potentials, data, theta, i):
    def total(images):
        return logsumexp(
            [log_weight(potentials, theta, data[0][i], edges_of(data, i), y) for y in images]
        )

    return total(consistent(data[2][i])) - total(product(range(3), repeat=6))


def n_labelled(data):
    return data[3] @ (data[2] >= 0).sum(axis=1)


def test_the_likelihood_is_that_of_enumeration_and_its_gradient_the_difference(problem):
    potentials, data, theta = problem
    criterion = GridLikelihood(potentials, Exact().elimination(potentials.graph, 3), *data)
    value, gradient = criterion(theta)
    each = [log_likelihood(potentials, data, theta, i) for i in range(4)]
    assert value == pytest.approx(-(data[3] @ each) / n_labelled(data))
    np.testing.assert_allclose(criterion.log_likelihood(theta), each)
    differences = approx_fprime(theta, lambda t: criterion(t)[0], 1e-6)
    np.testing.assert_allclose(gradient, differences, atol=1e-5)


def test_the_pseudo_likelihood_is_that_of_conditionals(problem):
    """Of labelled pixels, given labelled neighbours: the field of the labelled pixels alone."""
    potentials, data, theta = problem
    value, gradient = (criterion := GridPseudoLikelihood(potentials, *data))(theta)
    total = 0.0
    for i in range(4):
        labels, known = data[2][i], data[2][i] >= 0
        # Edges of unlabelled pixels are taken away by features of 0.
        kept = known[potentials.graph.edges].all(axis=1)
        edge_features = edges_of(data, i) * kept[:, np.newaxis]
        for s in np.flatnonzero(known):
            scores = []
            for a in range(3):
                y = np.where(known, labels, 0)
                y[s] = a
                scores.append(log_weight(potentials, theta, data[0][i], edge_features, y))
            total -= data[3][i] * (scores[labels[s]] - logsumexp(scores))
    assert value == pytest.approx(total / n_labelled(data))
    differences = approx_fprime(theta, lambda t: criterion(t)[0], 1e-6)
    np.testing.assert_allclose(gradient, differences, atol=1e-5)


@pytest.mark.parametrize(
    "method",
    [BeliefPropagation(True, tol=1e-11), BeliefPropagation(tol=1e-11), MeanField(tol=1e-11)],
)
def test_marginals_are_the_gradient_of_every_log_z(problem, method):
    potentials, data, theta = problem
    theta = 0.3 * theta  # where all of them converge to one solution
    criterion = GridSurrogateLikelihood(potentials, method, *data)
    gradient = criterion(theta)[1]
    differences = approx_fprime(theta, lambda t: criterion(t)[0], 1e-5)
    np.testing.assert_allclose(gradient, differences, atol=2e-5)


def test_the_tree_reweighted_likelihood_is_a_lower_bound(problem):
    potentials, data, theta = problem
    complete = (data[0], data[1], np.abs(data[2]), data[3])
    exact = GridLikelihood(potentials, Exact().elimination(potentials.graph, 3), *complete)
    bound = GridSurrogateLikelihood(potentials, BeliefPropagation(True, tol=1e-10), *complete)
    assert bound(theta)[0] >= exact(theta)[0] - 1e-8


def test_long_chains_have_the_gradient_of_the_likelihood(problem):
    potentials, data, theta = problem
    copies = 400
    many = (
        np.tile(data[0], (copies, 1, 1)),
        data[1] if len(data[1]) == 1 else np.tile(data[1], (copies, 1, 1)),
        np.tile(data[2], (copies, 1)),
        np.tile(data[3], copies),
    )
    chains = GridContrastiveDivergence(potentials, *many, n_steps=20, is_persistent=False, seed=1)
    exact = GridLikelihood(potentials, Exact().elimination(potentials.graph, 3), *data)(theta)[1]
    drawn = chains.gradient(theta, np.arange(4 * copies))
    np.testing.assert_allclose(drawn, exact, atol=0.03)


def test_persistent_chains_go_on_and_others_start_anew(problem):
    potentials, data, theta = problem
    for is_persistent in (True, False):
        chains = GridContrastiveDivergence(
            potentials, *data, n_steps=1, is_persistent=is_persistent, seed=0
        )
        for _ in range(30):
            chains.gradient(10 * theta, np.arange(4))
        # With strong potentials one sweep from the labels is nearer to them than thirty.
        known = data[2] >= 0
        np.testing.assert_array_equal(chains._seen[known], data[2][known])
        if is_persistent:
            before = chains._chains.copy()
            chains._n_steps = 0
            chains.gradient(theta, np.arange(4))
            np.testing.assert_array_equal(chains._chains, before)
