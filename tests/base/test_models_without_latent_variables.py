"""Trained densities of visible units only, and those whose hidden units are a matter of choice."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import multivariate_normal
from sklearn.base import clone
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import (
    check_param_validation,
    check_set_output_transform,
    check_transformer_get_feature_names_out,
    parametrize_with_checks,
)

from sklvm.energies import GaussianEnergy, GaussianRBMEnergy
from sklvm.energy_based import EnergyBasedModel, LatentEnergyBasedModel

LATENT = (
    "transform",
    "fit_transform",
    "inverse_transform",
    "set_output",
    "get_feature_names_out",
)


class VisibleModel(EnergyBasedModel):
    """A Gaussian without hidden units, as a newcomer would write it."""

    def __init__(
        self,
        *,
        objective="score_matching",
        optimizer="lbfgs",
        weight_decay=0.0,
        max_iter=200,
        batch_size=100,
        shuffle=True,
        tol=0.0,
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=10,
        partition="auto",
        warm_start=False,
        random_state=None,
        verbose=0,
    ):
        self.objective = objective
        self.optimizer = optimizer
        self.weight_decay = weight_decay
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.tol = tol
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.partition = partition
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose

    def _make_energy(self, n_features):
        return GaussianEnergy(n_features)

    def _model_attributes(self, energy, theta):
        return {"location_": energy.layout.views(theta)["location"]}


class OptionalModel(LatentEnergyBasedModel):
    """A Gaussian machine that has hidden units where it is given some."""

    _parameter_constraints: dict = {"n_components": ["array-like", int]}

    def __init__(
        self,
        n_components=2,
        *,
        objective="score_matching",
        optimizer="adam",
        weight_decay=0.0,
        max_iter=3,
        batch_size=100,
        shuffle=True,
        tol=0.0,
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=10,
        partition="auto",
        warm_start=False,
        random_state=None,
        verbose=0,
    ):
        self.n_components = n_components
        self.objective = objective
        self.optimizer = optimizer
        self.weight_decay = weight_decay
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.tol = tol
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.partition = partition
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose

    def _make_energy(self, n_features):
        if self.n_components:
            return GaussianRBMEnergy(n_features, self.n_components)
        return GaussianEnergy(n_features)

    def _model_attributes(self, energy, theta):
        return {}

    def inverse_transform(self, Z):
        energy, theta = self.fitted_energy_
        return energy.visible_mean(theta, Z)


@pytest.fixture
def X():
    rng = np.random.default_rng(0)
    return rng.standard_normal((200, 3)) @ [[1.0, 0.5, 0.0], [0.0, 1.0, 0.0], [0.0, 0.3, 0.7]]


@parametrize_with_checks([VisibleModel(optimizer="adam", max_iter=5)])
def test_a_visible_model_is_an_estimator_by_all_of_scikit_learns_checks(estimator, check):
    check(estimator)


def test_a_visible_model_checks_each_of_its_parameters_and_no_others():
    check_param_validation("VisibleModel", VisibleModel())
    assert "n_components" not in VisibleModel._parameter_constraints


def test_a_visible_model_is_the_gaussian_of_the_data(X):
    model = VisibleModel().fit(X)
    gaussian = multivariate_normal(X.mean(axis=0), np.cov(X.T, bias=True))
    assert_allclose(model.score_samples(X), gaussian.logpdf(X), atol=1e-4)
    assert model.score_normalized_
    assert not model.score_is_bound_
    assert model.log_partition_std_err_ == 0
    draws = model.sample(4000, random_state=0)
    assert_allclose(draws.mean(axis=0), X.mean(axis=0), atol=0.08)
    assert_allclose(np.cov(draws.T), np.cov(X.T), atol=0.12)


def test_a_visible_model_has_nothing_to_transform_to(X):
    for model in (VisibleModel(), VisibleModel().fit(X)):
        assert [name for name in LATENT if hasattr(model, name)] == []
        assert get_tags(model).transformer_tags is None


def test_hidden_units_that_are_not_there_transform_nothing(X):
    for model in (OptionalModel(0), OptionalModel(0).fit(X)):
        assert [name for name in LATENT if hasattr(model, name)] == []
        assert get_tags(model).transformer_tags is None
        with pytest.raises(AttributeError, match="has no attribute 'transform'"):
            model.transform(X)
    assert model.score_samples(X).shape == (200,)


def test_hidden_units_that_are_there_transform(X):
    model = OptionalModel(2)
    assert [name for name in LATENT if hasattr(model, name)] == list(LATENT)
    assert get_tags(model).transformer_tags.preserves_dtype == ["float64", "float32"]
    assert model.fit_transform(X).shape == (200, 2)
    assert model.inverse_transform(model.transform(X)).shape == (200, 3)
    assert list(model.get_feature_names_out()) == ["optionalmodel0", "optionalmodel1"]
    check_set_output_transform("OptionalModel", clone(model))
    check_transformer_get_feature_names_out("OptionalModel", clone(model))


def test_what_was_fitted_says_whether_there_are_hidden_units(X):
    with_units = OptionalModel(2).fit(X).set_params(n_components=0)
    assert with_units.transform(X).shape == (200, 2)
    without = OptionalModel(0).fit(X).set_params(n_components=2)
    assert not hasattr(without, "transform")
