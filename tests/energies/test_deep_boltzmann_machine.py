"""The deep Boltzmann machine: sums, mean field and chains over any number of layers.

What it is held against: the restricted machine of even against odd layers, whose weights are 0
between layers that are not neighbours; sums over all states; and itself with its layers reversed.
"""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import logsumexp

from sklvm.energies import (
    BernoulliRBMEnergy,
    DeepBoltzmannMachineEnergy,
    GaussianRBMEnergy,
    Marginal,
)
from sklvm.objectives import (
    OBJECTIVES,
    ContrastiveDivergence,
    MaximumLikelihood,
    ParallelTempering,
    PersistentContrastiveDivergence,
    suitable_objectives,
)
from sklvm.optimizers import Adam
from sklvm.partition import AnnealedImportanceSampling, fit_reference, log_partition
from sklvm.testing import (
    EnergyTestCase,
    ExactDistribution,
    FlatObjective,
    assert_is_gradient,
    binary_states,
    random_parameters,
)

N_MEAN_FIELD = 60


def binary_machine(n_features, *sizes):
    bottom = BernoulliRBMEnergy(n_features, sizes[0])
    return DeepBoltzmannMachineEnergy(bottom, sizes[1:], N_MEAN_FIELD)


class TestDeepBoltzmannMachineEnergy(EnergyTestCase):
    """All that the package checks of an energy with these capabilities, for 1 to 4 layers."""

    @pytest.fixture(autouse=True, params=[(3, 3), (2, 2, 1)], ids=len)
    def _sizes(self, request):
        self.sizes = request.param

    def make(self):
        rng = np.random.default_rng(0)
        energy = binary_machine(4, *self.sizes)
        X = (rng.random((12, 4)) < 0.5).astype(np.float64)
        return energy, random_parameters(energy, rng, scale=0.8), X


@pytest.fixture(params=[(3, 4), (3, 2, 4), (2, 3, 2, 3)], ids=len)
def deep(request, rng):
    """A machine of 5 visible units, its θ, and rows."""
    energy = binary_machine(5, *request.param)
    return energy, random_parameters(energy, rng, scale=0.8), binary_states(5)[::3]


def as_restricted_machine(energy, theta):
    """The same machine as an RBM of (x, h², h⁴, …) and (h¹, h³, …)."""
    views, sizes = energy.layout.views(theta), (energy.n_features, *energy.sizes)
    biases = [views["visible_bias"], views["hidden_bias"]]
    blocks = {(1, 0): views["weights"]}
    for layer in range(2, len(sizes)):
        biases.append(views[f"bias_{layer}"])
        weights = views[f"weights_{layer}"]
        blocks[(layer, layer - 1) if layer % 2 else (layer - 1, layer)] = (
            weights if layer % 2 else weights.T
        )
    even, odd = range(0, len(sizes), 2), range(1, len(sizes), 2)
    rows = [[blocks.get((i, j), np.zeros((sizes[i], sizes[j]))) for j in even] for i in odd]
    rbm = BernoulliRBMEnergy(sum(sizes[::2]), sum(sizes[1::2]))
    return rbm, rbm.layout.pack(
        weights=np.block(rows),
        visible_bias=np.concatenate([biases[i] for i in even]),
        hidden_bias=np.concatenate([biases[i] for i in odd]),
    )


# -- the restricted machine of even and odd layers ------------------------------------------------


def test_log_partition_is_that_of_the_restricted_machine(deep):
    energy, theta, _ = deep
    rbm, rbm_theta = as_restricted_machine(energy, theta)
    assert_allclose(energy.log_partition(theta), rbm.log_partition(rbm_theta), rtol=1e-12)


def test_the_marginal_is_that_of_the_restricted_machine_with_x_held(deep):
    energy, theta, X = deep
    rbm, rbm_theta = as_restricted_machine(energy, theta)
    given = np.hstack([X, np.zeros((len(X), rbm.n_features - 5))])
    free = np.arange(rbm.n_features) >= 5
    expected = -rbm.log_clamped_partition(rbm_theta, given, free)
    energies, pullback = energy.evaluate_by_states(theta, X)
    assert_allclose(energies, expected, rtol=1e-11)
    w = np.cos(np.arange(len(X)))
    assert_is_gradient(
        pullback(w), lambda t: w @ energy.evaluate_by_states(t, X)[0], theta, energy.layout
    )


def test_the_energy_of_the_chains_is_that_of_the_restricted_machine(deep):
    energy, theta, X = deep
    rbm, _ = as_restricted_machine(energy, theta)
    state, _ = energy.sweep(theta, energy.start(theta, X, seed=0))
    theta_0, betas = energy.tempered_start(X), np.array([0.0, 0.4, 1.0])
    energies = energy.tempered_energies(theta_0, theta, betas, state)
    even = np.hstack(state.blocks[::2])
    for beta, actual in zip(betas, energies, strict=True):
        tempered = as_restricted_machine(energy, energy.temper(theta_0, theta, beta))[1]
        assert_allclose(actual, rbm.evaluate(tempered, even)[0], rtol=1e-12)


def test_expected_blocks_are_the_means_of_the_restricted_machine(deep):
    energy, theta, X = deep
    rbm, rbm_theta = as_restricted_machine(energy, theta)
    state, _ = energy.sweep(theta, energy.start(theta, X, seed=0))
    expected = rbm.posterior(rbm_theta, np.hstack(state.blocks[::2]))
    blocks = energy.expected_blocks(theta, state)
    assert_allclose(np.hstack(blocks[1::2]), expected, rtol=1e-12)
    assert_allclose(np.hstack(blocks[::2]), np.hstack(state.blocks[::2]))


def test_the_gradient_of_the_likelihood_is_that_of_the_restricted_machine(deep):
    """With all but x's neighbours free: −∂ log p(x) by clamped sums on the other side."""
    energy, theta, X = deep
    weights = np.full(len(X), 1 / len(X))
    objective = FlatObjective(MaximumLikelihood())
    _, state = objective.init(energy, theta, X, np.ones(len(X)), np.random.default_rng(0))
    value, gradient, _ = objective.step(energy, theta, X, weights, state, None)

    def by_the_restricted_machine(t):
        rbm, rbm_theta = as_restricted_machine(energy, t)
        given = np.hstack([X, np.zeros((len(X), rbm.n_features - 5))])
        free = np.arange(rbm.n_features) >= 5
        log_p = rbm.log_clamped_partition(rbm_theta, given, free) - rbm.log_partition(rbm_theta)
        return -weights @ log_p

    assert_allclose(value, by_the_restricted_machine(theta), rtol=1e-12)
    assert_is_gradient(gradient, by_the_restricted_machine, theta, energy.layout)


def test_centred_steps_are_those_of_the_restricted_machine(deep, rng):
    energy, theta, _ = deep
    rbm, rbm_theta = as_restricted_machine(energy, theta)
    offsets = [rng.random(size) for size in (5, *energy.sizes)]
    both = np.concatenate(offsets[::2]), np.concatenate(offsets[1::2])
    vector = rng.standard_normal(theta.size)
    for method in ("centre_gradient", "centre_change"):
        ours, theirs = vector.copy(), as_restricted_machine(energy, vector)[1]
        getattr(energy, method)(theta, ours, offsets)
        getattr(rbm, method)(rbm_theta, theirs, both)
        # Blocks of the restricted machine that are 0 here are no parameters.
        theirs_views = rbm.layout.views(theirs)
        mask = rbm.layout.views(as_restricted_machine(energy, np.ones(theta.size))[1])["weights"]
        if method == "centre_gradient":
            theirs_views["weights"] *= mask
        assert_allclose(as_restricted_machine(energy, ours)[1], theirs, rtol=1e-11, atol=1e-13)


# -- one layer, no weights above, layers in reverse -----------------------------------------------


def test_with_one_layer_it_is_the_restricted_machine(rng):
    energy, rbm = binary_machine(5, 3), BernoulliRBMEnergy(5, 3)
    theta, X = random_parameters(rbm, rng), binary_states(5)
    assert dict(energy.layout) == dict(rbm.layout)
    expected, pullback = rbm.evaluate(theta, X)
    w = rng.standard_normal(len(X))
    for function in (energy.bound, energy.evaluate_by_states):
        value, our_pullback = function(theta, X)
        assert_allclose(value, expected, rtol=1e-12)
        assert_allclose(our_pullback(w), pullback(w), rtol=1e-10, atol=1e-12)
    assert_allclose(energy.log_importance_weights(theta, X, 7)[:, 0], -expected, rtol=1e-12)
    states = [machine.start(theta, X, seed=1) for machine in (energy, rbm)]
    for _ in range(3):
        ours, theirs = states = [
            machine.sweep(theta, state)[0]
            for machine, state in zip((energy, rbm), states, strict=True)
        ]
    assert_allclose(ours.visible, theirs.visible)


def test_without_weights_above_the_bound_is_exact(rng):
    energy, rbm = binary_machine(5, 3, 4, 2), BernoulliRBMEnergy(5, 3)
    theta, X = random_parameters(energy, rng), binary_states(5)
    views = energy.layout.views(theta)
    views["weights_2"][...] = views["weights_3"][...] = 0
    of_bottom = theta[: rbm.layout.size]
    constant = sum(np.log1p(np.exp(views[f"bias_{layer}"])).sum() for layer in (2, 3))
    expected = rbm.evaluate(of_bottom, X)[0] - constant
    assert_allclose(energy.bound(theta, X)[0], expected, rtol=1e-12)
    assert_allclose(
        energy.log_partition(theta), rbm.log_partition(of_bottom) + constant, rtol=1e-12
    )


def test_the_layers_in_reverse_have_the_same_log_partition(rng):
    energy, reversed_energy = binary_machine(4, 5, 3), binary_machine(3, 5, 4)
    theta = random_parameters(energy, rng)
    views = energy.layout.views(theta)
    reversed_theta = reversed_energy.layout.pack(
        weights=views["weights_2"].T,
        visible_bias=views["bias_2"],
        hidden_bias=views["hidden_bias"],
        weights_2=views["weights"].T,
        bias_2=views["visible_bias"],
    )
    assert_allclose(
        energy.log_partition(theta), reversed_energy.log_partition(reversed_theta), rtol=1e-12
    )


# -- the bound, and the estimate by importance sampling -------------------------------------------


def test_the_bound_is_below_the_estimate_by_importance_and_that_below_log_p(deep):
    energy, theta, X = deep
    log_p = -energy.evaluate_by_states(theta, X)[0]
    bound = -energy.bound(theta, X)[0]
    log_weights = energy.log_importance_weights(theta, X, 4000)
    assert np.all(bound <= log_p + 1e-12)
    assert np.max(log_p - bound) > 1e-3
    errors = log_weights.std(axis=1) / np.sqrt(4000)
    assert np.all(log_weights.mean(axis=1) >= bound - 5 * errors)
    shares = np.exp(log_weights - log_p[:, np.newaxis])
    assert np.all(np.abs(shares.mean(axis=1) - 1) <= 5 * shares.std(axis=1) / np.sqrt(4000))


def test_mean_field_raises_the_bound_with_every_sweep(deep):
    energy, theta, X = deep
    bounds = []
    for n_sweeps in range(6):
        energy.n_mean_field = n_sweeps
        bounds.append(-energy._bound_at(theta, energy.infer(theta, X)))
    assert np.all(np.diff(bounds, axis=0) >= -1e-12)
    assert np.any(np.diff(bounds, axis=0) > 1e-6)


def test_a_row_with_gaps_has_the_bound_of_what_is_observed(deep, rng):
    energy, theta, X = deep
    free = np.broadcast_to(np.arange(5) >= 3, X.shape)
    start = np.where(free, 0.5, X)
    bound = -energy.clamped_bound(theta, start, free)
    completions = [
        -energy.evaluate_by_states(theta, np.where(free, np.append([0, 0, 0], end), X))[0]
        for end in binary_states(2)
    ]
    log_p = logsumexp(completions, axis=0)
    assert np.all(bound <= log_p + 1e-12)
    assert np.all(bound > log_p - 2)
    nothing = np.zeros(X.shape, dtype=bool)
    assert_allclose(energy.clamped_bound(theta, X, nothing), energy.bound(theta, X)[0])


def test_means_below_a_layer_are_those_of_the_distribution_given_it(rng):
    energy = binary_machine(5, 3, 4)
    theta = random_parameters(energy, rng, scale=0.4)
    views, Z = energy.layout.views(theta), binary_states(4)
    weights, states = np.zeros((16, 32, 8)), (binary_states(5), binary_states(3))
    for i, x in enumerate(states[0]):
        for k, h in enumerate(states[1]):
            exponent = x @ views["visible_bias"] + h @ views["hidden_bias"]
            exponent += h @ views["weights"] @ x
            weights[:, i, k] = np.exp(exponent + Z @ views["weights_2"] @ h)
    p = weights.sum(axis=2) / weights.sum(axis=(1, 2))[:, np.newaxis]
    assert_allclose(energy.means_below(theta, Z, 2), p @ states[0], atol=0.01)
    first = BernoulliRBMEnergy(5, 3).visible_mean(theta[: energy.bottom.layout.size], states[1])
    assert_allclose(energy.means_below(theta, states[1], 1), first)


# -- real visible units ---------------------------------------------------------------------------


@pytest.fixture(params=[0.7, "learn", "learn_diagonal"])
def real(request, rng):
    energy = DeepBoltzmannMachineEnergy(GaussianRBMEnergy(2, 2, request.param), (2, 2), 60)
    theta = random_parameters(energy, rng, scale=0.4)
    return energy, theta, rng.standard_normal((12, 2))


def test_real_units_have_the_sums_of_a_mixture_of_gaussians(real):
    energy, theta, X = real
    axis = np.linspace(-20, 20, 301)
    grid = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    cell = (axis[1] - axis[0]) ** 2
    mass = np.exp(-energy.evaluate_by_states(theta, grid)[0]).sum() * cell
    assert_allclose(energy.log_partition(theta), np.log(mass), rtol=1e-6)
    energies = [
        energy.evaluate_joint(theta, X, np.broadcast_to(z, (len(X), 6)))[0]
        for z in binary_states(6)
    ]
    assert_allclose(
        energy.evaluate_by_states(theta, X)[0], -logsumexp(-np.array(energies), axis=0), rtol=1e-9
    )


def test_real_units_have_a_bound_and_gradients(real):
    energy, theta, X = real
    w = np.cos(np.arange(len(X)))
    bound, pullback = energy.bound(theta, X)
    assert np.all(bound >= energy.evaluate_by_states(theta, X)[0] - 1e-9)
    assert_is_gradient(pullback(w), lambda t: w @ energy.bound(t, X)[0], theta, energy.layout)
    _, gradient = energy.log_partition_and_gradient(theta)
    assert_is_gradient(gradient, energy.log_partition, theta, energy.layout)


def test_a_gap_among_real_units_is_integrated_out_by_the_bound(real):
    energy, theta, X = real
    free = np.broadcast_to([False, True], X.shape)
    bound = energy.clamped_bound(theta, np.where(free, 0.0, X), free)
    axis = np.linspace(-30, 30, 3001)
    for x, value in zip(X, bound, strict=True):
        rows = np.stack([np.full_like(axis, x[0]), axis], axis=1)
        log_p = logsumexp(-energy.evaluate_by_states(theta, rows)[0]) + np.log(axis[1] - axis[0])
        assert -value <= log_p + 1e-9
        assert -value > log_p - 1.5


def test_chains_of_real_units_stay_in_the_model_at_every_temperature(real, rng):
    energy, theta, X = real
    exact = energy.log_partition(theta)
    budget = AnnealedImportanceSampling(200, 500, bracket=True)
    estimate = log_partition(
        energy, theta, fit_reference(energy, X), method="ais", budget=budget, rng=rng
    )
    assert abs(estimate.value - exact) < 4 * estimate.std_err
    assert_allclose(estimate.bracket, exact, atol=0.2)


# -- training and annealing -----------------------------------------------------------------------


@pytest.fixture
def problem():
    """Three patterns, each bit of them wrong once in ten times."""
    rng = np.random.default_rng(1)
    patterns = np.array([[1, 1, 0, 0, 0], [0, 0, 1, 1, 0], [1, 0, 1, 0, 1]])
    X = patterns[rng.integers(3, size=500)] != (rng.random((500, 5)) < 0.1)
    return binary_machine(5, 4, 3), X.astype(np.float64)


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
    energy.n_mean_field = 10
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
    reached = -energy.evaluate_by_states(theta, X)[0].mean() - energy.log_partition(theta)
    assert best - start > 0.2
    assert reached > best - 0.25 * (best - start)


def test_annealing_over_the_even_layers_finds_log_partition(problem, rng):
    energy, X = problem
    theta = random_parameters(energy, rng, scale=1.0)
    exact = ExactDistribution(energy, theta, X).log_partition
    budget = AnnealedImportanceSampling(200, 500, bracket=True)
    estimate = log_partition(
        energy, theta, fit_reference(energy, X), method="ais", budget=budget, rng=rng
    )
    assert abs(estimate.value - exact) < 4 * estimate.std_err
    assert_allclose(estimate.bracket, exact, atol=0.1)


def test_the_criteria_that_fit_are_those_of_the_joint_energy_and_of_sums(problem):
    energy, _ = problem
    assert not isinstance(energy, Marginal)
    assert set(suitable_objectives(energy, OBJECTIVES)) == {
        "cd", "mle", "parallel_tempering", "pcd", "variational_bound", "vnce"
    }  # fmt: skip


@pytest.mark.parametrize("name", ["mle", "variational_bound"])
def test_sums_over_too_many_states_are_refused(name):
    energy = binary_machine(5, 21, 3)
    criterion = FlatObjective(OBJECTIVES[name]())
    theta = np.zeros(energy.layout.size)
    with pytest.raises(ValueError, match=r"2\^20.*has about 2\^21"):
        criterion.init(energy, theta, np.zeros((2, 5)), np.ones(2), np.random.default_rng(0))
