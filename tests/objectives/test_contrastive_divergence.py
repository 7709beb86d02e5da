"""CD and PCD against the gradient of the likelihood, by enumeration."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone

from sklvm import BernoulliRBM
from sklvm.energies import BernoulliRBMEnergy
from sklvm.objectives import (
    OBJECTIVES,
    ContrastiveDivergence,
    PersistentContrastiveDivergence,
)
from sklvm.testing import ExactDistribution, FlatObjective, binary_states, random_parameters

ENERGY = BernoulliRBMEnergy(4, 3)
X = np.array([[0, 0, 1, 1], [1, 0, 1, 0], [1, 1, 1, 0], [0, 0, 0, 0], [1, 1, 1, 1]], dtype=float)
WEIGHTS = np.array([1, 2, 1, 3, 1]) / 8


@pytest.fixture
def theta(rng):
    return random_parameters(ENERGY, rng, scale=1.0)


def expected_energy_slope(theta, states, probabilities):
    """E[∂E/∂θ] over a distribution on the states."""
    return ENERGY.evaluate(theta, states)[1](probabilities)


def likelihood_gradient(theta):
    """Of the mean of −log p(x) over the data, by enumeration of the model."""
    distribution = ExactDistribution(ENERGY, theta, X)
    return expected_energy_slope(theta, X, WEIGHTS) - expected_energy_slope(
        theta, distribution.points, distribution.probabilities
    )


def distribution_after_sweeps(theta, start_probabilities, n_sweeps):
    """Probabilities of all visible states after sweeps from given ones, by enumeration."""
    visible, hidden = binary_states(4), binary_states(3)
    log_joint = np.stack(
        [-ENERGY.evaluate_joint(theta, visible, np.tile(z, (16, 1)))[0] for z in hidden], axis=1
    )
    joint = np.exp(log_joint)
    to_hidden = joint / joint.sum(axis=1, keepdims=True)
    to_visible = (joint / joint.sum(axis=0)).T
    return start_probabilities @ np.linalg.matrix_power(to_hidden @ to_visible, n_sweeps)


def data_distribution():
    visible = binary_states(4)
    return np.array([WEIGHTS[np.all(X == x, axis=1)].sum() for x in visible])


def assert_mean_is(gradients, expected):
    deviation = np.std(gradients, axis=0) / np.sqrt(len(gradients))
    assert np.all(np.abs(np.mean(gradients, axis=0) - expected) < 5 * deviation + 1e-12)


def cd_gradients(theta, n_steps, rng):
    """Draws of the gradient, each with 200 chains from every row."""
    rows, weights = np.tile(X, (200, 1)), np.tile(WEIGHTS, 200) / 200
    return steps(ContrastiveDivergence(n_steps), theta, rows, weights, 40, rng)


def steps(objective, theta, rows, weights, n, rng):
    """Gradients of n steps at one θ."""
    _, state = FlatObjective(objective).init(ENERGY, theta, rows, weights, rng)
    gradients = []
    for _ in range(n):
        _, gradient, state = FlatObjective(objective).step(ENERGY, theta, rows, weights, state, rng)
        gradients.append(gradient)
    return gradients


@pytest.mark.parametrize("n_steps", [1, 3])
def test_cd_is_in_expectation_what_enumerated_chains_give(n_steps, theta, rng):
    chains = distribution_after_sweeps(theta, data_distribution(), n_steps)
    expected = expected_energy_slope(theta, X, WEIGHTS)
    expected -= expected_energy_slope(theta, binary_states(4), chains)
    assert_mean_is(cd_gradients(theta, n_steps, rng), expected)


def test_cd_is_biased_and_with_many_steps_the_gradient_of_the_likelihood(theta, rng):
    theta = 2.5 * theta
    expected = likelihood_gradient(theta)
    assert_mean_is(cd_gradients(theta, 60, rng), expected)
    one_step = np.mean(cd_gradients(theta, 1, rng), axis=0)
    assert np.linalg.norm(one_step - expected) > 0.1 * np.linalg.norm(expected)


def test_cd_is_at_rest_where_the_model_is_the_distribution_of_the_data(theta, rng):
    distribution = ExactDistribution(ENERGY, theta, X)
    rows, weights = (
        np.tile(distribution.points, (50, 1)),
        np.tile(distribution.probabilities, 50) / 50,
    )
    gradients = steps(ContrastiveDivergence(), theta, rows, weights, 100, rng)
    assert_mean_is(gradients, np.zeros_like(theta))


def test_restarted_chains_of_pcd_are_those_of_cd(theta, rng):
    rows, weights = np.tile(X, (40, 1)), np.tile(WEIGHTS, 40) / 40
    objective = PersistentContrastiveDivergence(n_chains=200, restart_fraction=1.0)
    restarted = np.mean(steps(objective, theta, rows, weights, 200, rng), axis=0)
    assert_mean_is(steps(ContrastiveDivergence(), theta, rows, weights, 200, rng) - restarted, 0)


def test_pcd_at_a_fixed_model_becomes_the_gradient_of_the_likelihood(theta, rng):
    objective = PersistentContrastiveDivergence(n_chains=2000)
    _, state = FlatObjective(objective).init(ENERGY, theta, X, WEIGHTS, rng)
    gradients = []
    for step in range(300):
        _, gradient, state = FlatObjective(objective).step(ENERGY, theta, X, WEIGHTS, state, rng)
        if step >= 60 and step % 20 == 0:
            gradients.append(gradient)
    assert_mean_is(gradients, likelihood_gradient(theta))


def test_the_chains_of_pcd_start_at_rows_of_the_data_by_their_weights(theta, rng):
    objective = PersistentContrastiveDivergence(n_chains=20_000)
    weights = np.array([0, 1, 1, 2, 0]) / 4
    _, state = FlatObjective(objective).init(ENERGY, theta, X, weights, rng)
    shares = [np.mean(np.all(state.visible == x, axis=1)) for x in X]
    assert np.all(np.abs(shares - weights) < 5 * np.sqrt(0.25 / 20_000))
    assert shares[0] == shares[4] == 0


def test_the_chains_of_pcd_go_on_and_do_not_depend_on_the_batch(theta, rng):
    objective = PersistentContrastiveDivergence(n_chains=50, n_steps=3)
    _, start = FlatObjective(objective).init(ENERGY, theta, X, WEIGHTS, rng)
    _, _, first = FlatObjective(objective).step(ENERGY, theta, X, WEIGHTS, start, rng)
    _, _, other = FlatObjective(objective).step(ENERGY, theta, X[:1], np.ones(1), start, rng)
    assert_array_equal(first.visible, other.visible)
    assert (start.state.sweep, first.state.sweep) == (0, 3)
    _, _, second = FlatObjective(objective).step(ENERGY, theta, X, WEIGHTS, first, rng)
    assert second.state.sweep == 6
    assert np.any(second.visible != first.visible)


@pytest.mark.parametrize(
    "objective",
    [
        ContrastiveDivergence(0),
        ContrastiveDivergence(sampler="nuts"),
        PersistentContrastiveDivergence(n_chains=0),
        PersistentContrastiveDivergence(restart_fraction=1.5),
    ],
)
def test_a_parameter_out_of_range_is_named(objective):
    with pytest.raises(ValueError, match=f"parameter of {type(objective).__name__} must be"):
        objective.validate()


@pytest.mark.parametrize("objective", ["cd", "pcd", "parallel_tempering"])
def test_a_second_fit_starts_its_chains_anew(objective, rng):
    bits = (rng.random((60, 5)) < 0.5).astype(np.float64)
    criterion = OBJECTIVES[objective]()
    model = BernoulliRBM(3, objective=criterion, max_iter=3, partition="none", random_state=0)
    first = model.fit(bits).components_.copy()
    assert_array_equal(model.fit(bits).components_, first)
    # Nor do the criterion's chains belong to another model that it has trained.
    other = clone(model).fit(1 - bits)
    model = clone(model).set_params(objective=other.objective)
    assert_array_equal(model.fit(bits).components_, first)
