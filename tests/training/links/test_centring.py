"""Steps in centred parameters."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array

from sklvm.energies import BernoulliRBMEnergy, GaussianRBMEnergy
from sklvm.kernels import sigmoid, softplus
from sklvm.layouts import ParameterLayout
from sklvm.objectives import (
    NoiseContrastiveEstimation,
    PersistentContrastiveDivergence,
    ScoreMatching,
)
from sklvm.optimizers import SGD, Adam
from sklvm.testing import binary_states
from sklvm.training import Training
from sklvm.training.links import Centring, SparsityTarget, WeightDecay

OPTIMIZERS = [
    SGD(0.5),
    SGD(0.2, momentum=0.9, nesterov=True),
    SGD(0.5, max_gradient_norm=0.05),
    Adam(0.05),
]


class TwoHiddenLayers:
    """log p̃(x, y, z) = xᵀVy + yᵀWz + aᵀx + bᵀy + cᵀz of binary units: three offsets."""

    n_features = 4

    def __init__(self):
        self.layout = ParameterLayout({"V": (4, 3), "W": (3, 2), "a": (4,), "b": (3,), "c": (2,)})
        self.states = binary_states(3)

    def init_parameters(self, X, rng, sample_weight=None):
        return np.zeros(self.layout.size)

    def _given_x(self, theta, X):
        """log p̃(x, y) of all y with z summed out, p(y | x), and E[z | y]."""
        v = self.layout.views(theta)
        log_joint = (X @ v["V"] + v["b"]) @ self.states.T + (X @ v["a"])[:, np.newaxis]
        log_joint += softplus(self.states @ v["W"] + v["c"]).sum(axis=1)
        log_p = np.logaddexp.reduce(log_joint, axis=1)
        return (
            log_p,
            np.exp(log_joint - log_p[:, np.newaxis]),
            sigmoid(self.states @ v["W"] + v["c"]),
        )

    def evaluate(self, theta, X):
        log_p, p, z = self._given_x(theta, X)

        def pullback(w):
            weighted = w[:, np.newaxis] * p
            return -self.layout.pack(
                V=X.T @ weighted @ self.states,
                W=(weighted.sum(axis=0)[:, np.newaxis] * self.states).T @ z,
                a=w @ X,
                b=weighted.sum(axis=0) @ self.states,
                c=weighted.sum(axis=0) @ z,
            )

        return -log_p, pullback

    def infer(self, theta, X, state=None):
        _, p, z = self._given_x(theta, X)
        return X, p @ self.states, p @ z

    def centre_gradient(self, theta, gradient, offsets):
        first, second, third = offsets
        out = self.layout.views(gradient)
        out["V"] -= np.outer(out["a"], second) + np.outer(first, out["b"])
        out["W"] -= np.outer(out["b"], third) + np.outer(second, out["c"])

    def centre_change(self, theta, change, offsets):
        first, second, third = offsets
        out = self.layout.views(change)
        out["a"] -= out["V"] @ second
        out["b"] -= first @ out["V"] + out["W"] @ third
        out["c"] -= second @ out["W"]


def mirrored_machine(energy, theta):
    """The parameters that give 1 − x the energy that the given ones give x."""
    views = energy.layout.views(theta)
    W, a, b = views["weights"], views["visible_bias"], views["hidden_bias"]
    return energy.layout.pack(weights=-W, visible_bias=-a, hidden_bias=b + W.sum(axis=1))


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
def test_flipped_data_give_the_mirrored_model_all_along_the_path(
    optimizer, rng, path_of, exact_likelihood
):
    energy = BernoulliRBMEnergy(5, 3)
    X = (rng.random((40, 5)) < [0.1, 0.2, 0.3, 0.1, 0.9]).astype(np.float64)
    theta = 0.5 * rng.standard_normal(energy.layout.size)
    links = [Centring(energy), WeightDecay(0.01, energy.layout), SparsityTarget(energy, 0.2, 0.1)]
    path = path_of(energy, exact_likelihood, optimizer, X, theta, links)
    mirrored = mirrored_machine(energy, theta)
    flipped = path_of(energy, exact_likelihood, optimizer, 1 - X, mirrored, links)
    assert_allclose(flipped, [mirrored_machine(energy, there) for there in path], atol=1e-9)
    uncentred = path_of(energy, exact_likelihood, optimizer, 1 - X, mirrored)
    assert np.abs(uncentred - flipped).max() > 0.01


@pytest.mark.parametrize("optimizer", [SGD(0.5), Adam(0.05)], ids=str)
def test_a_model_may_have_any_number_of_blocks(optimizer, rng, path_of, exact_likelihood):
    energy = TwoHiddenLayers()
    X = (rng.random((40, 4)) < [0.1, 0.2, 0.3, 0.9]).astype(np.float64)
    theta = 0.5 * rng.standard_normal(energy.layout.size)

    def mirrored(theta):
        v = energy.layout.views(theta)
        return energy.layout.pack(
            V=-v["V"], W=v["W"], a=-v["a"], b=v["b"] + v["V"].sum(axis=0), c=v["c"]
        )

    links = [Centring(energy)]
    path = path_of(energy, exact_likelihood, optimizer, X, theta, links)
    flipped = path_of(energy, exact_likelihood, optimizer, 1 - X, mirrored(theta), links)
    assert np.abs(path[-1] - theta).max() > 0.1
    assert_allclose(flipped, [mirrored(there) for there in path], atol=1e-9)


@pytest.mark.parametrize("sigma", [0.8, "learn", "learn_diagonal"])
def test_shifted_data_give_the_shifted_model_all_along_the_path(sigma, rng, path_of):
    energy = GaussianRBMEnergy(3, 4, sigma)
    X, shift = rng.standard_normal((40, 3)), np.array([5.0, -3.0, 1.0])
    theta = 0.5 * rng.standard_normal(energy.layout.size)

    def shifted(theta):
        theta = theta.copy()
        views = energy.layout.views(theta)
        views["visible_bias"] += shift
        views["hidden_bias"] -= views["weights"] @ (shift / energy.variances(theta))
        return theta

    links = [Centring(energy)]
    path = path_of(energy, ScoreMatching(), Adam(0.02), X, theta, links)
    moved = path_of(energy, ScoreMatching(), Adam(0.02), X + shift, shifted(theta), links)
    assert np.abs(path[-1] - theta).max() > 0.1
    assert_allclose(moved, [shifted(there) for there in path], atol=1e-8)


def a_centred_training(energy, objective, optimizer, X, weights=None):
    weights = np.ones(len(X)) if weights is None else weights
    rng = np.random.default_rng(0)
    return Training(energy, objective, optimizer, X, weights, rng, links=[Centring(energy)])


def test_parameters_of_the_criterion_itself_move_as_ever(rng):
    energy = BernoulliRBMEnergy(4, 2)
    X = (rng.random((30, 4)) < 0.3).astype(np.float64)
    centred = a_centred_training(energy, NoiseContrastiveEstimation(), SGD(0.1), X)
    plain = Training(
        energy, NoiseContrastiveEstimation(), SGD(0.1), X, np.ones(30), np.random.default_rng(0)
    )
    before = centred.theta[-1]
    for training in (centred, plain):
        training.step(X, np.ones(30))
    assert centred.theta[-1] == plain.theta[-1] != before


def test_offsets_follow_the_data_and_pickle_with_the_state(rng):
    energy = BernoulliRBMEnergy(4, 2)
    X = (rng.random((200, 4)) < 0.3).astype(np.float64)
    training = a_centred_training(energy, PersistentContrastiveDivergence(10), SGD(0.01), X)
    ((_, means),) = training.links
    assert_allclose(means.blocks[0], X.mean(axis=0))
    assert_allclose(means.blocks[1], energy.posterior(training.theta, X).mean(axis=0), rtol=1e-12)
    copy = pickle.loads(pickle.dumps(training))
    for each in (training, copy):
        for _ in range(1000):
            each.step(1 - X, np.ones(200))
    assert_allclose(means.blocks[0], 1 - X.mean(axis=0), atol=1e-3)
    assert_array_equal(training.theta, copy.theta)
    # `keep` and `restore` take the offsets along.
    kept = means.blocks[0].copy()
    training.keep()
    training.step(X, np.ones(200))
    training.restore()
    ((_, means),) = training.links
    assert_array_equal(means.blocks[0], kept)


def test_offsets_start_at_weighted_means(rng):
    energy = BernoulliRBMEnergy(4, 2)
    X = (rng.random((30, 4)) < 0.3).astype(np.float64)
    counts = rng.integers(1, 4, 30)
    theta = rng.standard_normal(energy.layout.size)
    weighted = Centring(energy).init(theta, X, counts.astype(np.float64))
    repeated = np.repeat(X, counts, axis=0)
    expected = Centring(energy).init(theta, repeated, np.ones(len(repeated)))
    for mean, other in zip(weighted.blocks, expected.blocks, strict=True):
        assert_allclose(mean, other, rtol=1e-12)
    assert_allclose(weighted.blocks[0], repeated.mean(axis=0), rtol=1e-12)


def test_sparse_rows_train_as_dense_ones_do(rng):
    X = (rng.random((40, 5)) < 0.2).astype(np.float64)
    theta = []
    for data in (X, csr_array(X)):
        training = a_centred_training(
            BernoulliRBMEnergy(5, 3), PersistentContrastiveDivergence(10), SGD(0.1), X
        )
        for rows in (slice(0, 20), slice(20, 40)):
            training.step(data[rows], np.ones(20))
        theta.append(training.theta)
    assert_array_equal(*theta)
