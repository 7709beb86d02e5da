"""Sliced score matching is exact score matching in expectation over its slices."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sklvm.energies import DeepEnergy, GaussianEnergy
from sklvm.objectives import ScoreMatching, SlicedScoreMatching
from sklvm.testing import FlatObjective, binary_states, random_parameters

FORMS = pytest.mark.parametrize(
    "objective",
    [
        SlicedScoreMatching(5),
        SlicedScoreMatching(5, variance_reduced=False),
        SlicedScoreMatching(5, "gaussian"),
        SlicedScoreMatching(5, "gaussian", variance_reduced=False),
    ],
    ids=["signs", "signs, all sliced", "gaussian", "gaussian, all sliced"],
)


@pytest.fixture
def problem(rng):
    energy = DeepEnergy(3, 4, (5, 3), activation="tanh", sigma="learn")
    weights = rng.random(8)
    return (
        energy,
        random_parameters(energy, rng),
        rng.standard_normal((8, 3)),
        weights / weights.sum(),
    )


@FORMS
def test_value_and_gradient_are_unbiased(objective, problem, rng):
    value, gradient, _ = FlatObjective(ScoreMatching()).step(*problem, None, rng)
    steps = [FlatObjective(objective).step(*problem, None, rng) for _ in range(1500)]
    draws = np.array([np.append(step[1], step[0]) for step in steps])
    deviation = draws.std(axis=0) / np.sqrt(len(draws))
    error = np.abs(draws.mean(axis=0) - np.append(gradient, value))
    assert np.all(error <= 5 * deviation + 1e-12)


def test_the_mean_over_all_sign_vectors_is_the_divergence(problem):
    energy, theta, X, _ = problem
    signs = 2 * binary_states(3) - 1
    directions = np.repeat(signs[:, np.newaxis], len(X), axis=1)
    _, curvature, _ = energy.score_and_directional_curvature(theta, X, directions)
    _, divergence, _ = energy.score_and_laplacian(theta, X)
    assert_allclose(curvature / len(signs), divergence, rtol=1e-12)


def test_signs_know_the_divergence_of_independent_features_exactly(rng):
    energy = GaussianEnergy(3)
    theta = energy.pack(rng.standard_normal(3), np.diag([1.0, 2.0, 0.5]))
    X, weights = rng.standard_normal((6, 3)), np.full(6, 1 / 6)
    exact = FlatObjective(ScoreMatching()).step(energy, theta, X, weights, None, rng)
    sliced = FlatObjective(SlicedScoreMatching()).step(energy, theta, X, weights, None, rng)
    assert sliced[0] == pytest.approx(exact[0], rel=1e-12)
    diagonal = energy.pack(np.ones(3), np.eye(3)) > 0
    assert_allclose(sliced[1][diagonal], exact[1][diagonal], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("variance_reduced", [True, False])
def test_signs_vary_less_than_gaussian_slices_and_the_reduced_form_less_than_the_other(
    variance_reduced, problem, rng
):
    def spread(objective):
        return np.std([FlatObjective(objective).step(*problem, None, rng)[0] for _ in range(400)])

    assert spread(SlicedScoreMatching(1, "rademacher", variance_reduced)) < spread(
        SlicedScoreMatching(1, "gaussian", variance_reduced)
    )
    assert spread(SlicedScoreMatching()) < spread(SlicedScoreMatching(variance_reduced=False))


@pytest.mark.parametrize(
    "objective", [SlicedScoreMatching(0), SlicedScoreMatching(slices="sphere")]
)
def test_a_parameter_out_of_range_is_named(objective):
    with pytest.raises(ValueError, match="parameter of SlicedScoreMatching must be"):
        objective.validate()
