"""Constraints on parameters, on a small energy: E(x) = ½(x − m)ᵀΛ(x − m) − ½ log |Λ|."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklvm.layouts import ParameterLayout
from sklvm.objectives import Objective
from sklvm.optimizers import SGD, Adam
from sklvm.training import Training
from sklvm.training.links import Projection, ShortenedStep


class Distance(Objective):
    """½‖θ − t‖², the rows of X being copies of the target t."""

    def step(self, energy, theta, X, weights, state, rng):
        residual = theta.energy - weights @ X
        return 0.5 * float(residual @ residual), theta.like(residual), state


class Point:
    """θ is a matrix P with three rows and a vector q; it starts at given numbers."""

    n_features = 8

    def __init__(self, start):
        self.layout = ParameterLayout({"P": (3, 2), "q": (2,)})
        self.start = start

    def init_parameters(self, X, rng, sample_weight=None):
        return self.start.copy()


def non_negative(views):
    np.maximum(views["P"], 0, out=views["P"])


def unit_rows(views):
    views["P"] /= np.linalg.norm(views["P"], axis=1, keepdims=True)


def settle(optimizer, target, start, link, n_steps=500):
    X, energy = np.tile(target, (2, 1)), Point(start)
    training = Training(
        energy, Distance(), optimizer, X, np.ones(2), np.random.default_rng(0), links=[link]
    )
    path = [training.theta.copy()]
    for _ in range(n_steps):
        training.step(X, np.ones(2))
        path.append(training.theta.copy())
    return np.array(path)


@pytest.mark.parametrize("optimizer", [SGD(0.1), SGD(0.1, momentum=0.5), Adam(0.02)], ids=str)
def test_descent_ends_at_the_nearest_point_that_is_allowed(optimizer, rng):
    target, start = rng.standard_normal(8), rng.standard_normal(8)
    assert (target[:6] < 0).any()
    layout = Point(start).layout
    path = settle(optimizer, target, start, Projection(layout, non_negative, "P ≥ 0"))
    assert np.all(path[:, :6] >= 0)
    assert_array_equal(path[0, 6:], start[6:])
    assert_allclose(path[-1], np.append(np.maximum(target[:6], 0), target[6:]), atol=1e-3)


def test_rows_of_unit_norm_end_in_the_direction_of_their_targets(rng):
    target, start = rng.standard_normal(8), rng.standard_normal(8)
    layout = Point(start).layout
    path = settle(SGD(0.2), target, start, Projection(layout, unit_rows, "unit norms"), 1500)
    rows = path[:, :6].reshape(-1, 3, 2)
    assert_allclose(np.linalg.norm(rows, axis=2), 1, rtol=1e-12)
    directions = target[:6].reshape(3, 2)
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    assert_allclose(rows[-1], directions, atol=1e-6)


class MaskedGaussian:
    """E(x) of a Gaussian of mean 0, Λ having no entry between x₁ and x₃, nor x₁ and x₄."""

    n_features = 4
    pattern = np.array([[1, 1, 0, 0], [1, 1, 1, 1], [0, 1, 1, 1], [0, 1, 1, 1]])

    def __init__(self):
        self.rows, self.columns = np.nonzero(np.triu(self.pattern))
        self.layout = ParameterLayout({"entries": (len(self.rows),)})

    def init_parameters(self, X, rng, sample_weight=None):
        return (self.rows == self.columns).astype(np.float64)

    def precision(self, entries):
        upper = np.zeros((4, 4))
        upper[self.rows, self.columns] = entries
        return upper + np.triu(upper, 1).T

    def is_positive_definite(self, views):
        try:
            np.linalg.cholesky(self.precision(views["entries"]))
        except np.linalg.LinAlgError:
            return False
        return True


class GaussianLikelihood(Objective):
    def step(self, energy, theta, X, weights, state, rng):
        covariance = (weights[:, np.newaxis] * X).T @ X
        precision = energy.precision(theta.energy)
        sign, log_determinant = np.linalg.slogdet(precision)
        assert sign > 0
        slope = 0.5 * (covariance - np.linalg.inv(precision))
        counts = np.where(energy.rows == energy.columns, 1, 2)
        value = 0.5 * (np.vdot(precision, covariance) - log_determinant)
        gradient = counts * slope[energy.rows, energy.columns]
        return float(value), theta.like(gradient), state


OPTIMIZERS = [SGD(1.0, schedule="linear", max_gradient_norm=1.0), Adam(1.0, schedule="linear")]


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
def test_a_masked_precision_stays_positive_definite_and_reaches_the_optimum(optimizer, rng):
    energy = MaskedGaussian()
    X = rng.standard_normal((200, 4)) + 2 * rng.standard_normal((200, 1))
    X /= np.sqrt(np.mean(X**2, axis=0))
    made = {}
    for links in ([], [ShortenedStep(energy.layout, energy.is_positive_definite, "Λ > 0")]):
        training = Training(
            energy, GaussianLikelihood(), optimizer, X, np.ones(200), rng, links=links
        )
        training.plan(3000)
        try:
            for _ in range(3000):
                training.step(X, np.ones(200))
        except AssertionError:
            continue
        made[len(links)] = energy.precision(training.theta)
    # Without the link, a step leaves the positive definite matrices.
    assert made.keys() == {1}
    covariance, inverse = X.T @ X / 200, np.linalg.inv(made[1])
    # Maximum likelihood: the covariances agree wherever the pattern has an entry (Dempster, 1972).
    inside = energy.pattern.astype(bool)
    assert_allclose(inverse[inside], covariance[inside], atol=1e-3)


def test_a_start_outside_is_refused():
    link = ShortenedStep(Point(np.zeros(8)).layout, lambda views: False, "Λ > 0")
    with pytest.raises(ValueError, match="starts where Λ > 0 does not hold"):
        link.init(np.zeros(8), None, None)


def test_where_no_part_of_a_step_is_allowed_none_is_made():
    link = ShortenedStep(Point(np.zeros(8)).layout, lambda views: not views["q"].any(), "q = 0")
    change = np.ones(8)
    link.move(np.zeros(8), change, None)
    assert_array_equal(change, 0)
