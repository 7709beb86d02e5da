"""Restricted Boltzmann machines by every objective and option: they train, or say why not."""

import warnings
from functools import cache

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.exceptions import ConvergenceWarning

from sklvm import BernoulliRBM, GaussianRBM
from sklvm.objectives import OBJECTIVES, suitable_objectives

FITTING = {
    Model: suitable_objectives(Model(2)._make_energy(4), OBJECTIVES)
    for Model in (BernoulliRBM, GaussianRBM)
}
CELLS = [(Model, name) for Model, names in FITTING.items() for name in names]
ABSENT = [(Model, name) for Model in FITTING for name in OBJECTIVES if name not in FITTING[Model]]


def data_for(Model):
    X = np.random.default_rng(0).standard_normal((60, 4))
    return (X > 0).astype(np.float64) if Model is BernoulliRBM else X


def with_gaps(X):
    return np.where(np.random.default_rng(1).random(X.shape) < 0.1, np.nan, X)


OPTIONS = {
    "weights": ({}, {"sample_weight": np.linspace(0, 2, 60)}, None),
    "single precision": ({}, {}, lambda X: X.astype(np.float32)),
    "missing entries": ({}, {}, with_gaps),
    "no centring": ({"centered": False}, {}, None),
    "weight decay": ({"weight_decay": 0.1}, {}, None),
    "sparsity": ({"sparsity_target": 0.2}, {}, None),
    "momentum": ({"optimizer": "sgd", "batch_size": 7}, {}, None),
    "gap": ({"free_energy_gap": True}, {}, None),
}


@cache
def plain(Model, objective):
    return Model(2, objective=objective, max_iter=2, random_state=0).fit(data_for(Model))


@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize(("Model", "objective"), CELLS)
def test_every_option_takes_effect_under_every_objective_that_fits(Model, objective, option):
    parameters, fit_parameters, change = OPTIONS[option]
    X = data_for(Model) if change is None else change(data_for(Model))
    model = Model(2, objective=objective, max_iter=2, random_state=0, **parameters)
    scores = model.fit(X, **fit_parameters).score_samples(X)
    assert np.all(np.isfinite(scores))
    assert scores.dtype == model.components_.dtype == X.dtype
    assert not np.array_equal(model.components_, plain(Model, objective).components_)
    before = model.components_.copy()
    assert not np.array_equal(model.partial_fit(X, **fit_parameters).components_, before)


@pytest.mark.parametrize(("Model", "objective"), CELLS)
def test_a_row_of_weight_zero_is_not_there(Model, objective):
    X, weights = data_for(Model), np.linspace(0, 2, 60)
    model = Model(2, objective=objective, max_iter=2, random_state=0, partition="none")
    with_it = model.fit(X, sample_weight=weights).components_
    without = model.fit(X[1:], sample_weight=weights[1:]).components_
    assert np.array_equal(with_it, without)


@pytest.mark.parametrize("objective", FITTING[BernoulliRBM])
def test_every_objective_of_binary_data_takes_sparse_rows(objective):
    X = data_for(BernoulliRBM)
    model = BernoulliRBM(2, objective=objective, max_iter=2, random_state=0)
    dense, sparse = model.fit(X).components_, model.fit(csr_array(X)).components_
    assert np.array_equal(dense, sparse)


@pytest.mark.parametrize(("Model", "objective"), CELLS)
def test_full_batches_go_with_criteria_without_noise(Model, objective):
    model = Model(2, objective=objective, optimizer="lbfgs", max_iter=3)
    if OBJECTIVES[objective]().deterministic:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            assert np.all(np.isfinite(model.fit(data_for(Model)).components_))
        with pytest.raises(ValueError, match="contains NaN"):
            model.fit(with_gaps(data_for(Model)))
    else:
        with pytest.raises(ValueError, match="needs a deterministic objective"):
            model.fit(data_for(Model))


@pytest.mark.parametrize(("Model", "objective"), CELLS)
def test_early_stopping_goes_with_criteria_that_have_a_value(Model, objective):
    model = Model(2, objective=objective, early_stopping=True, max_iter=3)
    if OBJECTIVES[objective]().has_value:
        assert len(model.fit(data_for(Model)).history_["validation_objective"]) == 3
    else:
        with pytest.raises(ValueError, match="has no value to watch"):
            model.fit(data_for(Model))


@pytest.mark.parametrize(("Model", "objective"), ABSENT)
def test_any_other_objective_is_refused_with_the_names_of_those_that_fit(Model, objective):
    with pytest.raises(ValueError, match=f"does not fit {Model.__name__}") as error:
        Model(2, objective=objective).fit(data_for(Model))
    assert str(FITTING[Model]) in str(error.value)
