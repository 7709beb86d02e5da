"""Annealing back from the model: an upper bound of log Z, and with the way there a bracket."""

import warnings
from functools import partial

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.exceptions import ConvergenceWarning

from sklvm import DeepEnergyModel
from sklvm.base import ConstantLogPartition
from sklvm.energies import BernoulliRBMEnergy, DeepEnergy, GaussianEnergy, GaussianRBMEnergy
from sklvm.partition import (
    AnnealedImportanceSampling,
    annealing_path,
    fit_reference,
    log_partition,
)
from sklvm.testing import ExactDistribution, random_parameters


def binary(n_features=8, n_components=6, scale=1.0):
    rng = np.random.default_rng(1)
    energy = BernoulliRBMEnergy(n_features, n_components)
    X = (rng.random((100, n_features)) < 0.3).astype(np.float64)
    return energy, random_parameters(energy, rng, scale), X


def gaussian_rbm():
    rng = np.random.default_rng(2)
    energy = GaussianRBMEnergy(2, 4)
    return energy, random_parameters(energy, rng), rng.standard_normal((100, 2))


def deep():
    rng = np.random.default_rng(0)
    energy = DeepEnergy(2, 6, (8,), activation="tanh", sigma=1.0)
    return energy, random_parameters(energy, rng, scale=0.8), 0.5 * rng.standard_normal((100, 2))


def gaussian():
    energy = GaussianEnergy(2)
    theta = energy.pack([1.0, -1.0], [[2.0, 0.7], [0.7, 1.0]])
    return energy, theta, np.random.default_rng(3).standard_normal((100, 2))


MODELS = [binary, gaussian_rbm, deep, gaussian]


def estimate(model, n_temperatures, n_chains, rng, method="ais", bracket=True):
    energy, theta, X = model
    budget = AnnealedImportanceSampling(n_temperatures, n_chains, bracket=bracket)
    reference = fit_reference(energy, X)
    return log_partition(energy, theta, reference, method=method, budget=budget, rng=rng)


@pytest.mark.parametrize("make", MODELS)
def test_on_a_long_path_both_ends_of_the_bracket_are_log_partition(make, rng):
    model = make()
    result = estimate(model, 300, 1000, rng)
    exact = ExactDistribution(*model).log_partition
    assert result.method == "ais"
    assert result.value == result.bracket[0]
    assert_allclose(result.bracket, exact, atol=0.05)


@pytest.mark.parametrize("make", MODELS)
def test_on_a_short_path_the_bracket_is_wide_and_holds_log_partition(make, rng):
    # On average over the runs, by Jensen's inequality; few chains make it tell.
    model = make()
    exact = ExactDistribution(*model).log_partition
    brackets = np.array([estimate(model, 3, 2, rng).bracket for _ in range(100)])
    error = brackets.std(axis=0) / np.sqrt(100)
    lower, upper = brackets.mean(axis=0)
    assert lower - 2 * error[0] < exact < upper + 2 * error[1]
    assert upper - lower > 2 * error.sum()


@pytest.mark.parametrize("make", [binary, gaussian_rbm, gaussian])
def test_the_mean_weight_of_the_way_back_is_unbiased_even_on_a_coarse_path(make, rng):
    # E[w] = Z₀/Z whatever the temperatures and the transitions.
    energy, theta, X = model = make()
    path = annealing_path(energy, theta, fit_reference(energy, X))
    result = estimate(model, 5, 20_000, rng, method="reverse_ais", bracket=False)
    assert result.method == "reverse_ais"
    assert result.bracket is None
    log_ratio = path.log_partition_0 - ExactDistribution(*model).log_partition
    ratio = np.exp(path.log_partition_0 - result.value - log_ratio)
    assert abs(ratio - 1) < 5 * result.std_err


def test_without_independent_draws_chains_from_the_forward_run_do(rng):
    energy, theta, X = binary()
    path = annealing_path(energy, theta, fit_reference(energy, X))
    result = AnnealedImportanceSampling(200, 1000).estimate(path, rng, method="reverse_ais")
    exact = energy.log_partition(theta)
    assert result.method == "reverse_ais"
    assert result.value == result.bracket[1]
    assert_allclose(result.bracket, exact, atol=0.1)
    assert abs(result.value - exact) < 4 * result.std_err


def test_a_way_back_from_the_model_to_itself_has_no_error(rng):
    energy, _, X = binary()
    theta_0 = energy.tempered_start(X)
    path = annealing_path(energy, theta_0, theta_0)
    draw = partial(energy.sample, theta_0)
    budget = AnnealedImportanceSampling(20, 10, bracket=True)
    result = budget.estimate(path, rng, draw=draw)
    assert_allclose(result.bracket, energy.start_log_partition(theta_0), rtol=1e-12)


def test_the_exact_method_has_no_bracket():
    energy, theta, _ = binary()
    budget = AnnealedImportanceSampling(bracket=True)
    assert log_partition(energy, theta, budget=budget).bracket is None


def test_the_budget_keeps_the_bracket_when_it_is_settled_for_data():
    assert AnnealedImportanceSampling(bracket=True).for_data(10_000).bracket


# -- estimators -----------------------------------------------------------------------------------


def test_an_estimator_publishes_the_bracket(rng):
    X = rng.standard_normal((100, 2))
    model = DeepEnergyModel(
        2,
        hidden_layer_sizes=(),
        max_iter=2,
        partition=AnnealedImportanceSampling(100, 50, bracket=True),
        random_state=0,
        objective="score_matching",
        sigma=1.0,
        optimizer="adam",
    ).fit(X)
    model.estimate_log_partition()
    lower, upper = model.log_partition_bracket_
    assert lower == model.log_partition_
    assert abs(upper - lower) < 1
    model.partial_fit(X)
    assert not hasattr(model, "log_partition_bracket_")


def test_a_bracket_wider_than_two_nats_warns(rng):
    X = (rng.random((60, 1)) < 0.5).repeat(12, axis=1).astype(np.float64)
    energy = BernoulliRBMEnergy(12, 8)
    W = 4 * rng.standard_normal((8, 12))
    theta = energy.layout.pack(weights=W, visible_bias=0.0, hidden_bias=0.0)
    log_partition = ConstantLogPartition(energy, "auto", seed=0).show(X, np.ones(60))
    poor = AnnealedImportanceSampling(3, 10, bracket=True)
    with pytest.warns(ConvergenceWarning, match=r"bracket wider than 2 nats"):
        log_partition.estimate_anew(theta, 0, partition=poor, rng=np.random.default_rng(0))
    good = AnnealedImportanceSampling(1000, 100, bracket=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        estimate = log_partition.estimate_anew(
            theta, 0, partition=good, rng=np.random.default_rng(0)
        )
    assert_allclose(estimate.bracket, energy.log_partition(theta), atol=0.5)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["ais", "reverse_ais"])
def test_annealing_is_within_three_standard_errors_in_95_of_100_runs(method):
    energy, theta, _ = model = binary(20, 12, scale=0.7)
    exact = energy.log_partition(theta)
    results = [
        estimate(model, 500, 100, np.random.default_rng(seed), method, bracket=False)
        for seed in range(100)
    ]
    assert sum(abs(result.value - exact) <= 3 * result.std_err for result in results) >= 95
