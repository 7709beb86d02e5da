"""A machine with two layers of hidden units, which are coupled: mean field, bound, chains.

Its marginal energy is not known, so that the positive phase is mean field, and its gradient that of
the variational bound (Salakhutdinov and Hinton, AISTATS 2009). It is written for these tests, and
shows what an energy over several blocks has to give.
"""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import logsumexp, xlogy

from sklvm.energies import ChainState, LinearTempering, Marginal, block_masks
from sklvm.kernels import sample_bernoulli, sigmoid, softplus
from sklvm.layouts import ParameterLayout
from sklvm.objectives import (
    OBJECTIVES,
    ContrastiveDivergence,
    ParallelTempering,
    PersistentContrastiveDivergence,
    VariationalBound,
    suitable_objectives,
)
from sklvm.optimizers import Adam
from sklvm.partition import AnnealedImportanceSampling, fit_reference, log_partition
from sklvm.testing import EnergyTestCase, ExactDistribution, FlatObjective, random_parameters

N_MEAN_FIELD_SWEEPS = 60


class TwoHiddenLayersEnergy(LinearTempering):
    """E(x, h¹, h²) = −aᵀx − b₁ᵀh¹ − b₂ᵀh² − h¹ᵀW₁x − h²ᵀW₂h¹, all units binary."""

    def __init__(self, n_features, n_first, n_second):
        self.n_features, self._n_first = n_features, n_first
        self.n_components = n_first + n_second
        self.layout = ParameterLayout(
            {
                "weights_1": (n_first, n_features),
                "weights_2": (n_second, n_first),
                "visible_bias": (n_features,),
                "bias_1": (n_first,),
                "bias_2": (n_second,),
            }
        )

    def init_parameters(self, X, rng, sample_weight=None):
        theta = 0.1 * rng.standard_normal(self.layout.size)
        mean = np.average(X, axis=0, weights=sample_weight).clip(0.02, 0.98)
        self.layout.views(theta)["visible_bias"][...] = np.log(mean / (1 - mean))
        return theta.astype(X.dtype)

    # -- the joint energy -------------------------------------------------------------------------

    def evaluate_joint(self, theta, X, Z):
        views = self.layout.views(theta)
        H1, H2 = Z[..., : self._n_first], Z[..., self._n_first :]
        energy = -(X @ views["visible_bias"]) - H1 @ views["bias_1"] - H2 @ views["bias_2"]
        energy = energy - ((X @ views["weights_1"].T + H2 @ views["weights_2"]) * H1).sum(axis=-1)

        def pullback(w):
            if Z.ndim == 2:
                return self.joint_gradient(theta, (X, H1, H2), w)
            pairs = zip(H1, H2, w, strict=True)
            return sum(self.joint_gradient(theta, (X, h1, h2), v) for h1, h2, v in pairs)

        return energy, pullback

    def joint_gradient(self, theta, blocks, w):
        X, H1, H2 = blocks
        weighted = -w[:, np.newaxis] * H1
        return self.layout.pack(
            weights_1=weighted.T @ X,
            weights_2=H2.T @ weighted,
            visible_bias=-(w @ X),
            bias_1=weighted.sum(axis=0),
            bias_2=-(w @ H2),
            dtype=theta.dtype,
        )

    # -- the positive phase -----------------------------------------------------------------------

    def infer(self, theta, X, state=None):
        """Mean field, a fixed number of sweeps from the bottom up."""
        views = self.layout.views(theta)
        inputs = X @ views["weights_1"].T + views["bias_1"]
        second = np.full((len(X), self.n_components - self._n_first), 0.5, dtype=X.dtype)
        for _ in range(N_MEAN_FIELD_SWEEPS):
            first = sigmoid(inputs + second @ views["weights_2"])
            second = sigmoid(first @ views["weights_2"].T + views["bias_2"])
        return X, first, second

    def bound(self, theta, X):
        """F = E(x, μ) − H(μ), whose slope in μ is 0 at the fixed point."""
        blocks = self.infer(theta, X)
        means = np.hstack(blocks[1:])
        entropy = -(xlogy(means, means) + xlogy(1 - means, 1 - means)).sum(axis=1)
        energy, _ = self.evaluate_joint(theta, X, means)
        return energy - entropy, lambda w: self.joint_gradient(theta, blocks, w)

    # -- chains: h¹ given (x, h²), then x and h² given h¹ -----------------------------------------

    def start(self, theta, X, seed):
        views = self.layout.views(theta)
        first = sigmoid(X @ views["weights_1"].T + views["bias_1"])
        logits = first @ views["weights_2"].T
        second = sample_bernoulli(logits, views["bias_2"], int(seed), sweep=2**32 - 1, layer=2)
        return ChainState((X, np.zeros_like(first), second), int(seed))

    def sweep(self, theta, state, *, free=None, tempering=None):
        if tempering is not None:
            theta = self.temper(tempering[0], theta, theta.dtype.type(tempering[1]))
        views, masks = self.layout.views(theta), block_masks(free, 3)
        X, H1, H2 = state.blocks

        def draw(layer, logits, bias, current):
            return sample_bernoulli(
                logits,
                bias,
                state.seed,
                sweep=state.sweep,
                layer=layer,
                free=masks[layer],
                state=current,
            )

        H1 = draw(1, self._first_inputs(views, X, H2), views["bias_1"], H1)
        X = draw(0, H1 @ views["weights_1"], views["visible_bias"], X)
        H2 = draw(2, H1 @ views["weights_2"].T, views["bias_2"], H2)
        return state.moved((X, H1, H2)), {}

    def expected_blocks(self, theta, state):
        views = self.layout.views(theta)
        X, _, H2 = state.blocks
        return X, sigmoid(self._first_inputs(views, X, H2) + views["bias_1"]), H2

    @staticmethod
    def _first_inputs(views, X, H2):
        return X @ views["weights_1"].T + H2 @ views["weights_2"]

    # -- temperatures: E(x, h²), h¹ summed out -----------------------------------------------------

    def tempered_start(self, X, sample_weight=None):
        theta = np.zeros(self.layout.size, dtype=X.dtype)
        mean = np.average(X, axis=0, weights=sample_weight).clip(0.02, 0.98)
        self.layout.views(theta)["visible_bias"][...] = np.log(mean / (1 - mean))
        return theta

    def start_log_partition(self, theta_0, X=None, free=None):
        a = self.layout.views(theta_0)["visible_bias"].astype(np.float64)
        hidden = self.n_components * np.log(2)
        if free is None:
            return float(softplus(a).sum() + hidden)
        return np.where(free, softplus(a), X * a).sum(axis=1) + hidden

    def sample_start(self, theta_0, n_samples, seed):
        a = self.layout.views(theta_0)["visible_bias"]
        return sample_bernoulli(np.zeros((n_samples, len(a)), dtype=a.dtype), a, seed)

    def tempered_energies(self, theta_0, theta, betas, state):
        X, _, H2 = state.blocks
        energies = []
        for beta in betas:
            views = self.layout.views(self.temper(theta_0, theta, beta))
            inputs = self._first_inputs(views, X, H2) + views["bias_1"]
            rest = X @ views["visible_bias"] + H2 @ views["bias_2"]
            energies.append(-rest - softplus(inputs).sum(axis=1))
        return np.stack(energies)


class TestTwoHiddenLayersEnergy(EnergyTestCase):
    """All that the package checks of an energy with ``Joint``, ``Bound``, chains and a path."""

    def make(self):
        rng = np.random.default_rng(0)
        energy = TwoHiddenLayersEnergy(4, 3, 3)
        return (
            energy,
            random_parameters(energy, rng, scale=0.8),
            (rng.random((12, 4)) < 0.5).astype(np.float64),
        )


@pytest.fixture
def problem():
    """Three patterns, each bit of them wrong once in ten times."""
    rng = np.random.default_rng(1)
    patterns = np.array([[1, 1, 0, 0, 0], [0, 0, 1, 1, 0], [1, 0, 1, 0, 1]])
    X = patterns[rng.integers(3, size=500)] != (rng.random((500, 5)) < 0.1)
    return TwoHiddenLayersEnergy(5, 4, 3), X.astype(np.float64)


def mean_log_density(energy, theta, X):
    distribution = ExactDistribution(energy, theta, X)
    index = (X @ 2 ** np.arange(X.shape[1])).astype(int)
    return np.log(distribution.probabilities[index]).mean()


def test_the_bound_lies_below_log_p_and_close_to_it(problem):
    energy, X = problem
    theta = random_parameters(energy, np.random.default_rng(2), scale=0.7)
    distribution = ExactDistribution(energy, theta, X)
    log_p = np.log(distribution.probabilities)
    bound = -energy.bound(theta, distribution.points)[0] - distribution.log_partition
    assert np.all(bound <= log_p + 1e-12)
    assert np.max(log_p - bound) < 0.3
    assert np.max(log_p - bound) > 1e-4


@pytest.mark.parametrize(
    "objective",
    [
        PersistentContrastiveDivergence(n_chains=200),
        ContrastiveDivergence(n_steps=5),
        ParallelTempering(n_chains=50),
    ],
    ids=lambda objective: type(objective).__name__,
)
def test_chains_with_a_mean_field_positive_phase_raise_the_likelihood(objective, problem, rng):
    energy, X = problem
    weights = np.full(len(X), 1 / len(X))
    theta = energy.init_parameters(X, rng)
    criterion, optimizer = FlatObjective(objective), Adam(0.05, schedule="linear")
    _, state = criterion.init(energy, theta, X, np.ones(len(X)), rng)
    moments = optimizer.init(theta, n_planned_steps=300)
    for _ in range(300):
        _, gradient, state = criterion.step(energy, theta, X, weights, state, rng)
        optimizer.step(theta, gradient, moments)
    _, counts = np.unique(X, axis=0, return_counts=True)
    best = (counts * np.log(counts / len(X))).sum() / len(X)
    independent = X.mean(axis=0)
    start = (independent * np.log(independent) + (1 - independent) * np.log1p(-independent)).sum()
    reached = mean_log_density(energy, theta, X)
    assert best - start > 0.2
    assert reached > best - 0.25 * (best - start)


def test_annealing_over_the_visible_and_the_second_layer_finds_log_partition(problem, rng):
    energy, X = problem
    theta = random_parameters(energy, rng, scale=1.0)
    exact = ExactDistribution(energy, theta, X).log_partition
    budget = AnnealedImportanceSampling(200, 500, bracket=True)
    estimate = log_partition(
        energy, theta, fit_reference(energy, X), method="ais", budget=budget, rng=rng
    )
    assert abs(estimate.value - exact) < 4 * estimate.std_err
    assert_allclose(estimate.bracket, exact, atol=0.1)


def test_the_criteria_that_fit_are_those_of_the_joint_energy_and_of_the_bound(problem):
    energy, _ = problem
    assert not isinstance(energy, Marginal)
    fitting = suitable_objectives(energy, OBJECTIVES)
    assert {"cd", "pcd", "parallel_tempering"} <= set(fitting)
    assert not {"nce", "mle", "pseudo_likelihood", "score_matching"} & set(fitting)
    assert all(hasattr(energy, name) for name in ("bound", "infer"))
    assert VariationalBound().requires


def test_the_sum_over_hidden_states_is_the_marginal_energy_of_the_bipartite_machine():
    # (x, h²) against h¹ is a restricted machine: its visible side enumerated, h² summed by hand.
    rng = np.random.default_rng(3)
    energy = TwoHiddenLayersEnergy(3, 2, 2)
    theta = random_parameters(energy, rng)
    views = energy.layout.views(theta)
    distribution = ExactDistribution(energy, theta, np.zeros((1, 3)))
    states = np.array([[i & 1, i >> 1] for i in range(4)], dtype=float)
    log_sums = []
    for h2 in states:
        inputs = distribution.points @ views["weights_1"].T + h2 @ views["weights_2"]
        log_sums.append(
            np.log1p(np.exp(inputs + views["bias_1"])).sum(axis=1) + h2 @ views["bias_2"]
        )
    log_p = logsumexp(log_sums, axis=0) + distribution.points @ views["visible_bias"]
    assert_allclose(distribution.probabilities, np.exp(log_p - logsumexp(log_p)), rtol=1e-10)
