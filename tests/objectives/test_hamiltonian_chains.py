"""CD and PCD on continuous energies against maximum likelihood."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import softmax
from sklearn.model_selection import GridSearchCV

from sklvm import DeepEnergyModel
from sklvm.energies import BernoulliRBMEnergy, DeepEnergy, GaussianEnergy, Marginal
from sklvm.objectives import (
    OBJECTIVES,
    ContrastiveDivergence,
    Objective,
    PersistentContrastiveDivergence,
    check_capabilities,
    describe_requirements,
)
from sklvm.optimizers import Adam
from sklvm.samplers import CHAINS, HamiltonianChains
from sklvm.testing import ExactDistribution, FlatObjective

TARGETS = {"hmc": 0.65, "langevin": 0.574}


def maximize_likelihood(objective, energy, X, rng, *, n_steps=1500, learning_rate=0.02):
    """θ after steps on all rows, and the diagnostics of the second half."""
    weights = np.full(len(X), 1 / len(X), dtype=X.dtype)
    theta = energy.init_parameters(X, rng)
    _, state = FlatObjective(objective).init(energy, theta, X, weights, rng)
    optimizer = Adam(learning_rate, schedule="linear")
    moments = optimizer.init(theta, n_planned_steps=n_steps)
    diagnostics = []
    for _ in range(n_steps):
        _, gradient, state = FlatObjective(objective).step(energy, theta, X, weights, state, rng)
        optimizer.step(theta, gradient, moments)
        diagnostics.append(objective.diagnostics(state))
    return theta, diagnostics[n_steps // 2 :]


@pytest.mark.parametrize("sampler", ["hmc", "langevin"])
@pytest.mark.parametrize("units", [1.0, [0.01, 1.0, 1.0, 50.0]], ids=["white", "odd units"])
def test_pcd_at_the_maximum_of_the_likelihood_is_at_rest(sampler, units, rng):
    mixing = np.array([[1, 0, 0, 0], [0.6, 1, 0, 0], [0, -0.5, 1, 0], [0.3, 0, 0.4, 1]])
    X = (1 + rng.standard_normal((400, 4)) @ mixing.T) * units
    # Odd units would need as many learning rates, so the model is held where the likelihood is
    # greatest, and there the gradient has to vanish.
    energy = GaussianEnergy(4)
    theta = energy.pack(X.mean(axis=0), np.linalg.inv(np.cov(X.T, ddof=0)))
    objective = PersistentContrastiveDivergence(n_chains=500, sampler=sampler)
    weights = np.full(400, 1 / 400)
    _, state = FlatObjective(objective).init(energy, theta, X, weights, rng)
    gradients = []
    for _ in range(600):
        _, gradient, state = FlatObjective(objective).step(energy, theta, X, weights, state, rng)
        gradients.append(gradient)
    batches = np.reshape(gradients[100:], (10, 50, -1)).mean(axis=1)
    deviation = batches.std(axis=0, ddof=1) / np.sqrt(10)
    assert np.all(np.abs(batches.mean(axis=0)) < 7 * deviation)


@pytest.mark.parametrize("sampler", ["hmc", "langevin"])
def test_pcd_reaches_the_covariance_of_the_sample(sampler, rng):
    mixing = np.array([[1, 0, 0], [0.6, 1, 0], [0, -0.5, 1]])
    X = 1 + rng.standard_normal((300, 3)) @ mixing.T
    energy = GaussianEnergy(3)
    objective = PersistentContrastiveDivergence(n_chains=300, sampler=sampler)
    theta, diagnostics = maximize_likelihood(objective, energy, X, rng)
    covariance = np.linalg.inv(energy.precision(theta))
    assert_allclose(covariance, np.cov(X.T, ddof=0), atol=0.05)
    assert_allclose(energy.layout.views(theta)["location"], X.mean(axis=0), atol=0.03)
    acceptance = np.mean([values["acceptance_rate"] for values in diagnostics])
    assert abs(acceptance - TARGETS[sampler]) < 0.02


@pytest.fixture
def two_bumps(rng):
    """Rows of two overlapping bumps, and a deep energy for them."""
    X = 0.7 * rng.standard_normal((400, 2)) + np.where(rng.random((400, 1)) < 0.5, 1.0, -1.0)
    return DeepEnergy(2, 4, (5,), activation="tanh", sigma="learn"), X


def log_likelihood(energy, theta, X):
    """Mean log p(x) in nats, Z by quadrature."""
    return -energy.evaluate(theta, X)[0].mean() - ExactDistribution(energy, theta, X).log_partition


def test_pcd_raises_the_likelihood_of_a_deep_energy_as_far_as_its_exact_gradient(two_bumps, rng):
    energy, X = two_bumps

    class Exact(Objective):
        """The gradient of −log p by quadrature on a grid of 50 × 50."""

        def step(self, energy, theta, X, weights, state, rng):
            axis = np.linspace(-6, 6, 50)
            points = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
            energies, pullback = energy.evaluate(theta.energy, points)
            gradient = energy.evaluate(theta.energy, X)[1](weights)
            return None, theta.like(gradient - pullback(softmax(-energies))), None

    gaussian = -0.5 * np.linalg.slogdet(2 * np.pi * np.e * np.cov(X.T, ddof=0))[1]
    budget = {"n_steps": 400, "learning_rate": 0.05}
    reached = {
        name: log_likelihood(energy, maximize_likelihood(objective, energy, X, rng, **budget)[0], X)
        for name, objective in {
            "exact": Exact(),
            "pcd": PersistentContrastiveDivergence(n_chains=400, n_steps=2),
        }.items()
    }
    assert reached["exact"] > gaussian + 0.05
    assert abs(reached["pcd"] - reached["exact"]) < 0.03


def test_float32_chains_stay_float32(two_bumps, rng):
    energy, X = two_bumps
    theta, _ = maximize_likelihood(
        PersistentContrastiveDivergence(), energy, X.astype(np.float32), rng, n_steps=20
    )
    assert theta.dtype == np.float32
    theta = energy.init_parameters(X.astype(np.float32), rng)
    chains = HamiltonianChains()
    state = chains.start(energy, theta, X.astype(np.float32), seed=0)
    assert chains.run(energy, theta, state, 3)[0].visible.dtype == np.float32


@pytest.mark.parametrize("sampler", CHAINS)
def test_chains_are_a_function_of_their_state(sampler, two_bumps, rng):
    energy, X = two_bumps
    if sampler == "gibbs":
        energy, X = BernoulliRBMEnergy(2, 3), (X > 0).astype(float)
    theta, chains = energy.init_parameters(X, rng), CHAINS[sampler]()
    state, _ = chains.run(energy, theta, chains.start(energy, theta, X, seed=3), 2)
    first, _ = chains.sweep(energy, theta, state)
    again, _ = chains.sweep(energy, theta, pickle.loads(pickle.dumps(state)))
    assert_array_equal(first.visible, again.visible)
    assert not np.array_equal(first.visible, state.visible)


# -- in an estimator ------------------------------------------------------------------------------


def a_model(objective, **params):
    return DeepEnergyModel(
        3,
        hidden_layer_sizes=(4,),
        sigma=1.0,
        objective=objective,
        optimizer="adam",
        random_state=0,
        **params,
    )


@pytest.mark.parametrize("objective", ["cd", "pcd"])
def test_the_history_tells_of_the_chains_and_partial_fit_is_fit(objective, two_bumps):
    _, X = two_bumps
    fitted = a_model(objective, partition="none", max_iter=3, shuffle=False).fit(X)
    streamed = a_model(objective, partition="none")
    for _ in range(3):
        streamed.partial_fit(X)
    assert set(fitted.history_) == {"gradient_norm", "acceptance_rate", "step_size"}
    for name, values in fitted.history_.items():
        assert values.shape == (3,)
        assert_array_equal(values, streamed.history_[name])
    assert_array_equal(fitted.coefs_[0], streamed.coefs_[0])
    carried = pickle.loads(pickle.dumps(streamed)).partial_fit(X)
    assert_array_equal(carried.coefs_[0], streamed.partial_fit(X).coefs_[0])


def test_the_acceptance_rate_of_a_fit_ends_at_its_target(two_bumps):
    _, X = two_bumps
    model = a_model("pcd", max_iter=40, partition="none")
    model.set_params(objective__n_steps=3, objective__sampler__target_acceptance=0.8).fit(X)
    assert abs(model.history_["acceptance_rate"][-10:].mean() - 0.8) < 0.03


def test_a_grid_searches_over_objectives_and_samplers(two_bumps):
    _, X = two_bumps
    grid = {
        "objective": ["pcd", "cd", "score_matching"],
        "n_components": [2, 3],
    }
    search = GridSearchCV(a_model("pcd", max_iter=2), grid, cv=2, error_score="raise").fit(X)
    assert np.all(np.isfinite(search.cv_results_["mean_test_score"]))
    samplers = {"objective__sampler": ["hmc", "langevin", HamiltonianChains(3)]}
    search = GridSearchCV(a_model("pcd", max_iter=2), samplers, cv=2, error_score="raise").fit(X)
    assert np.all(np.isfinite(search.cv_results_["mean_test_score"]))


# -- what fits what -------------------------------------------------------------------------------


def test_a_sampler_of_ones_own_choice_narrows_what_is_required():
    rbm, deep = BernoulliRBMEnergy(3, 2), DeepEnergy(3, 2)
    for objective in (ContrastiveDivergence, PersistentContrastiveDivergence):
        for energy in (rbm, deep):
            check_capabilities(objective(), energy, OBJECTIVES, "M")
        check_capabilities(objective(sampler="gibbs"), rbm, OBJECTIVES, "M")
        check_capabilities(objective(sampler="langevin"), deep, OBJECTIVES, "M")
        with pytest.raises(ValueError, match=r"Score capability, which BernoulliRBM.*'cd'"):
            check_capabilities(objective(sampler=HamiltonianChains()), rbm, OBJECTIVES, "M")
        with pytest.raises(ValueError, match="Gibbs capability, which DeepEnergy"):
            check_capabilities(objective(sampler="gibbs"), deep, OBJECTIVES, "M")


def test_alternatives_are_named():
    class MarginalOnly:
        def evaluate(self, theta, X):
            raise NotImplementedError

    with pytest.raises(ValueError, match="with the Gibbs or Score capability"):
        check_capabilities(ContrastiveDivergence(), MarginalOnly(), OBJECTIVES, "M")
    needs = ContrastiveDivergence().requires
    assert describe_requirements(needs) == "(Marginal or PositivePhase) and (Gibbs or Score)"
    assert describe_requirements((Marginal,)) == "Marginal"


def test_the_parameters_of_a_sampler_are_checked_before_any_work():
    objective = ContrastiveDivergence(sampler=HamiltonianChains(target_acceptance=1.0))
    with pytest.raises(ValueError, match="'target_acceptance' parameter of HamiltonianChains"):
        a_model(objective).fit(np.eye(3))
