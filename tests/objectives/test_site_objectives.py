"""Pseudo-likelihood, ratio matching, minimum probability flow against the table of all states."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sklvm.energies import BernoulliRBMEnergy
from sklvm.energies import _bernoulli_rbm as rbm_module
from sklvm.objectives import MinimumProbabilityFlow, PseudoLikelihood, RatioMatching
from sklvm.testing import ExactDistribution, FlatObjective, random_parameters

ENERGY = BernoulliRBMEnergy(4, 3)
OBJECTIVES = [MinimumProbabilityFlow(), PseudoLikelihood(), RatioMatching()]


@pytest.fixture
def theta(rng):
    return random_parameters(ENERGY, rng, scale=1.0)


def table(theta):
    """p(x) for x given as a tuple of bits."""
    distribution = ExactDistribution(ENERGY, theta, np.zeros((1, 4)))
    return {
        tuple(x): p for x, p in zip(distribution.points, distribution.probabilities, strict=True)
    }


def flipped(x, j):
    return (*x[:j], 1 - x[j], *x[j + 1 :])


def value(objective, theta, X):
    weights = np.full(len(X), 1 / len(X))
    return FlatObjective(objective).step(ENERGY, theta, X, weights, None, None)[0]


def test_differences_of_the_energy_are_those_of_log_p(theta, rng):
    X = (rng.random((6, 4)) < 0.5).astype(np.float64)
    p = table(theta)
    expected = [[np.log(p[x] / p[flipped(x, j)]) for j in range(4)] for x in map(tuple, X)]
    assert_allclose((2 * X - 1) * ENERGY.flip_logits(theta, X)[0], expected, rtol=1e-9)


def test_pseudo_likelihood_is_the_product_of_the_conditionals_of_each_bit(theta, rng):
    X = (rng.random((6, 4)) < 0.5).astype(np.float64)
    p = table(theta)
    expected = [
        -sum(np.log(p[x] / (p[x] + p[flipped(x, j)])) for j in range(4)) for x in map(tuple, X)
    ]
    assert_allclose(value(PseudoLikelihood(), theta, X), np.mean(expected), rtol=1e-9)


def test_minimum_probability_flow_is_the_rate_at_which_the_distribution_of_the_data_changes(
    theta, rng
):
    # KL(data ‖ data after a time dt) = J dt, to first order, where all probability that leaves a
    # row is lost to it: in a master equation that starts at a single row.
    p = table(theta)
    points = list(p)
    rates = np.zeros((16, 16))  # from a column to a row; half of log p changes sides
    for j, x in enumerate(points):
        for k in range(4):
            rates[points.index(flipped(x, k)), j] = np.sqrt(p[flipped(x, k)] / p[x])
    generator = rates - np.diag(rates.sum(axis=0))
    assert_allclose(generator @ np.array(list(p.values())), 0, atol=1e-12)  # detailed balance
    X = (rng.random((6, 4)) < 0.5).astype(np.float64)
    dt = 1e-6
    after = [(np.eye(16) + dt * generator)[i, i] for i in (points.index(tuple(x)) for x in X)]
    flow = value(MinimumProbabilityFlow(), theta, X)
    assert_allclose(-np.mean(np.log(after)) / dt, flow, rtol=1e-4)


def test_ratio_matching_is_the_squared_distance_of_mapped_ratios_up_to_a_constant(theta, rng):
    # Hyvärinen's distance, Σ_x p_d(x) Σ_j [g(p_d(x)/p_d(x̄)) − g(p(x)/p(x̄))]² with the same for the
    # inverse ratios, halved: differences between models are those of the criterion.
    other, data = (table(random_parameters(ENERGY, rng)) for _ in range(2))
    data_points = np.array(list(data))

    def share(p, x, j):
        return p[flipped(x, j)] / (p[x] + p[flipped(x, j)])

    def distance(p):
        return sum(
            0.5 * weight * (share(data, x, j) - share(p, x, j)) ** 2
            + 0.5 * weight * (share(data, flipped(x, j), j) - share(p, flipped(x, j), j)) ** 2
            for x, weight in data.items()
            for j in range(4)
        )

    weights = np.array(list(data.values()))

    def criterion(p):
        theta_of_p = theta if p is ours else other_theta
        return FlatObjective(RatioMatching()).step(
            ENERGY, theta_of_p, data_points, weights, None, None
        )[0]

    other_theta = random_parameters(ENERGY, rng)
    ours, other = table(theta), table(other_theta)
    assert_allclose(criterion(ours) - criterion(other), distance(ours) - distance(other), rtol=1e-8)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_the_distribution_of_the_data_is_a_minimum(objective, theta, rng):
    distribution = ExactDistribution(ENERGY, theta, np.zeros((1, 4)))

    def step(at):
        return FlatObjective(objective).step(
            ENERGY, at, distribution.points, distribution.probabilities, None, None
        )

    least, gradient, _ = step(theta)
    assert_allclose(gradient, 0, atol=1e-10)
    for _ in range(20):
        assert step(theta + 0.1 * rng.standard_normal(len(theta)))[0] >= least


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_blocks_of_rows_and_bits_make_no_difference(objective, rng, monkeypatch):
    energy = BernoulliRBMEnergy(7, 5)
    theta = random_parameters(energy, rng)
    X = (rng.random((11, 7)) < 0.5).astype(np.float64)
    arguments = energy, theta, X, np.full(11, 1 / 11), None, None
    whole = FlatObjective(objective).step(*arguments)
    for entries in (1, 5 * 4, 5 * 25):
        monkeypatch.setattr(rbm_module, "BLOCK_ENTRIES", entries)
        blocked = FlatObjective(objective).step(*arguments)
        assert_allclose(blocked[0], whole[0], rtol=1e-12)
        assert_allclose(blocked[1], whole[1], rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_a_bit_of_the_wrong_kind_is_named(objective, theta):
    with pytest.raises(ValueError, match=r"data of 0 and 1, got values from 0 to 0\.5"):
        value(objective, theta, np.array([[0.0, 0.5, 0.0, 0.0]]))


def test_certain_bits_neither_overflow_nor_vanish():
    energy = BernoulliRBMEnergy(2, 1)
    theta = energy.layout.pack(
        weights=[[500.0, 0.0]], visible_bias=[300.0, -300.0], hidden_bias=0.0, dtype=np.float32
    )
    X = np.array([[0, 1], [1, 0]], dtype=np.float32)
    steep = np.exp(30.0) * (1 + 369.65 + 1 + 120)
    for objective, expected in zip(
        OBJECTIVES, ([steep, 0.0], [1100.0, 0.0], [2.0, 0.0]), strict=True
    ):
        values = [
            FlatObjective(objective).step(energy, theta, x[None], np.ones(1), None, None)[0]
            for x in X
        ]
        assert_allclose(values, expected, rtol=1e-3, atol=1e-6)
