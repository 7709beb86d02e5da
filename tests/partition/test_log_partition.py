"""log Z by whichever means an energy allows, and the errors where it allows none."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sklvm.densities import GaussianDensity
from sklvm.energies import BernoulliRBMEnergy, DeepEnergy, GaussianEnergy
from sklvm.layouts import ParameterLayout
from sklvm.partition import (
    AnnealedImportanceSampling,
    annealing_path,
    fit_reference,
    log_partition,
)
from sklvm.testing import random_parameters

SMALL = AnnealedImportanceSampling(n_temperatures=30, n_chains=20)


def assert_is_exact(estimate, value):
    assert estimate.method == "exact"
    assert (estimate.std_err, estimate.effective_sample_size) == (0.0, np.inf)
    assert_allclose(estimate.value, value, rtol=1e-12)


@pytest.mark.parametrize("method", ["auto", "exact"])
def test_closed_forms_and_small_sums_are_exact(method, rng):
    gaussian = GaussianEnergy(3)
    theta = gaussian.pack(np.ones(3), 2 * np.eye(3))
    assert_is_exact(log_partition(gaussian, theta, method=method), 1.5 * np.log(np.pi))
    rbm = BernoulliRBMEnergy(300, 10)
    estimate = log_partition(rbm, np.zeros(rbm.layout.size, dtype=np.float32), method=method)
    assert_is_exact(estimate, 310 * np.log(2))


def test_a_sum_over_too_many_states_is_left_to_annealing(rng):
    rbm = BernoulliRBMEnergy(30, 21)
    theta = np.zeros(rbm.layout.size)
    reference = fit_reference(rbm, np.tile([[0.0], [1.0]], (1, 30)))
    estimate = log_partition(rbm, theta, reference, budget=SMALL, rng=rng)
    assert estimate.method == "ais"
    assert_allclose(estimate.value, 51 * np.log(2), rtol=1e-9)
    with pytest.raises(ValueError, match=r"BernoulliRBMEnergy .* 20 binary units.*method='ais'"):
        log_partition(rbm, theta, method="exact")


def test_the_fit_of_the_reference_follows_the_energy(rng):
    X = rng.standard_normal((400, 3)) @ np.diag([1.0, 2.0, 3.0]) + 4
    weights = np.where(np.arange(400) < 200, 1.0, 0.0)
    reference = fit_reference(DeepEnergy(3, 2), X, weights)
    assert isinstance(reference, GaussianDensity)
    assert_allclose(reference.location, X[:200].mean(axis=0))
    assert fit_reference(BernoulliRBMEnergy(3, 2), (X > 4) * 1.0).shape == (3 * 2 + 3 + 2,)


def test_annealing_wants_a_reference():
    energy = DeepEnergy(3, 2)
    with pytest.raises(ValueError, match=r"Annealing needs a reference.*fit_reference"):
        log_partition(energy, np.zeros(energy.layout.size))


def test_an_unknown_method_is_named():
    with pytest.raises(ValueError, match=r"method must be .*'ais' or 'reverse_ais', got 'bridge'"):
        log_partition(GaussianEnergy(2), np.zeros(5), method="bridge")


def test_an_energy_without_a_path_is_told_what_it_lacks():
    class Bare:
        n_features = 2
        layout = ParameterLayout({})

        def init_parameters(self, X, rng, sample_weight=None):
            return np.empty(0)

    with pytest.raises(ValueError, match=r"Bare has neither .*Tempered.* nor the Score"):
        annealing_path(Bare(), np.empty(0), None)


def test_the_number_of_temperatures_follows_the_data_unless_it_is_given():
    budget = AnnealedImportanceSampling()
    assert budget.for_data(10).n_temperatures == 50
    assert budget.for_data(10_000).n_temperatures == 500
    assert budget.for_data(10**9).n_temperatures == 1000
    assert budget.n_temperatures is None
    assert SMALL.for_data(10**9).n_temperatures == 30


@pytest.mark.parametrize(
    ("budget", "name"),
    [
        (AnnealedImportanceSampling(n_temperatures=1), "n_temperatures"),
        (AnnealedImportanceSampling(n_chains=1), "n_chains"),
        (AnnealedImportanceSampling(n_leapfrog_steps=0), "n_leapfrog_steps"),
    ],
)
def test_a_budget_out_of_range_is_named(budget, name):
    with pytest.raises(ValueError, match=f"'{name}' parameter of AnnealedImportanceSampling"):
        budget.validate()


def test_the_same_generator_gives_the_same_estimate():
    energy = DeepEnergy(2, 3, ())
    theta = random_parameters(energy, np.random.default_rng(0))
    reference = GaussianDensity(np.zeros(2), np.eye(2))
    first, again, other = (
        log_partition(energy, theta, reference, budget=SMALL, rng=np.random.default_rng(seed)).value
        for seed in (1, 1, 2)
    )
    assert first == again != other
