"""Contracts that hold across all families: after a fit, on a stream, on paper, on two threads.

The estimators are all that ``sklvm`` exports, each as small as its parameters allow.
"""

import copy
import inspect
import pickle
from numbers import Real

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy.sparse import issparse
from sklearn.base import clone, is_classifier
from sklearn.utils import get_tags
from threadpoolctl import threadpool_limits

import sklvm
from sklvm import BernoulliRBM, ConstrainedGaussian
from sklvm._compat import Interval, StrOptions
from sklvm.partition import AnnealedImportanceSampling

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

CLASSES = [value for name in sklvm.__all__ if isinstance(value := getattr(sklvm, name), type)]

# What makes any estimator small; each takes those of its parameters.
SMALL = {
    "estimator": ConstrainedGaussian(),
    "n_components": 2,
    "hidden_layer_sizes": (4,),
    "layer": BernoulliRBM(max_iter=3),
    "binarize": 0.0,
    "max_iter": 3,
    "batch_size": 16,
    "partition": AnnealedImportanceSampling(20, 10),
    "n_importance_samples": 4,
    "random_state": 0,
}
# Where a class takes a value only together with others.
NOT_SMALL = {
    "GatedRBM": {"binarize"},
    "SemiRestrictedRBM": {"binarize"},
    "VAETransformer": {"binarize"},
}


def small(cls):
    """A small estimator of a class; values that it does not take stay at their defaults."""
    estimator = cls(**({"estimator": SMALL["estimator"]} if takes(cls, "estimator") else {}))
    for name, value in SMALL.items():
        if name in NOT_SMALL.get(cls.__name__, ()):
            continue
        if takes(cls, name) and name != "estimator" and is_allowed(cls, name, value):
            estimator.set_params(**{name: value})
    return estimator


def takes(cls, name):
    return name in inspect.signature(cls.__init__).parameters


def is_allowed(cls, name, value):
    for allowed in cls._parameter_constraints[name]:
        if isinstance(allowed, Interval | StrOptions):
            try:
                if allowed.is_satisfied_by(value):
                    return True
            except TypeError:
                continue
        elif (
            isinstance(allowed, type) and isinstance(value, allowed)
        ) or allowed == "random_state":
            return True
    return False


def data_for(model):
    """Rows that it can be fitted to: real numbers, or counts."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((64, 4)) @ rng.standard_normal((4, 4)) + 1.0
    return np.abs(X).round() if get_tags(model).input_tags.positive_only else X


def fit_on(model, X):
    """The model fitted to X, and to labels where it is a classifier."""
    return model.fit(X, (X[:, 0] > 1).astype(int)) if is_classifier(model) else model.fit(X)


@pytest.fixture(scope="module", params=CLASSES, ids=lambda cls: cls.__name__)
def fitted(request):
    model = small(request.param)
    return fit_on(model, data_for(model))


@pytest.fixture(scope="module")
def X(fitted):
    return data_for(fitted)


METHODS = (
    "transform",
    "predict",
    "predict_proba",
    "decision_function",
    "energy",
    "score_samples",
    "gradient",
    "reconstruct",
    "elbo",
    "pseudo_log_likelihood",
)


def takes_rows_alone(method):
    """Whether rows are all that a method has to be given."""
    parameters = inspect.signature(method).parameters.values()
    return sum(p.default is p.empty for p in parameters) == 1


def outputs(model, X):
    """All that a fitted model tells of rows, by method."""
    told = {}
    for name in METHODS:
        if hasattr(model, name) and takes_rows_alone(getattr(model, name)):
            told[name] = np.asarray(getattr(model, name)(X))
    if hasattr(model, "inverse_transform"):
        told["inverse_transform"] = np.asarray(model.inverse_transform(told["transform"]))
    if hasattr(model, "sample"):
        given = {}
        if hasattr(model, "conditional_log_partition"):
            n_outputs = model.n_features_in_ - model.n_inputs_
            given = {"given": np.append(np.zeros(model.n_inputs_), np.full(n_outputs, np.nan))}
        draws = model.sample(3, random_state=0, **given)
        told["sample"] = draws.toarray() if issparse(draws) else np.asarray(draws)
    return told


# -- after the fit --------------------------------------------------------------------------------


def other_value(model, name):
    """Another value of a parameter that its constraints allow; None where that is hard to tell."""
    value = getattr(model, name)
    for allowed in model._parameter_constraints[name]:
        if allowed == "boolean":
            return not value
        if isinstance(allowed, StrOptions) and (others := sorted(allowed.options - {value})):
            return others[0]
        if isinstance(allowed, Interval) and isinstance(value, Real):
            others = (value + 1, value / 2, value * 2)
            return next((new for new in others if is_allowed(type(model), name, new)), None)
    if isinstance(value, tuple):
        return (*value, 5)
    return {"random_state": 7}.get(name)


def test_parameters_set_after_the_fit_change_nothing_that_is_predicted(fitted, X):
    expected = outputs(pickle.loads(pickle.dumps(fitted)), X)
    changed = []
    for name in fitted.get_params(deep=False):
        if (new := other_value(fitted, name)) is None:
            continue
        model = pickle.loads(pickle.dumps(fitted)).set_params(**{name: new})
        told = outputs(model, X)
        same = told.keys() == expected.keys() and all(
            np.array_equal(told[method], expected[method]) for method in expected
        )
        if not same:
            changed.append(name)
    assert changed == []


def test_what_a_model_tells_is_the_same_every_time(fitted, X):
    once, again = outputs(fitted, X), outputs(fitted, X)
    for method, value in once.items():
        assert_array_equal(again[method], value, err_msg=method)


def test_rows_do_not_depend_on_the_rows_beside_them(fitted, X):
    together = outputs(fitted, X)
    apart = [outputs(fitted, X[rows]) for rows in (slice(0, 1), slice(1, 30), slice(30, None))]
    for method in together.keys() - {"sample"}:
        joined = np.concatenate([some[method] for some in apart])
        np.testing.assert_allclose(joined, together[method], rtol=1e-9, atol=1e-12, err_msg=method)


def test_a_score_says_what_it_is(fitted):
    for name in ("score_normalized_", "score_is_bound_"):
        if hasattr(fitted, "score_samples") and not hasattr(fitted, "estimator_"):
            assert isinstance(getattr(fitted, name), bool)
        assert not hasattr(clone(fitted), name)


def test_single_precision_is_kept(fitted, X):
    single = X.astype(np.float32)
    told = outputs(fit_on(clone(fitted), single), single)
    # A threshold between two scores may have no number of single precision.
    for method in told.keys() - {"predict", "predict_proba", "decision_function"}:
        assert told[method].dtype == np.float32, method


def test_bad_arguments_of_methods_are_named_by_all_in_the_same_words(fitted, X):
    if hasattr(fitted, "sample"):
        for bad in (0, -1, 1.5, "3", True):
            with pytest.raises(ValueError, match="n_samples must be an integer of at least 1, got"):
                fitted.sample(bad)
    if hasattr(fitted, "inverse_transform"):
        Z = np.asarray(fitted.transform(X))
        message = rf"Z has {Z.shape[1] + 1} columns, and this \w+ has {Z.shape[1]} components"
        with pytest.raises(ValueError, match=message):
            fitted.inverse_transform(np.column_stack([Z, Z[:, 0]]))
        with pytest.raises(ValueError, match="Input Z contains NaN"):
            fitted.inverse_transform(np.full_like(Z, np.nan))


# -- on a stream ----------------------------------------------------------------------------------


def test_a_stream_of_the_same_batches_is_the_fit(fitted, X):
    model = clone(fitted)
    if not hasattr(model, "partial_fit") or is_classifier(model):
        pytest.skip("no streams")
    if takes(type(model), "max_iter"):
        # One pass in the order of the rows, at a rate that does not depend on the number of passes.
        model.set_params(max_iter=1, shuffle=False, tol=0.0)
    if getattr(model, "optimizer", None) == "auto":
        model.set_params(optimizer="adam")
    whole = clone(model).fit(X)
    stream = model
    for first in range(0, 64, 32) if not takes(type(model), "max_iter") else [0]:
        stream.partial_fit(X[first : first + (32 if not takes(type(model), "max_iter") else 64)])
    told = outputs(stream, X)
    for method, value in outputs(whole, X).items():
        np.testing.assert_allclose(told[method], value, rtol=1e-9, atol=1e-9, err_msg=method)


# -- on paper -------------------------------------------------------------------------------------


# What else is kept of 300 features and 90 components.
KEPT_NUMBERS = {
    # Annealing starts from a Gaussian of all covariances.
    "DeepEnergyModel": 300**2,
    "MeanCovarianceRBM": 300**2,
    # The precision matrix is a property: it is made of its factor.
    "ConstrainedGaussian": 300**2,
    "DensityOutlierDetector": 300**2,
    # Kernels stand on the 100 rows themselves, in two metrics.
    "LocalDensityEnsemble": 6 * 100 * 300,
    # Statistics of all pairs of filters at all shifts.
    "ConvolutionalDictionaryLearner": 15 * 90**2,
}


def test_a_pickle_is_of_the_order_of_what_was_learned(fitted):
    # Wide enough for θ to outweigh a hundred chains.
    wide = np.random.default_rng(0).random((100, 300))
    model = clone(fitted)
    if get_tags(model).input_tags.positive_only:
        wide = (5 * wide).round()
    wide_model = {
        "n_components": 90,
        "hidden_layer_sizes": (100,),
        "covariance_type": "diag",
        "max_iter": 1,
    }
    for name, value in wide_model.items():
        if takes(type(model), name) and is_allowed(type(model), name, value):
            model.set_params(**{name: value})
    model = fit_on(model, wide)
    learned = {id(base_of(a)): base_of(a).nbytes for a in arrays_of(model)}
    chains = 100 * (300 + 90) * 8
    kept = 8 * KEPT_NUMBERS.get(type(model).__name__, 0)
    allowed = 3.5 * sum(learned.values()) + chains + kept + 20_000
    assert len(pickle.dumps(model)) <= allowed


def arrays_of(model):
    """Arrays among the public fitted attributes."""
    for name, value in vars(model).items():
        if name == "estimator_":
            yield from arrays_of(value)
        elif name.endswith("_"):
            values = value if isinstance(value, list | tuple) else [value]
            yield from (item for item in values if isinstance(item, np.ndarray))


def base_of(array):
    return array if array.base is None else base_of(array.base)


def test_a_copy_goes_on_as_the_model_would_have(fitted, X):
    reloaded = pickle.loads(pickle.dumps(fitted))
    copied = copy.deepcopy(fitted)
    for method, value in outputs(fitted, X).items():
        assert_array_equal(outputs(reloaded, X)[method], value)
        assert_array_equal(outputs(copied, X)[method], value)


# -- on two threads -------------------------------------------------------------------------------


def test_two_threads_give_the_same_bits_as_one(fitted):
    # Wide enough that the kernels divide it among threads.
    X = np.random.default_rng(1).standard_normal((300, 40))
    if get_tags(fitted).input_tags.positive_only:
        X = np.abs(X).round()
    with threadpool_limits(1, user_api="openmp"):
        one = outputs(fit_on(clone(fitted), X), X)
    with threadpool_limits(2, user_api="openmp"):
        two = outputs(fit_on(clone(fitted), X), X)
    for method, value in one.items():
        assert_array_equal(two[method], value, err_msg=method)
