"""Any valid parameters on any small table: an error in words, or finite results.

The examples are the same in every run. ``SKLVM_FUZZ=2000`` tries so many of each estimator, other
ones every time.
"""

import os
import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.base import ClassifierMixin
from sklearn.exceptions import NotFittedError
from sklearn.utils import get_tags

import sklvm
from sklvm import BernoulliRBM, ConstrainedGaussian, GaussianRBM
from sklvm._compat import Interval, StrOptions
from sklvm.energy_based import UpDown
from sklvm.exceptions import DivergenceError

N_EXAMPLES = int(os.environ.get("SKLVM_FUZZ", "10"))
ALLOWED = (ValueError, TypeError, NotFittedError, DivergenceError)
# In the place of what constraints allow: small numbers, so that an example takes milliseconds.
SMALL = {
    "max_iter": [1, 2],
    "code_max_iter": [1, 5, 100],
    "n_components": [1, 2, 5],
    "hidden_layer_sizes": [(), (4,), (3, 2)],
    "decoder_layer_sizes": [None, (), (3,)],
    "batch_size": [2, 7, 100],
    "n_importance_samples": [1, 10],
    "partition": ["none", "exact"],
    "layer": [BernoulliRBM(max_iter=1), GaussianRBM(max_iter=1), "nothing"],
    "fine_tune": [None, UpDown(max_iter=1)],
    "n_jobs": [None, 1],
    "random_state": [0],
    "verbose": [0],
    "estimator": [ConstrainedGaussian()],
}
# What has a shape, or is an object, stays as it is.
KEPT = {"structure", "image_shape", "dictionary", "covariance_estimator", "radius", "filter_shape"}


def parameters_of(cls):
    """A strategy for each parameter that has numbers, words or booleans to choose from."""
    found = {}
    tables = cls._parameter_constraints
    for name in cls._get_param_names():
        if name in SMALL:
            found[name] = st.sampled_from(SMALL[name])
        elif name not in KEPT and (values := list(allowed_values(tables.get(name, [])))):
            found[name] = st.sampled_from(values)
    return st.fixed_dictionaries({}, optional=found)


def allowed_values(constraints):
    for constraint in constraints if isinstance(constraints, list) else []:
        if constraint is None:
            yield None
        elif constraint == "boolean":
            yield from (False, True)
        elif isinstance(constraint, StrOptions):
            yield from sorted(constraint.options)
        elif isinstance(constraint, Interval):
            yield from (
                kind(value)
                for kind in (int, float)
                for value in (0, 1e-3, 0.1, 0.5, 1, 2, 10)
                if constraint.is_satisfied_by(kind(value))
            )


@st.composite
def tables(draw):
    """Up to 20 × 6 numbers of one scale or several, with repeated, constant or zero columns."""
    n, d = draw(st.integers(2, 20)), draw(st.integers(1, 6))
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    X = rng.standard_normal((n, d))
    kind = draw(st.sampled_from(["normal", "bits", "counts", "unit", "integers"]))
    X = {
        "normal": lambda: X * 10.0 ** draw(st.sampled_from([-30, -10, -3, 0, 0, 0, 3, 10, 30])),
        "bits": lambda: (X > 0).astype(float),
        "counts": lambda: rng.poisson(2.0, X.shape).astype(float),
        "unit": lambda: rng.random(X.shape),
        "integers": lambda: np.round(5 * X),
    }[kind]()
    if draw(st.booleans()):
        X[:, draw(st.integers(0, d - 1))] = draw(st.sampled_from([0.0, 1.0, 7.3]))
    if draw(st.booleans()):
        X[:, -1] = X[:, 0]
    if draw(st.integers(0, 4)) == 0:
        X[rng.random(X.shape) < 0.2] = np.nan
    return X.astype(draw(st.sampled_from([np.float32, np.float64])))


def classes():
    public = [getattr(sklvm, name) for name in sklvm.__all__]
    return [c for c in public if isinstance(c, type) and not issubclass(c, ClassifierMixin)]


def is_finite(values, X, or_least=False):
    values = np.asarray(values.data if sparse.issparse(values) else values)
    if values.shape == X.shape:
        values = values[~np.isnan(X)]  # what maps features to themselves may leave gaps
    if values.dtype.kind not in "fc":
        return True
    return np.isfinite(values[~np.isneginf(values)] if or_least else values).all()


@pytest.mark.parametrize("cls", classes(), ids=lambda c: c.__name__)
def test_results_are_finite_or_refused(cls):
    @settings(
        max_examples=N_EXAMPLES,
        derandomize="SKLVM_FUZZ" not in os.environ,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(parameters_of(cls), tables())
    def check(parameters, X):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                model = cls(**parameters).fit(X)
            except ALLOWED:
                return
            for name in ("transform", "score_samples", "predict"):
                if not hasattr(model, name):
                    continue
                try:
                    values = getattr(model, name)(X)
                except ALLOWED:
                    continue
                assert is_finite(values, X, or_least=name == "score_samples"), name

    get_tags(cls())
    check()
