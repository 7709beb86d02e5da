"""Right answers, or an error in words, on tables of the kind that users have.

Far rows, gaps, constant and duplicate columns, mixed units, extreme scales, wide and tall tables, a
single row or column: each over all estimators that it can touch.
"""

import warnings
from inspect import signature

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import ClassifierMixin, clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import get_tags

import sklvm
from sklvm import (
    AdaptiveDeconvolutionalNetwork,
    ARDSparseCoder,
    BernoulliRBM,
    BinaryLatentVAE,
    CategoricalMixture,
    ConstrainedGaussian,
    ConvolutionalDictionaryLearner,
    ConvolutionalSparseCoder,
    DeconvolutionalNetwork,
    DeepBeliefNetwork,
    DeepBoltzmannMachine,
    DeepEnergyModel,
    DensityOutlierDetector,
    DictionaryLearner,
    GatedRBM,
    GaussianRBM,
    LayeredDictionaryLearner,
    LayeredSparseCoder,
    LocalDensityEnsemble,
    MeanCovarianceRBM,
    SemiRestrictedRBM,
    SigmoidAutoencoder,
    SparseCoder,
    VAETransformer,
    ZCAWhitener,
)
from sklvm.exceptions import DivergenceError

SHORT = {"max_iter": 2, "random_state": 0}
ON_BITS = [
    BernoulliRBM(3, **SHORT),
    DeepBeliefNetwork((3, 2), BernoulliRBM(max_iter=2), random_state=0),
    DeepBoltzmannMachine((3, 2), **SHORT),
    VAETransformer(2, hidden_layer_sizes=(5,), likelihood="bernoulli", **SHORT),
]
ON_COUNTS = [CategoricalMixture(3, **SHORT)]
ON_NUMBERS = [
    ARDSparseCoder(),
    ARDSparseCoder(noise_variance=1.0),
    BinaryLatentVAE(3, **SHORT),
    ConstrainedGaussian(),
    ConvolutionalDictionaryLearner(3, code_max_iter=5, **SHORT),
    ConvolutionalSparseCoder(alpha=0.1, max_iter=5),
    ConstrainedGaussian("diagonal"),
    ConstrainedGaussian("lattice", radius=1),
    ConstrainedGaussian(objective="score_matching"),
    ConstrainedGaussian(objective="nce", **SHORT),
    DeepEnergyModel(3, hidden_layer_sizes=(4,), **SHORT),
    DensityOutlierDetector(ConstrainedGaussian()),
    DensityOutlierDetector(VAETransformer(2, hidden_layer_sizes=(5,), **SHORT)),
    DictionaryLearner(3, **SHORT),
    DictionaryLearner(3, init="svd", batch_size=8, **SHORT),
    DeepBeliefNetwork((3, 2), GaussianRBM(max_iter=2), random_state=0),
    DeepBoltzmannMachine((3, 2), visible="gaussian", **SHORT),
    DensityOutlierDetector(),
    LocalDensityEnsemble(),
    GaussianRBM(3, **SHORT),
    GaussianRBM(3, objective="nce", **SHORT),
    GaussianRBM(3, objective="score_matching", sigma="learn_diagonal", **SHORT),
    AdaptiveDeconvolutionalNetwork((3, 2), code_max_iter=5, **SHORT),
    DeconvolutionalNetwork((2, 2), code_max_iter=5, **SHORT),
    LayeredDictionaryLearner((3, 2), code_max_iter=20, **SHORT),
    LayeredSparseCoder([np.eye(4), np.ones((3, 4))], alpha=0.1),
    LayeredSparseCoder(alpha=0.1, method="holistic"),
    LayeredSparseCoder(method="thresholding"),
    LayeredSparseCoder(method="constrained", max_residual=1.0, max_norm=1.0, max_iter=50),
    GatedRBM(2, 3, **SHORT),
    GatedRBM(2, objective="score_matching", sigma=0.5, **SHORT),
    MeanCovarianceRBM(2, 3, **SHORT),
    SemiRestrictedRBM(3, **SHORT),
    MeanCovarianceRBM(0, 2, pooling="full", normalize=True, **SHORT),
    SigmoidAutoencoder(3, **SHORT),
    SigmoidAutoencoder(3, objective="denoising", **SHORT),
    SparseCoder(alpha=0.1),
    SparseCoder(alpha=0.1, penalty="l0"),
    VAETransformer(2, hidden_layer_sizes=(5,), **SHORT),
    VAETransformer(2, hidden_layer_sizes=(5,), posterior="full", sigma="predict", **SHORT),
    ZCAWhitener(),
    ZCAWhitener("pca", n_components=2),
]


def public_estimators():
    """Classes, but for classifiers: their sequences have labels, and no rows to score alone."""
    public = [getattr(sklvm, name) for name in sklvm.__all__]
    return [c for c in public if isinstance(c, type) and not issubclass(c, ClassifierMixin)]


def short(cls):
    """An estimator of few epochs."""
    options = {"max_iter": 2, "random_state": 0, "n_components": 3}
    return cls(**{name: options[name] for name in options if name in signature(cls).parameters})


def takes(estimator, X):
    try:
        quietly(clone(estimator).fit, X)
    except ValueError:
        return False
    return True


def list_for(estimator):
    """That of its domain: all numbers, or only some of them, among which are 0 and 1."""
    takes_all = takes(estimator, np.arange(-40.0, 40.0).reshape(20, 4))
    return ON_NUMBERS if takes_all else ON_COUNTS


def quietly(function, *args):
    """The result, without warnings that two epochs do not suffice."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return function(*args)


# What is not listed above is here by its defaults.
LISTED = {type(estimator) for estimator in ON_NUMBERS + ON_COUNTS + ON_BITS}
for estimator in (short(cls) for cls in public_estimators() if cls not in LISTED):
    list_for(estimator).append(estimator)
ALL = ON_NUMBERS + ON_COUNTS + ON_BITS


def name_of(value):
    return type(value).__name__ if hasattr(value, "get_params") else None


def each(estimators):
    return pytest.mark.parametrize("estimator", estimators, ids=name_of)


def shaped(estimator, X):
    """The estimator for X's width."""
    estimator = clone(estimator)
    if getattr(estimator, "structure", None) == "lattice":
        estimator.set_params(image_shape=(X.shape[1],))
    return estimator


def fitted(estimator, X):
    return quietly(shaped(estimator, X).fit, X)


def table(estimator, n=40, d=4, dtype=np.float64):
    rng = np.random.default_rng(0)
    if estimator not in ON_NUMBERS:
        return (rng.random((n, d)) < 0.4).astype(dtype)
    return (rng.standard_normal((n, d)) @ rng.standard_normal((d, d)) + 1).astype(dtype)


# -- far rows -------------------------------------------------------------------------------------


@each([e for e in ON_NUMBERS if hasattr(e, "score_samples")])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_far_rows_score_ever_lower_and_never_nan(estimator, dtype):
    X = table(estimator, dtype=dtype)
    model = fitted(estimator, X)
    if isinstance(getattr(model, "estimator_", model), ZCAWhitener) and model.n_components:
        model = fitted(clone(estimator).set_params(regularization=0.1), X)
    largest = 37 if dtype == np.float32 else 307
    steps = 10.0 ** np.arange(3, largest, 2)
    spread = X.std(axis=0)
    for direction in (*np.eye(4), *-np.eye(4), np.ones(4), [1, -1, 0, 2]):
        far = (X.mean(axis=0) + spread * direction * steps[:, np.newaxis]).astype(dtype)
        assert np.isfinite(far).all()
        scores = quietly(model.score_samples, far)
        assert not np.isnan(scores).any() and not np.isposinf(scores).any()
        above = scores[:-1][np.isfinite(scores[:-1])]
        # With a noise variance of its own a row's evidence is at another local maximum each time.
        if getattr(model, "noise_variance", 1.0) != "learn":
            assert (scores[1:][: len(above)] <= above).all()
        assert not np.isfinite(scores[len(above) + 1 :]).any()
        if isinstance(model, DensityOutlierDetector):
            assert (quietly(model.predict, far) == -1).all()


@each(ON_BITS)
def test_values_outside_of_a_domain_are_refused_with_their_excess(estimator):
    X = table(estimator)
    model = fitted(estimator, X)
    X[0, 0] = 2.5
    with pytest.raises(ValueError, match=r"exceed that by 1.5.*MinMaxScaler\(clip=True\)"):
        model.score_samples(X)


@each(ON_BITS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_scalers_rounding_is_no_excess(estimator, dtype):
    X = table(estimator, dtype=dtype)
    rounded = X.copy()
    rounded[X == 1] = np.nextafter(dtype(1), dtype(2))
    rounded[X == 0] = -np.finfo(dtype).eps
    model, other = fitted(estimator, X), fitted(estimator, rounded)
    np.testing.assert_array_equal(model.score_samples(X), other.score_samples(rounded))


# -- containers -----------------------------------------------------------------------------------


@each(ALL)
def test_masked_arrays(estimator):
    X = table(estimator)
    mask = np.random.default_rng(1).random(X.shape) < 0.1
    masked = np.ma.masked_array(np.where(mask, 99.0, X), mask)
    none_masked = np.ma.masked_array(X, False)
    name = "score_samples" if hasattr(estimator, "score_samples") else "transform"
    model = fitted(estimator, none_masked)
    of_rows = getattr(model, name)
    np.testing.assert_array_equal(quietly(of_rows, none_masked), quietly(of_rows, X))
    if not get_tags(model).input_tags.allow_nan:
        with pytest.raises(ValueError, match=r"masked entries|NaN"):
            model.fit(masked)
        return
    gaps = np.where(mask, np.nan, X)
    model, other = fitted(estimator, masked), fitted(estimator, gaps)
    np.testing.assert_array_equal(
        quietly(getattr(model, name), masked), quietly(getattr(other, name), gaps)
    )


def in_halves(X, shares=(0.5, 0.5)):
    """CSR in which each entry is stored as two that sum to it."""
    rows, columns = np.nonzero(X)
    starts = np.r_[0, 2 * np.cumsum(np.bincount(rows, minlength=len(X)))]
    data = np.repeat(X[rows, columns], 2) * np.tile(shares, len(columns))
    return sparse.csr_array((data, np.repeat(columns, 2), starts), shape=X.shape)


@each([e for e in ALL if get_tags(e).input_tags.sparse])
@pytest.mark.parametrize("shares", [(0.5, 0.5), (2.0, -1.0)])
def test_duplicates_of_csr_are_summed_first(estimator, shares):
    X = table(estimator)
    twice = in_halves(X, shares)
    model, other = fitted(estimator, sparse.csr_array(X)), fitted(estimator, twice)
    np.testing.assert_array_equal(other.score_samples(twice), model.score_samples(X))
    assert len(twice.data) == 2 * np.count_nonzero(X)  # the caller's own is as it was
    if "binarize" in model.get_params():
        model = fitted(clone(estimator).set_params(binarize=0.6), X)
        np.testing.assert_array_equal(model.score_samples(twice), model.score_samples(X))
        with pytest.raises(ValueError, match=r"values from . to 2"):
            model.set_params(binarize=None).fit(in_halves(2 * X))


# -- floating point -------------------------------------------------------------------------------


@each(ALL)
def test_underflow_is_no_error(estimator):
    X = table(estimator)
    with np.errstate(all="raise"):
        model = fitted(estimator, X)
        for name in ("score_samples", "transform", "predict"):
            if hasattr(model, name):
                quietly(getattr(model, name), X)
        if hasattr(model, "sample") and not hasattr(model, "conditional_log_partition"):
            quietly(model.sample, 3)


# -- shapes and columns ---------------------------------------------------------------------------

TABLES = {
    "constant columns": lambda X: np.where(np.arange(X.shape[1]) % 2, X, X.dtype.type(1)),
    "all constant": lambda X: np.full_like(X, 1.0),
    "all zero": np.zeros_like,
    "duplicate columns": lambda X: np.hstack([X, X]),
    "duplicate rows": lambda X: np.repeat(X[:3], 10, axis=0),
    "one column": lambda X: X[:, :1],
    "two rows": lambda X: X[:2],
    "wide": lambda X: np.tile(X[:3], 20) + 0 * np.arange(20 * X.shape[1]),
    "tall": lambda X: np.tile(X, (15, 1)),
}
SCALES = {f"scale {s:g}": (lambda X, s=s: X * s) for s in (1e-30, 1e-10, 1e10, 1e18, 1e30)}
SCALES["mixed units"] = lambda X: X * 10.0 ** np.arange(-12, 4 * X.shape[1] - 12, 4)
SCALES["far from zero"] = lambda X: X + 1e8


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", [*TABLES, *SCALES])
@each(ALL)
def test_results_are_finite_or_refused_in_words(estimator, kind, dtype):
    if estimator not in ON_NUMBERS and kind in SCALES:
        pytest.skip("outside of the domain")
    X = {**TABLES, **SCALES}[kind](table(estimator).astype(dtype)).astype(dtype)
    try:
        model = fitted(estimator, X)
    except (ValueError, DivergenceError) as error:
        assert len(str(error)) > 30
        return
    for name in ("score_samples", "transform"):
        if not hasattr(model, name):
            continue
        try:
            values = quietly(getattr(model, name), X)
        except ValueError as error:
            assert "no density" in str(error) or "Scale" in str(error)
            continue
        assert np.isfinite(values.data if sparse.issparse(values) else values).all()
