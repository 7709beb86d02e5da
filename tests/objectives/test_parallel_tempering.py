"""Parallel tempering against enumeration, and where plain chains are stuck."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklvm.energies import BernoulliRBMEnergy, GaussianRBMEnergy
from sklvm.objectives import ParallelTempering, PersistentContrastiveDivergence
from sklvm.objectives import _parallel_tempering as module
from sklvm.testing import ExactDistribution, FlatObjective, random_parameters


def two_modes(d=10, K=8, coupling=1.0):
    """All bits off and all bits on, with little between; which is on is the sign of one symmetry.

    Bits off twice as often as on: the symmetric machine, tilted by log ½ over all bits.
    """
    energy = BernoulliRBMEnergy(d, K)
    theta = energy.layout.pack(
        weights=coupling,
        visible_bias=-0.5 * K * coupling + np.log(0.5) / d,
        hidden_bias=-0.5 * d * coupling,
    )
    return energy, theta


def run(objective, energy, theta, X, n_steps, rng):
    """The state after steps at a fixed model, and the gradients on the way."""
    weights = np.full(len(X), 1 / len(X))
    _, state = FlatObjective(objective).init(energy, theta, X, weights, rng)
    gradients = []
    for _ in range(n_steps):
        _, gradient, state = FlatObjective(objective).step(energy, theta, X, weights, state, rng)
        gradients.append(gradient)
    return state, np.array(gradients)


def test_it_mixes_between_modes_where_plain_sweeps_do_not(rng):
    energy, theta = two_modes()
    distribution = ExactDistribution(energy, theta, np.zeros((1, 10)))
    mostly_on = distribution.mean(lambda x: x.mean(axis=1) > 0.5)
    off, both = np.zeros((2, 10)), np.repeat([[0.0], [1.0]], 10, axis=1)
    plain, _ = run(PersistentContrastiveDivergence(200), energy, theta, off, 100, rng)
    assert mostly_on > 0.3
    assert np.mean(plain.visible.mean(axis=1) > 0.5) < 0.05

    objective, weights = ParallelTempering(200), np.full(2, 0.5)
    _, state = FlatObjective(objective).init(energy, theta, both, weights, rng)
    state, shares = replace(state, blocks=tuple(np.zeros_like(block) for block in state.blocks)), []
    for i in range(300):
        _, _, state = FlatObjective(objective).step(energy, theta, both, weights, state, rng)
        if i >= 100:
            shares.append(np.mean(state.visible[-1].mean(axis=1) > 0.5))
    assert abs(np.mean(shares) - mostly_on) < 0.05


@pytest.mark.parametrize(
    "energy", [BernoulliRBMEnergy(8, 6), GaussianRBMEnergy(2, 3)], ids=["binary", "real"]
)
def test_every_temperature_keeps_its_distribution(energy, rng):
    theta = random_parameters(energy, rng, scale=2.0)
    X = (rng.random((50, energy.n_features)) < 0.5).astype(np.float64)
    state, _ = run(ParallelTempering(3000), energy, theta, X, 150, rng)
    assert len(state.betas) > 2
    for beta, visible in zip(state.betas, state.visible, strict=True):
        tempered = energy.temper(state.reference, theta, beta)
        ExactDistribution(energy, tempered, X).assert_drawn(visible)


def test_a_fifth_to_two_fifths_of_the_swaps_succeed(rng):
    energy = BernoulliRBMEnergy(40, 30)
    theta = random_parameters(energy, rng, scale=1.0)
    X = (rng.random((50, 40)) < 0.5).astype(np.float64)
    objective = ParallelTempering(100)
    state, _ = run(objective, energy, theta, X, 415, rng)
    assert len(state.betas) > 5
    assert (state.betas[0], state.betas[-1]) == (0.0, 1.0)
    assert np.all(np.diff(state.betas) > 0)
    assert np.all((state.rates() > 0.12) & (state.rates() < 0.5))
    assert 0.2 < objective.diagnostics(state)["swap_rate"] < 0.4
    assert objective.diagnostics(state)["n_temperatures"] == len(state.betas)


def test_where_the_model_is_the_reference_two_temperatures_do(rng):
    energy = BernoulliRBMEnergy(5, 3)
    X = (rng.random((50, 5)) < 0.5).astype(np.float64)
    theta = energy.init_parameters(X, rng)
    state, _ = run(ParallelTempering(), energy, theta, X, 100, rng)
    assert_array_equal(state.betas, [0.0, 1.0])


def test_a_limit_to_the_number_of_temperatures_holds(rng):
    energy = BernoulliRBMEnergy(40, 30)
    theta = random_parameters(energy, rng, scale=1.0)
    X = (rng.random((50, 40)) < 0.5).astype(np.float64)
    state, _ = run(ParallelTempering(20, max_temperatures=4), energy, theta, X, 200, rng)
    assert len(state.betas) == 4


def test_a_ladder_with_rates_in_the_range_stays():
    betas = np.array([0.0, 0.4, 1.0])
    assert module._respaced(betas, np.array([0.25, 0.39]), 50) is betas
    assert len(module._respaced(betas, np.array([0.9, 0.9]), 50)) == 2
    finer = module._respaced(betas, np.array([0.01, 0.3]), 50)
    assert len(finer) == 4
    assert np.diff(finer)[0] < np.diff(finer)[-1]


def test_the_mean_gradient_is_that_of_the_likelihood(rng):
    energy = BernoulliRBMEnergy(4, 3)
    theta = random_parameters(energy, rng, scale=1.0)
    X = (rng.random((5, 4)) < 0.5).astype(np.float64)
    _, gradients = run(ParallelTempering(1000), energy, theta, X, 300, rng)
    means = gradients[60::10]
    _, model = energy.log_partition_and_gradient(theta)
    exact = energy.evaluate(theta, X)[1](np.full(5, 1 / 5)) + model
    error = np.std(means, axis=0) / np.sqrt(len(means))
    assert np.all(np.abs(means.mean(axis=0) - exact) < 5 * error)


def test_a_parameter_out_of_range_is_named():
    with pytest.raises(ValueError, match="'max_temperatures' parameter of ParallelTempering"):
        ParallelTempering(max_temperatures=1).validate()


def test_a_weighted_row_counts_in_the_reference_as_a_repeated_one(rng):
    energy = BernoulliRBMEnergy(4, 3)
    theta = random_parameters(energy, rng)
    X = (rng.random((6, 4)) < 0.5).astype(np.float64)
    counts = np.array([1, 2, 3, 1, 2, 3])
    repeated = np.repeat(X, counts, axis=0)
    weighted, plain = (
        FlatObjective(ParallelTempering(5)).init(energy, theta, rows, weights, rng)[1].reference
        for rows, weights in ((X, counts / 6), (repeated, np.full(12, 1 / 12)))
    )
    unweighted = FlatObjective(ParallelTempering(5)).init(energy, theta, X, np.full(6, 1 / 6), rng)[
        1
    ]
    views = energy.layout.views(weighted)
    mean = 1 / (1 + np.exp(-views["visible_bias"]))
    assert_allclose(mean, counts @ X / counts.sum(), atol=0.1)
    assert np.any(weighted != unweighted.reference)
    assert_allclose(weighted, plain, rtol=1e-12)
