"""Restricted Boltzmann machines on one thread and on two."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from threadpoolctl import threadpool_limits

from sklvm import BernoulliRBM, GaussianRBM

MODELS = [BernoulliRBM, GaussianRBM]


def data_for(Model, rng):
    X = rng.standard_normal((400, 60)) @ rng.standard_normal((60, 60))
    return (X > 0).astype(np.float64) if Model is BernoulliRBM else X / X.std(axis=0)


def on_threads(n_threads, function):
    with threadpool_limits(n_threads):
        return function()


@pytest.mark.parametrize("Model", MODELS)
def test_a_fit_by_an_exact_criterion_agrees_to_rounding(Model, rng):
    X = data_for(Model, rng)
    model = Model(6, objective="mle", max_iter=5, partition="none", random_state=0)
    one, two = (on_threads(n, lambda: clone(model).fit(X)) for n in (1, 2))
    assert_allclose(two.components_, one.components_, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("objective", ["pcd", "cd"])
@pytest.mark.parametrize("Model", MODELS)
def test_a_fit_that_samples_reproduces_at_a_fixed_number_of_threads(Model, objective, rng):
    X = data_for(Model, rng)
    model = Model(6, objective=objective, max_iter=3, partition="none", random_state=0)
    for n_threads in (1, 2):
        first, again = (on_threads(n_threads, lambda: clone(model).fit(X)) for _ in range(2))
        assert_array_equal(first.components_, again.components_)


@pytest.mark.parametrize("Model", MODELS)
def test_what_a_fitted_model_says_agrees_to_rounding(Model, rng):
    X = data_for(Model, rng)
    model = Model(6, max_iter=3, random_state=0).fit(X)
    for method in ("transform", "free_energy", "score_samples"):
        one, two = (on_threads(n, lambda m=method: getattr(model, m)(X)) for n in (1, 2))
        assert_allclose(two, one, rtol=1e-10)
