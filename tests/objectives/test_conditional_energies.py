"""Criteria of conditional energies p(y | x): what is given is never changed, drawn or judged."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import logsumexp

from sklvm.energies import BernoulliRBMEnergy, ConditionalPartition, GaussianEnergy
from sklvm.objectives import (
    OBJECTIVES,
    ConditionalNoiseContrastiveEstimation,
    ContrastiveDivergence,
    DenoisingScoreMatching,
    MaximumLikelihood,
    MinimumProbabilityFlow,
    PseudoLikelihood,
    RatioMatching,
    ScoreMatching,
    SlicedScoreMatching,
    check_capabilities,
    suitable_objectives,
)
from sklvm.optimizers import Adam
from sklvm.testing import FlatObjective, binary_states, numerical_gradient, random_parameters

N_INPUTS = 2


class ConditionalRBMEnergy(BernoulliRBMEnergy):
    """The RBM's energy, read as that of its last units given the first two."""

    n_inputs = N_INPUTS

    def _all_outputs(self, X):
        """Each row with all states of y: shape (n_states · n, d)."""
        Y = binary_states(self.n_features - N_INPUTS)
        inputs = np.tile(X[:, :N_INPUTS], (len(Y), 1))
        return np.hstack([inputs, np.repeat(Y, len(X), axis=0)]), len(Y)

    def conditional_log_partition(self, theta, X):
        rows, n_states = self._all_outputs(X)
        energies, pullback = self.evaluate(theta, rows)
        energies = energies.reshape(n_states, -1)
        log_z = logsumexp(-energies, axis=0)
        return log_z, lambda w: -pullback((w * np.exp(-energies - log_z)).ravel())


ENERGY = ConditionalRBMEnergy(5, 3)


def conditional(theta, X):
    """log p(y | x)."""
    return -ENERGY.evaluate(theta, X)[0] - ENERGY.conditional_log_partition(theta, X)[0]


@pytest.fixture
def problem(rng):
    """θ of the truth, and rows whose inputs are not those of the machine's own marginal."""
    theta = random_parameters(ENERGY, rng, scale=1.5)
    inputs = (rng.random((1000, N_INPUTS)) < [0.8, 0.3]).astype(np.float64)
    Y = binary_states(3)
    rows = np.hstack([np.repeat(inputs, 8, axis=0), np.tile(Y, (1000, 1))])
    p = np.exp(conditional(theta, rows)).reshape(-1, 8)
    chosen = (p.cumsum(axis=1) < rng.random((1000, 1))).sum(axis=1)
    return theta, np.hstack([inputs, Y[chosen]])


@pytest.mark.parametrize(
    "objective",
    [
        MaximumLikelihood(),
        PseudoLikelihood(),
        MinimumProbabilityFlow(),
        RatioMatching(),
        ContrastiveDivergence(n_steps=5),
        ConditionalNoiseContrastiveEstimation(),
    ],
    ids=lambda objective: type(objective).__name__,
)
def test_criteria_find_the_conditional_distribution(objective, problem, rng):
    truth, X = problem
    weights = np.full(len(X), 1 / len(X))
    theta = ENERGY.init_parameters(X, rng)
    criterion = FlatObjective(objective)
    _, state = criterion.init(ENERGY, theta, X, np.ones(len(X)), rng)
    optimizer = Adam(0.1, schedule="linear")
    moments = optimizer.init(theta, n_planned_steps=150)
    for _ in range(150):
        _, gradient, state = criterion.step(ENERGY, theta, X, weights, state, rng)
        optimizer.step(theta, gradient, moments)
    # Inputs of the data with all outputs: KL(p(y|x) ‖ p(y|x; θ)), in nats.
    rows, n_states = ENERGY._all_outputs(X[:500])
    log_p, log_q = (conditional(t, rows).reshape(n_states, -1) for t in (truth, theta))
    divergence = (np.exp(log_p) * (log_p - log_q)).sum(axis=0).mean()
    assert divergence < 0.04


def test_the_gradient_of_the_conditional_likelihood_is_that_of_its_value(problem, rng):
    theta, X = problem
    X, weights = X[:6], rng.random(6)
    criterion = FlatObjective(MaximumLikelihood())
    value, gradient, _ = criterion.step(ENERGY, theta, X, weights, None, rng)
    assert isinstance(ENERGY, ConditionalPartition)
    assert_allclose(value, -weights @ conditional(theta, X), rtol=1e-12)
    expected = numerical_gradient(lambda t: -weights @ conditional(t, X), theta)
    assert_allclose(gradient, expected, atol=1e-6 * np.abs(expected).max())


@pytest.mark.parametrize(
    "objective", [MinimumProbabilityFlow(), PseudoLikelihood(), RatioMatching()]
)
def test_criteria_of_single_units_leave_the_inputs_out(objective, problem, rng):
    theta, X = problem
    joint = BernoulliRBMEnergy(5, 3)
    one = np.ones(1)
    value = FlatObjective(objective).step(ENERGY, theta, X[:1], one, None, rng)[0]
    logits, _ = joint.site_logits(theta, X[:1])
    states = joint.site_states(X[:1])[:, :, np.newaxis]
    assert_allclose(value, objective._loss(logits, states)[0][0, N_INPUTS:].sum(), rtol=1e-12)


def test_chains_and_noise_leave_the_inputs_alone(problem, rng):
    theta, X = problem
    X, weights = X[:200], np.full(200, 1 / 200)
    criterion = FlatObjective(ContrastiveDivergence(n_steps=3))
    _, state = criterion.init(ENERGY, theta, X, np.ones(200), rng)
    _, _, state = criterion.step(ENERGY, theta, X, weights, state, rng)
    assert_array_equal(state.visible[:, :N_INPUTS], X[:, :N_INPUTS])
    assert np.any(state.visible[:, N_INPUTS:] != X[:, N_INPUTS:])
    noise = FlatObjective(ConditionalNoiseContrastiveEstimation()).init(
        ENERGY, theta, X, np.ones(200), rng
    )[1]
    assert noise.level == pytest.approx(1 / 3)


# -- real data ------------------------------------------------------------------------------------


class ConditionalGaussianEnergy(GaussianEnergy):
    """½ (x − μ)ᵀΛ(x − μ) as an energy of the last entries given the first: ψ is that in y."""

    n_inputs = 1

    def _outputs(self, V):
        return V * (np.arange(self.n_features) >= 1)

    def score(self, theta, X):
        psi, pullback = super().score(theta, X)
        return self._outputs(psi), lambda V: pullback(self._outputs(V))

    def score_and_laplacian(self, theta, X):
        psi, pullback = self.score(theta, X)
        precision = self.precision(theta)

        def both(V, w):
            directions = np.eye(self.n_features)[1:, np.newaxis].repeat(len(X), axis=1)
            return pullback(V) + super(
                ConditionalGaussianEnergy, self
            ).score_and_directional_curvature(theta, X, directions)[2](np.zeros_like(V), w)

        return psi, np.full(len(X), precision[0, 0] - np.trace(precision)), both

    def score_and_directional_curvature(self, theta, X, directions):
        assert np.all(directions[:, :, 0] == 0)
        psi, curvature, pullback = super().score_and_directional_curvature(theta, X, directions)
        return self._outputs(psi), curvature, lambda V, w: pullback(self._outputs(V), w)


@pytest.mark.parametrize(
    "objective",
    [
        ScoreMatching(),
        SlicedScoreMatching(n_slices=2),
        DenoisingScoreMatching(noise_level=0.1),
        ConditionalNoiseContrastiveEstimation(n_noise=6),
        ContrastiveDivergence(n_steps=3),
    ],
    ids=lambda objective: type(objective).__name__,
)
def test_score_matching_and_chains_find_a_conditional_gaussian(objective, rng):
    # y | x ~ N(0.5 + x, Σ), and x has a distribution that is far from Gaussian.
    energy = ConditionalGaussianEnergy(3)
    x = rng.choice([-2.0, 0.0, 3.0], 600)
    noise = rng.standard_normal((600, 2)) @ [[0.8, 0.3], [0.0, 0.6]]
    X = np.column_stack([x, noise + 0.5 + x[:, np.newaxis]])
    weights = np.full(len(X), 1 / len(X))
    theta = energy.init_parameters(X, rng)
    criterion, optimizer = FlatObjective(objective), Adam(0.1, schedule="linear")
    _, state = criterion.init(energy, theta, X, np.ones(len(X)), rng)
    moments = optimizer.init(theta, n_planned_steps=300)
    for _ in range(300):
        _, gradient, state = criterion.step(energy, theta, X, weights, state, rng)
        optimizer.step(theta, gradient, moments)
    precision = energy.precision(theta)
    covariance = np.linalg.inv(precision[1:, 1:])
    slope = -covariance @ precision[1:, 0]
    assert_allclose(slope, 1, atol=0.1)
    assert_allclose(covariance, np.cov(noise.T), atol=0.12)


# -- what does not fit ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("nce", "log Z for one number"),
        ("vnce", "log Z for one number"),
        ("pcd", "go on from batch to batch"),
        ("parallel_tempering", "go on from batch to batch"),
    ],
)
def test_criteria_that_need_one_log_partition_or_their_own_inputs_are_refused(name, reason):
    with pytest.raises(ValueError, match=f"{reason}.*'cd'"):
        check_capabilities(OBJECTIVES[name](), ENERGY, OBJECTIVES, "M")
    assert suitable_objectives(ENERGY, OBJECTIVES) == [
        "cd",
        "cnce",
        "minimum_probability_flow",
        "mle",
        "pseudo_likelihood",
        "ratio_matching",
    ]
