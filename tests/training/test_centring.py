"""Centred parameters, penalties, and rows with missing entries."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array

from sklvm.energies import BernoulliRBMEnergy, GaussianRBMEnergy
from sklvm.objectives import (
    NoiseContrastiveEstimation,
    Objective,
    PersistentContrastiveDivergence,
    ScoreMatching,
)
from sklvm.optimizers import LBFGS, SGD, Adam
from sklvm.testing import binary_states
from sklvm.training import Penalty, Training, starting_rows


class ExactLikelihood(Objective):
    """Minus the mean log-likelihood, by the sum over all states of the visible units."""

    def step(self, energy, theta, X, weights, state, rng):
        states = binary_states(energy.n_features)
        energies, pullback = energy.evaluate(theta.energy, states)
        p = np.exp(-energies - energy.enumerate_log_partition(theta.energy))
        data_energies, data_pullback = energy.evaluate(theta.energy, X)
        value = weights @ data_energies + energy.enumerate_log_partition(theta.energy)
        return float(value), theta.like(data_pullback(weights) - pullback(p)), state


OPTIMIZERS = [
    SGD(0.5),
    SGD(0.2, momentum=0.9, nesterov=True),
    SGD(0.5, max_gradient_norm=0.05),
    Adam(0.05),
]


def train(energy, objective, optimizer, X, theta, n_epochs=40, **options):
    """The energy's parameters after each epoch of four batches, from θ."""
    weights = np.ones(len(X))
    training = Training(
        energy, objective, optimizer, X, weights, np.random.default_rng(0), **options
    )
    training.theta[: len(theta)] = theta
    if training.means is not None:
        training.means = type(training.means).start(energy, theta, X, weights)
    path = []
    for _ in range(n_epochs):
        for rows in np.array_split(np.arange(len(X)), 4):
            training.step(X[rows], weights[rows])
        path.append(training.energy_theta.copy())
    return np.array(path)


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
def test_flipped_data_give_the_mirrored_model_all_along_the_path(optimizer, rng):
    energy = BernoulliRBMEnergy(5, 3)
    X = (rng.random((40, 5)) < [0.1, 0.2, 0.3, 0.1, 0.9]).astype(np.float64)
    theta = 0.5 * rng.standard_normal(energy.layout.size)

    def mirrored(theta):
        views = energy.layout.views(theta)
        W, a, b = views["weights"], views["visible_bias"], views["hidden_bias"]
        return energy.layout.pack(weights=-W, visible_bias=-a, hidden_bias=b + W.sum(axis=1))

    penalty = Penalty(weight_decay=0.01, sparsity_target=0.2, sparsity_cost=0.1)
    options = {"penalty": penalty, "centred": True}
    path = train(energy, ExactLikelihood(), optimizer, X, theta, **options)
    flipped = train(energy, ExactLikelihood(), optimizer, 1 - X, mirrored(theta), **options)
    assert_allclose(flipped, [mirrored(there) for there in path], atol=1e-9)
    uncentred = train(energy, ExactLikelihood(), optimizer, 1 - X, mirrored(theta))
    assert np.abs(uncentred - flipped).max() > 0.01


@pytest.mark.parametrize("sigma", [0.8, "learn", "learn_diagonal"])
def test_shifted_data_give_the_shifted_model_all_along_the_path(sigma, rng):
    energy = GaussianRBMEnergy(3, 4, sigma)
    X, shift = rng.standard_normal((40, 3)), np.array([5.0, -3.0, 1.0])
    theta = 0.5 * rng.standard_normal(energy.layout.size)

    def shifted(theta):
        theta = theta.copy()
        views = energy.layout.views(theta)
        views["visible_bias"] += shift
        views["hidden_bias"] -= views["weights"] @ (shift / energy.variances(theta))
        return theta

    path = train(energy, ScoreMatching(), Adam(0.02), X, theta, centred=True)
    moved = train(energy, ScoreMatching(), Adam(0.02), X + shift, shifted(theta), centred=True)
    assert np.abs(path[-1] - theta).max() > 0.1
    assert_allclose(moved, [shifted(there) for there in path], atol=1e-8)


def test_parameters_of_the_criterion_itself_move_as_ever(rng):
    energy = BernoulliRBMEnergy(4, 2)
    X = (rng.random((30, 4)) < 0.3).astype(np.float64)
    training = Training(
        energy,
        NoiseContrastiveEstimation(),
        SGD(0.1),
        X,
        np.ones(30),
        np.random.default_rng(0),
        centred=True,
    )
    before = training.theta[-1]
    training.step(X, np.ones(30))
    assert training.theta[-1] != before


def test_offsets_follow_the_data_and_pickle_with_the_state(rng):
    energy = BernoulliRBMEnergy(4, 2)
    X = (rng.random((200, 4)) < 0.3).astype(np.float64)
    training = Training(
        energy,
        PersistentContrastiveDivergence(10),
        SGD(0.01),
        X,
        np.ones(200),
        np.random.default_rng(0),
        centred=True,
    )
    assert_allclose(training.means.visible, X.mean(axis=0))
    assert_allclose(
        training.means.hidden, energy.posterior(training.theta, X).mean(axis=0), rtol=1e-12
    )
    copy = pickle.loads(pickle.dumps(training))
    for each in (training, copy):
        for _ in range(1000):
            each.step(1 - X, np.ones(200))
    assert_allclose(training.means.visible, 1 - X.mean(axis=0), atol=1e-3)
    assert_array_equal(training.theta, copy.theta)
    # `keep` and `restore` take the offsets along.
    kept = training.means.visible.copy()
    training.keep()
    training.step(X, np.ones(200))
    training.restore()
    assert_array_equal(training.means.visible, kept)


def test_weight_decay_adds_its_gradient_and_its_value(rng):
    energy = GaussianRBMEnergy(3, 2, 1.0)
    theta = rng.standard_normal(energy.layout.size)
    value, gradient = Penalty(0.5).add(energy, theta, 1.0, np.zeros_like(theta), None)
    W = energy.layout.views(theta)["weights"]
    assert value == pytest.approx(1 + 0.25 * (W**2).sum())
    assert_allclose(energy.layout.views(gradient)["weights"], 0.5 * W)
    assert not energy.layout.views(gradient)["visible_bias"].any()


def test_a_sparsity_target_pulls_the_activity_of_hidden_units_to_it(rng):
    energy = BernoulliRBMEnergy(6, 4)
    X = (rng.random((100, 6)) < 0.5).astype(np.float64)
    theta = 0.1 * rng.standard_normal(energy.layout.size)
    penalty = Penalty(sparsity_target=0.1, sparsity_cost=1.0)
    path = train(energy, ExactLikelihood(), SGD(0.1), X, theta, 400, centred=True, penalty=penalty)
    assert energy.posterior(path[-1], X).mean(axis=0) == pytest.approx(0.1, abs=0.03)


def test_a_sparsity_target_needs_batches(rng):
    with pytest.raises(ValueError, match=r"sparsity_target=0\.1.*LBFGS needs all rows"):
        Training(
            GaussianRBMEnergy(3, 2),
            ScoreMatching(),
            LBFGS(),
            rng.standard_normal((20, 3)),
            np.ones(20),
            rng,
            penalty=Penalty(sparsity_target=0.1),
        )


# -- sparse rows and missing entries --------------------------------------------------------------


def test_missing_entries_are_drawn_given_the_others(rng):
    # The gradient is that of the observed entries' likelihood, in expectation.
    energy = BernoulliRBMEnergy(3, 2)
    theta = rng.standard_normal(energy.layout.size)
    x = np.tile([[1.0, np.nan, 0.0]], (4000, 1))

    class Keeper(Objective):
        def step(self, energy, theta, X, weights, state, rng):
            self.seen = X
            return None, theta.like(np.zeros_like(theta.energy)), state

    objective = Keeper()
    training = Training(energy, objective, SGD(), np.eye(3), np.ones(3), np.random.default_rng(0))
    training.theta[:] = theta
    training.step(x, np.ones(4000))
    assert np.isnan(x[:, 1]).all()
    assert_array_equal(objective.seen[:, [0, 2]], x[:, [0, 2]])
    energies = energy.evaluate(theta, np.array([[1.0, 0.0, 0.0], [1.0, 1.0, 0.0]]))[0]
    expected = 1 / (1 + np.exp(energies[1] - energies[0]))
    assert objective.seen[:, 1].mean() == pytest.approx(expected, abs=0.04)


def test_sparse_rows_train_as_dense_ones_do(rng):
    X = (rng.random((40, 5)) < 0.2).astype(np.float64)
    theta = []
    for data in (X, csr_array(X)):
        training = Training(
            BernoulliRBMEnergy(5, 3),
            PersistentContrastiveDivergence(10),
            SGD(0.1),
            X,
            np.ones(40),
            np.random.default_rng(0),
            centred=True,
        )
        for rows in (slice(0, 20), slice(20, 40)):
            training.step(data[rows], np.ones(20))
        theta.append(training.theta)
    assert_array_equal(*theta)


def test_starting_rows_are_dense_and_complete(rng):
    X = rng.random((50, 3))
    weights = np.ones(50)
    assert starting_rows(X, weights, rng)[0] is X
    assert_array_equal(starting_rows(csr_array(X), weights, rng)[0], X)
    many = csr_array(np.repeat(np.eye(3), 2000, axis=0))
    rows, row_weights = starting_rows(many, np.ones(6000), rng)
    assert rows.shape == (5000, 3)
    assert row_weights.shape == (5000,)
    gaps = X.copy()
    gaps[rng.random(X.shape) < 0.4] = np.nan
    filled, _ = starting_rows(gaps, weights, rng)
    assert_array_equal(filled[~np.isnan(gaps)], gaps[~np.isnan(gaps)])
    assert all(np.isin(filled[:, j], gaps[:, j]).all() for j in range(3))
    gaps[:, 1] = np.nan
    with pytest.raises(ValueError, match=r"Features \[1\] have no observed value"):
        starting_rows(gaps, weights, rng)
