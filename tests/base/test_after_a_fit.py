"""After a fit: only what was fitted is asked, it pickles small, and what is left is consistent."""

import copy
import pickle

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from sklvm import (
    BernoulliRBM,
    BinaryLatentVAE,
    ConstrainedGaussian,
    DeepEnergyModel,
    GaussianRBM,
    SigmoidAutoencoder,
    VAETransformer,
)
from sklvm.exceptions import DivergenceError
from sklvm.objectives import PersistentContrastiveDivergence
from sklvm.optimizers import SGD, Adam
from sklvm.training import Training

X = np.random.default_rng(1).standard_normal((60, 4))
BITS = (X > 0).astype(np.float64)
BRIEF = {"max_iter": 2, "random_state": 0}
MODELS = {
    "rbm": (BernoulliRBM(3, **BRIEF), BITS),
    "gaussian rbm": (GaussianRBM(3, **BRIEF), X),
    "vae": (VAETransformer(2, hidden_layer_sizes=(5,), **BRIEF), X),
    "bernoulli vae": (
        VAETransformer(2, hidden_layer_sizes=(5,), likelihood="bernoulli", **BRIEF),
        BITS,
    ),
    "deep": (DeepEnergyModel(3, hidden_layer_sizes=(4,), **BRIEF), X),
    "binary": (BinaryLatentVAE(3, **BRIEF), X),
    "many binary": (BinaryLatentVAE(13, **BRIEF), X),
    "autoencoder": (SigmoidAutoencoder(3, **BRIEF), X),
}

# -- set_params -----------------------------------------------------------------------------------

LATER = [
    ("rbm", {"n_components": 7, "binarize": 0.5, "partition": "none"}),
    ("rbm", {"objective": "nce", "optimizer": "sgd", "centered": False, "weight_decay": 1.0}),
    ("gaussian rbm", {"n_components": 7, "sigma": "learn_diagonal", "partition": "none"}),
    ("vae", {"likelihood": "bernoulli", "binarize": 0.5}),
    ("vae", {"n_importance_samples": 3, "sigma": "predict", "posterior": "full"}),
    ("bernoulli vae", {"likelihood": "gaussian", "binarize": None}),
    ("deep", {"hidden_layer_sizes": (), "sigma": "learn", "partition": "none"}),
    ("many binary", {"n_importance_samples": 3, "tied": False}),
]


@pytest.mark.parametrize(("name", "later"), LATER, ids=str)
def test_parameters_that_are_set_later_change_nothing_before_the_next_fit(name, later):
    model, data = MODELS[name]
    fitted = clone(model).fit(data)
    changed = copy.deepcopy(fitted).set_params(**later)
    Z = fitted.transform(data)
    for method, rows in (("transform", data), ("score_samples", data), ("inverse_transform", Z)):
        if hasattr(fitted, method):
            assert_array_equal(getattr(changed, method)(rows), getattr(fitted, method)(rows))
    is_normalized = [getattr(each, "score_normalized_", None) for each in (fitted, changed)]
    assert is_normalized[0] == is_normalized[1]
    for each in (fitted, changed):
        each.partial_fit(data)
    assert_array_equal(changed.transform(data), fitted.transform(data))
    for name, views in fitted_arrays(fitted).items():
        for view, other in zip(views, fitted_arrays(changed)[name], strict=True):
            assert_array_equal(other, view)


def fitted_arrays(model):
    """Lists of arrays, by the names of fitted attributes."""
    fitted = {name: value for name, value in vars(model).items() if name.endswith("_")}
    return {
        name: value if isinstance(value, list) else [np.asarray(value)]
        for name, value in fitted.items()
        if not isinstance(value, dict)
    }


def test_objects_that_are_changed_in_place_later_change_nothing():
    model = clone(MODELS["deep"][0]).set_params(optimizer=Adam(0.01))
    model.fit(X)
    model.optimizer.learning_rate = 1e9
    reference = clone(MODELS["deep"][0]).set_params(optimizer=Adam(0.01)).fit(X)
    assert_array_equal(model.partial_fit(X).coefs_[0], reference.partial_fit(X).coefs_[0])


# -- pickles --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MODELS)
def test_a_pickle_is_the_model_and_goes_on_as_the_model_does(name):
    model, data = MODELS[name]
    model = clone(model).fit(data)
    for twin in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        assert vars(twin).keys() == vars(model).keys()
        assert_array_equal(twin.score_samples(data), model.score_samples(data))
        ahead = copy.deepcopy(model)
        for _ in range(3):
            assert_array_equal(
                twin.partial_fit(data).transform(data), ahead.partial_fit(data).transform(data)
            )
        # Fitted attributes are views of what is trained on, as they were.
        arrays = [array for arrays in fitted_arrays(twin).values() for array in arrays]
        assert any(np.shares_memory(array, twin._training.theta) for array in arrays)


LARGE = {
    "deep": DeepEnergyModel(
        64,
        hidden_layer_sizes=(512,),
        max_iter=20,
        objective="score_matching",
        sigma=1.0,
        optimizer="adam",
    ),
    "noise": GaussianRBM(900, objective="nce", max_iter=20),
    "chains": GaussianRBM(900, objective=PersistentContrastiveDivergence(n_chains=2), max_iter=20),
    "vae": VAETransformer(20, hidden_layer_sizes=(400,), max_iter=50, optimizer="adam"),
    "binary": BinaryLatentVAE(900, max_iter=50, optimizer="adam"),
    "autoencoder": SigmoidAutoencoder(900, max_iter=50, optimizer="adam"),
}


@pytest.mark.parametrize("name", LARGE)
def test_a_pickle_has_the_size_of_the_parameters_and_their_moments(name):
    data = np.random.default_rng(0).standard_normal((30, 50)).astype(np.float32)
    model = clone(LARGE[name]).set_params(max_iter=2, random_state=0).fit(data)
    assert len(pickle.dumps(model)) < 3.2 * model._training.theta.nbytes


# -- interrupted and diverged fits ----------------------------------------------------------------


class Interrupting(SGD):
    """An optimiser during whose third step the user presses Ctrl-C."""

    def step(self, theta, gradient, state):
        if state["n_steps"] == 2:
            raise KeyboardInterrupt
        return super().step(theta, gradient, state)


def broken_fits(name):
    """Models whose last fit ended badly: the first of all, and one after a fit of other data."""
    model, data = MODELS[name]
    for optimizer, error in ((Interrupting(0.01), KeyboardInterrupt), (SGD(1e9), DivergenceError)):
        first = clone(model).set_params(optimizer=optimizer)
        second = clone(model).fit(data[:, :3])
        second.score_samples(data[:, :3])
        second.set_params(optimizer=optimizer)
        for each in (first, second):
            with pytest.raises(error):
                each.set_params(batch_size=10, max_iter=10).fit(data)
            yield each, data


@pytest.mark.parametrize("name", MODELS)
def test_what_a_fit_that_ended_badly_leaves_can_be_used(name):
    for model, data in broken_fits(name):
        assert model.n_features_in_ == 4
        assert np.isfinite(model.fitted_energy_.theta).all()
        assert model.transform(data).shape[0] == 60
        assert np.isfinite(model.score_samples(data)).all()
        assert model.sample(3, random_state=0).shape == (3, 4)
        if hasattr(model, "estimate_log_partition"):
            assert np.isfinite(model.estimate_log_partition().log_partition_)
        if hasattr(model, "impute"):
            assert np.isfinite(model.impute([[np.nan, *data[0, 1:]]])).all()
        twin = pickle.loads(pickle.dumps(model))
        assert_array_equal(twin.transform(data), model.transform(data))
        assert len(model.history_.get("gradient_norm", ())) == model.n_iter_
        model.set_params(optimizer=SGD(1e-3), warm_start=True).fit(data)
        assert model.n_iter_ == 10


def test_log_z_of_a_fit_that_diverged_is_not_that_of_the_fit_before():
    model = clone(MODELS["gaussian rbm"][0]).fit(X)
    assert np.isfinite(model.score_samples(X)).all()
    before = model.log_partition_
    with pytest.raises(DivergenceError):
        model.set_params(optimizer=SGD(1e9), random_state=1).fit(X)
    assert not hasattr(model, "log_partition_")
    assert model.estimate_log_partition().log_partition_ != before


def test_a_gaussian_whose_fit_ended_badly_says_that_it_is_not_fitted(monkeypatch):
    model = ConstrainedGaussian(objective="nce", random_state=0)

    def interrupted_step(*args):
        raise KeyboardInterrupt

    for _ in range(2):
        with monkeypatch.context() as patch:
            patch.setattr(Training, "step", interrupted_step)
            with pytest.raises(KeyboardInterrupt):
                model.fit(X)
        for method in (model.score_samples, model.mahalanobis):
            with pytest.raises(NotFittedError):
                method(X)
        with pytest.raises(NotFittedError):
            model.sample()
        # The next one fails after a fit that has ended well, of fewer features.
        model.fit(X[:, :3]).score_samples(X[:, :3])
