"""What estimators say of their fits: the diagnoses that apply, one warning, and mostly nothing."""

import inspect
import pickle
import re
import warnings

import numpy as np
import pytest

from sklvm import (
    BernoulliRBM,
    BinaryLatentVAE,
    DeepEnergyModel,
    DictionaryLearner,
    GaussianRBM,
    SigmoidAutoencoder,
    SparseCoder,
    VAETransformer,
)
from sklvm.exceptions import FitWarning

SHORT = {"max_iter": 8, "random_state": 0}


@pytest.fixture(scope="module")
def X():
    rng = np.random.default_rng(0)
    return rng.standard_normal((200, 4)) @ rng.standard_normal((4, 4)) / 2


ESTIMATORS = [
    BernoulliRBM(3, binarize=0.0, **SHORT),
    GaussianRBM(3, **SHORT),
    GaussianRBM(3, objective="nce", **SHORT),
    DeepEnergyModel(3, hidden_layer_sizes=(4,), **SHORT),
    DeepEnergyModel(3, hidden_layer_sizes=(4,), objective="score_matching", **SHORT),
    VAETransformer(2, hidden_layer_sizes=(8,), **SHORT),
    BinaryLatentVAE(3, **SHORT),
    SigmoidAutoencoder(3, **SHORT),
    DictionaryLearner(3, alpha=0.1, max_iter=30, random_state=0),
]


@pytest.fixture(params=ESTIMATORS, ids=lambda model: type(model).__name__)
def estimator(request):
    return request.param


def told_by(estimator, X):
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        estimator.fit(X)
    return [warning for warning in told if issubclass(warning.category, FitWarning)]


def test_diagnoses_are_documented_and_pickle(estimator, X):
    told_by(estimator, X)
    found = estimator.diagnostics_
    (text,) = re.findall(r"diagnostics_ : [^\n]*\n((?: +.*\n)*)", inspect.getdoc(type(estimator)))
    assert found
    assert set(found) <= set(re.findall(r"``(\w+)``", text))
    assert repr(pickle.loads(pickle.dumps(estimator)).diagnostics_) == repr(found)
    for diagnosis in found.values():
        assert bool(diagnosis.message) == diagnosis.is_problem


def test_a_fit_of_no_epochs_has_nothing_to_say(estimator, X):
    if isinstance(estimator, DictionaryLearner):
        pytest.skip("It makes one pass at least.")
    idle = estimator.__sklearn_clone__().set_params(max_iter=0)
    assert told_by(idle, X) == []
    assert idle.diagnostics_ == {}


def test_looking_changes_nothing(X):
    model = GaussianRBM(3, objective="nce", **SHORT).fit(X)
    again = GaussianRBM(3, objective="nce", **SHORT)
    again._diagnoses = lambda *_: {}
    np.testing.assert_array_equal(again.fit(X).components_, model.components_)


def test_a_stream_has_no_end_to_look_at(X):
    model = GaussianRBM(3, **SHORT).fit(X)
    assert not hasattr(model.partial_fit(X), "diagnostics_")


def test_one_warning_names_all_that_is_wrong_and_points_here(X):
    units = 100 * X
    (told,) = told_by(GaussianRBM(3, sigma=1.0, objective="nce", tol=1e-9, **SHORT), units)
    message = str(told.message)
    assert message.startswith("GaussianRBM: ")
    assert "standard deviations from" in message
    assert "did not converge in max_iter=8" in message
    assert told.filename == __file__


def test_noise_over_constant_features_is_named():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((100, 5))
    X[:, 3] = 0.0
    (told,) = told_by(GaussianRBM(3, objective="nce", **SHORT), X)
    assert "directions that the data lack" in str(told.message)


def test_codes_of_a_penalty_that_is_too_strong_are_named(X):
    (told,) = told_by(DictionaryLearner(8, alpha=1.0, max_iter=5, random_state=0), 0.01 * X)
    assert "alpha is too large" in str(told.message)
    (told,) = told_by(SparseCoder(alpha=1.0), 0.01 * X)
    assert "alpha is too large" in str(told.message)
    assert told_by(SparseCoder(alpha=1e-3), 0.01 * X) == []


def test_flat_patches_by_score_matching_are_named():
    # Most rows are equal: the density gets sharper there without bound.
    rng = np.random.default_rng(0)
    X = np.vstack([np.zeros((300, 2)), rng.standard_normal((100, 2))])
    model = DeepEnergyModel(
        8,
        hidden_layer_sizes=(),
        sigma="learn",
        objective="score_matching",
        random_state=0,
    )
    (told,) = told_by(model, X)
    assert "rows are equal to other rows" in str(told.message)
    assert "Raise max_iter" not in str(told.message)


def test_too_few_epochs_are_named(X):
    model = GaussianRBM(
        3, objective="score_matching", optimizer="adam", max_iter=12, random_state=0
    )
    (told,) = told_by(model, X)
    assert "still falling" in str(told.message)
    assert model.diagnostics_["convergence"].value > 0.3


@pytest.mark.parametrize(
    "model",
    [
        GaussianRBM(4, random_state=0),
        DeepEnergyModel(4, hidden_layer_sizes=(8,), random_state=0),
        VAETransformer(2, hidden_layer_sizes=(8,), random_state=0),
        BinaryLatentVAE(4, random_state=0),
        SigmoidAutoencoder(4, random_state=0),
        BernoulliRBM(4, binarize=0.0, random_state=0),
    ],
    ids=lambda model: type(model).__name__,
)
def test_the_default_fit_of_tame_data_is_quiet(model, X):
    assert told_by(model, X.astype(np.float32)) == []
