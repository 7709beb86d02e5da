"""Held-out rows minus training rows: what the gap is, and what it tells."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array

from sklvm import BernoulliRBM, GaussianRBM
from sklvm.energies import BernoulliRBMEnergy
from sklvm.objectives import MaximumLikelihood
from sklvm.optimizers import SGD, Adam
from sklvm.testing import random_parameters
from sklvm.training import EnergyGap, Training


def bits(n_samples, rng, n_features=6):
    return (rng.random((n_samples, n_features)) < 0.4).astype(np.float64)


def a_training(X, theta):
    weights, rng = np.ones(len(X)), np.random.default_rng(0)
    energy = BernoulliRBMEnergy(X.shape[1], 3)
    training = Training(energy, MaximumLikelihood(), SGD(), X, weights, rng)
    training.energy_theta[:] = theta
    return training


def test_it_is_the_difference_of_weighted_mean_energies(rng):
    X, weights = bits(40, rng), rng.uniform(0.5, 2.0, 40)
    energy = BernoulliRBMEnergy(6, 3)
    theta = random_parameters(energy, rng)
    rows, held_out = np.arange(10), np.arange(10, 40)
    gap = EnergyGap(X, weights, rows, held_out, 7, rng).measure(a_training(X, theta))
    energies = energy.evaluate(theta, X)[0]
    training_mean, held_out_mean = (
        np.average(energies[part], weights=weights[part]) for part in (rows, held_out)
    )
    assert gap == pytest.approx(held_out_mean - training_mean, rel=1e-12)


def test_of_many_training_rows_it_takes_as_many_as_are_held_out(rng):
    X = bits(1000, rng)
    X[900:] = 0  # held out
    theta = np.zeros(BernoulliRBMEnergy(6, 3).layout.size)
    training = a_training(X, theta)
    seen = []
    training.mean_energy = lambda part, weights, batch_size: seen.append(part) or 0.0
    EnergyGap(X, np.ones(1000), np.arange(900), np.arange(900, 1000), 50, rng).measure(training)
    held_out, some = seen
    assert_array_equal(held_out, X[900:])
    assert some.shape == (100, 6) and some.any(axis=1).sum() > 80


@pytest.mark.parametrize("objective", ["pcd", "cd", "nce", "mle"])
def test_history_has_it_for_any_criterion(objective, rng):
    model = BernoulliRBM(
        3, objective=objective, free_energy_gap=True, validation_fraction=0.25, max_iter=4
    ).fit(bits(80, rng))
    assert model.history_["free_energy_gap"].shape == (4,)
    assert "validation_objective" not in model.history_


def test_a_model_of_few_rows_shows_that_it_overfits(rng):
    X = bits(2000, rng, 8)
    model = BernoulliRBM(
        16, objective="mle", optimizer=Adam(0.05), free_energy_gap=True, random_state=0, max_iter=20
    )
    few = model.set_params(max_iter=300).fit(X[:60]).history_["free_energy_gap"]
    many = model.set_params(max_iter=15).fit(X).history_["free_energy_gap"]
    assert few[-1] > few[0] + 1
    assert abs(many[-1]) < 0.3


def test_rows_held_out_do_not_train(rng):
    X = bits(60, rng)
    whole = BernoulliRBM(2, max_iter=3, random_state=0).fit(X)
    part = BernoulliRBM(2, max_iter=3, free_energy_gap=True, random_state=0).fit(X)
    assert np.any(whole.components_ != part.components_)
    few = BernoulliRBM(2, free_energy_gap=True, validation_fraction=0.001, max_iter=20)
    with pytest.raises(ValueError, match=r"validation_fraction=0\.001 of 60 samples"):
        few.fit(X)


def test_it_is_there_beside_early_stopping_on_the_same_rows(rng):
    X = rng.standard_normal((200, 3))
    model = GaussianRBM(
        2, objective="mle", early_stopping=True, free_energy_gap=True, max_iter=5, random_state=0
    ).fit(X)
    assert model.history_["free_energy_gap"].shape == model.history_["validation_objective"].shape


def test_sparse_and_incomplete_rows_have_one_too(rng):
    X = bits(100, rng)
    model = BernoulliRBM(2, free_energy_gap=True, max_iter=3, random_state=0)
    dense = model.fit(X).history_["free_energy_gap"]
    assert_allclose(model.fit(csr_array(X)).history_["free_energy_gap"], dense, rtol=1e-12)
    holes = np.where(rng.random(X.shape) < 0.2, np.nan, X)
    assert np.all(np.isfinite(model.fit(holes).history_["free_energy_gap"]))
