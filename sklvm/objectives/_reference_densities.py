"""The known density that noise-contrastive estimation holds data against."""

from inspect import signature

import numpy as np
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted, has_fit_parameter

from sklvm.densities import (
    ChowLiuDensity,
    GaussianDensity,
    GaussianMixtureDensity,
    IndependentBernoulliDensity,
)
from sklvm.energies import Decoder, Score
from sklvm.statistics import GaussianStatistics

__all__ = ["REFERENCES", "EstimatorDensity", "reference_density"]

# Correlations that a Gaussian may as well do without.
NEGLIGIBLE_CORRELATION = 0.01


def reference_density(reference, energy, X, counts, rng):
    """The density that `reference` stands for, fitted to X where it is not known yet.

    Parameters
    ----------
    reference : str, density or estimator
        "auto", a key of ``REFERENCES``, a density with ``log_density`` and ``sample(n, rng)``, or
        an estimator with ``score_samples`` and ``sample``.
    energy : energy
    X : ndarray of shape (n, d)
    counts : ndarray of shape (n,)
        How often each row counts, non-negative.
    rng : Generator

    Raises
    ------
    ValueError
        For the name of a density of binary data where they are real, or the other way round.
    """
    if isinstance(reference, str):
        return _fit_by_name(reference, _is_real(energy, X))(X, counts)
    if hasattr(reference, "log_density"):
        return reference
    try:
        check_is_fitted(reference)
    except NotFittedError:
        reference = _fit_clone(reference, X, counts, rng)
    if all(hasattr(reference, name) for name in MIXTURE_ATTRIBUTES):
        return _mixture_density(reference, X.dtype)
    return EstimatorDensity(reference)


def _is_real(energy, X):
    """Whether the data are, and not binary: a decoder does not say, so they are looked at."""
    if isinstance(energy, Decoder):
        return not np.all((X == 0) | (X == 1))
    return isinstance(energy, Score)


class EstimatorDensity:
    """A fitted estimator with ``score_samples`` and ``sample(n_samples, random_state)``."""

    def __init__(self, estimator):
        if "random_state" not in signature(estimator.sample).parameters:
            raise TypeError(
                f"The sample method of {type(estimator).__name__} takes no random_state, so that "
                "its noise cannot be reproduced. Use an estimator whose sample does, a mixture of "
                "Gaussians, or an object with log_density(X) and sample(n_samples, rng)."
            )
        self.estimator = estimator

    def log_density(self, X):
        """log p(x) in nats, shape (n,)."""
        return self.estimator.score_samples(X)

    def sample(self, n_samples, rng):
        """Independent draws, shape (n_samples, d)."""
        return self.estimator.sample(n_samples, random_state=int(rng.integers(2**32)))


def _fit_by_name(name, is_real):
    """(X, counts) → density."""
    names = REAL_REFERENCES if is_real else BINARY_REFERENCES
    if name == "auto":
        return _fit_white_or_full if is_real else IndependentBernoulliDensity.fit
    if name not in names:
        raise ValueError(
            f"reference={name!r} is noise for {'binary' if is_real else 'real'} data. For "
            f"{'real' if is_real else 'binary'} data there are {['auto', *sorted(names)]}."
        )
    return names[name]


def _fit_independent_gaussian(X, counts):
    location, covariance = GaussianStatistics.collect(X, counts).solve()
    return GaussianDensity(location, np.diag(np.diag(covariance)), dtype=X.dtype)


def _fit_white_or_full(X, counts):
    """Without correlations where there are hardly any: draws then need no product of matrices."""
    location, covariance = GaussianStatistics.collect(X, counts).solve()
    variances = np.diag(covariance)
    others = np.abs(covariance - np.diag(variances))
    if np.all(others <= NEGLIGIBLE_CORRELATION * np.sqrt(np.outer(variances, variances))):
        covariance = np.diag(variances)
    return GaussianDensity(location, covariance, dtype=X.dtype)


REAL_REFERENCES = {
    "gaussian": GaussianDensity.fit,
    "independent_gaussian": _fit_independent_gaussian,
}
BINARY_REFERENCES = {
    "chow_liu": ChowLiuDensity.fit,
    "independent_bernoulli": IndependentBernoulliDensity.fit,
}
REFERENCES = {**REAL_REFERENCES, **BINARY_REFERENCES}
MIXTURE_ATTRIBUTES = ("weights_", "means_", "covariances_", "covariance_type")


def _fit_clone(estimator, X, counts, rng):
    """A clone fitted to X; rows are drawn by their weights where its ``fit`` takes none."""
    fitted = clone(estimator)
    if "random_state" in (params := fitted.get_params()) and params["random_state"] is None:
        fitted.set_params(random_state=int(rng.integers(2**32)))
    if np.ptp(counts) == 0:
        return fitted.fit(X)
    if has_fit_parameter(fitted, "sample_weight"):
        return fitted.fit(X, sample_weight=counts)
    return fitted.fit(X[rng.choice(len(X), len(X), p=counts / counts.sum(dtype=np.float64))])


def _mixture_density(mixture, dtype):
    """scikit-learn's mixture: exact draws from a generator of ours, which its own cannot use."""
    n_components, n_features = mixture.means_.shape
    given = mixture.covariances_
    covariances = {
        "full": lambda: given,
        "tied": lambda: np.broadcast_to(given, (n_components, n_features, n_features)),
        "diag": lambda: [np.diag(variances) for variances in given],
        "spherical": lambda: [variance * np.eye(n_features) for variance in given],
    }[mixture.covariance_type]()
    return GaussianMixtureDensity(mixture.weights_, mixture.means_, covariances, dtype=dtype)
