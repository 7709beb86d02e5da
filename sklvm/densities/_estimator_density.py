"""scikit-learn's estimators as densities."""

from inspect import signature

import numpy as np
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted, has_fit_parameter

from sklvm.densities._gaussian_mixture_density import GaussianMixtureDensity

__all__ = ["EstimatorDensity", "estimator_density"]

MIXTURE_ATTRIBUTES = ("weights_", "means_", "covariances_", "covariance_type")


class EstimatorDensity:
    """The density of a fitted estimator with ``score_samples`` and ``sample``.

    Parameters
    ----------
    estimator : estimator
        Its ``sample(n_samples, random_state=...)`` has to take a ``random_state``.
    dtype : dtype, default=numpy.float64
        Of draws and log-densities.

    Raises
    ------
    TypeError
        Where ``sample`` takes no ``random_state``.
    """

    def __init__(self, estimator, *, dtype=np.float64):
        if "random_state" not in signature(estimator.sample).parameters:
            raise TypeError(
                f"The sample method of {type(estimator).__name__} takes no random_state, so that "
                "its noise cannot be reproduced. Use an estimator whose sample does, a mixture of "
                "Gaussians, or an object with log_density(X) and sample(n_samples, rng)."
            )
        self.estimator, self.n_features = estimator, estimator.n_features_in_
        self._dtype = np.dtype(dtype)

    def log_density(self, X):
        """log p(x) in nats, shape (n,)."""
        return self.estimator.score_samples(X).astype(self._dtype, copy=False)

    def sample(self, n_samples, rng):
        """Independent draws, shape (n_samples, d)."""
        draws = self.estimator.sample(n_samples, random_state=int(rng.integers(2**32)))
        return draws.astype(self._dtype, copy=False)


def estimator_density(estimator, X, sample_weight, rng):
    """The density of an estimator, a clone of which is fitted to X where it is not fitted yet.

    scikit-learn's mixtures of Gaussians become a ``GaussianMixtureDensity``: they draw from a
    generator of ours, which their own ``sample`` cannot use.

    Parameters
    ----------
    estimator : estimator
        With ``score_samples`` and ``sample``.
    X : ndarray of shape (n, d)
    sample_weight : ndarray of shape (n,)
        A weight of 2 is two rows. Where ``fit`` takes none, rows are drawn by their weights.
    rng : Generator

    Returns
    -------
    density : EstimatorDensity or GaussianMixtureDensity
    """
    try:
        check_is_fitted(estimator)
    except NotFittedError:
        estimator = _fit_clone(estimator, X, sample_weight, rng)
    if all(hasattr(estimator, name) for name in MIXTURE_ATTRIBUTES):
        return _mixture_density(estimator, X.dtype)
    return EstimatorDensity(estimator, dtype=X.dtype)


def _fit_clone(estimator, X, sample_weight, rng):
    fitted = clone(estimator)
    if "random_state" in (params := fitted.get_params()) and params["random_state"] is None:
        fitted.set_params(random_state=int(rng.integers(2**32)))
    if np.ptp(sample_weight) == 0:
        return fitted.fit(X)
    if has_fit_parameter(fitted, "sample_weight"):
        return fitted.fit(X, sample_weight=sample_weight)
    shares = sample_weight / sample_weight.sum(dtype=np.float64)
    return fitted.fit(X[rng.choice(len(X), len(X), p=shares)])


def _mixture_density(mixture, dtype):
    n_components, n_features = mixture.means_.shape
    given = mixture.covariances_
    covariances = {
        "full": lambda: given,
        "tied": lambda: np.broadcast_to(given, (n_components, n_features, n_features)),
        "diag": lambda: [np.diag(variances) for variances in given],
        "spherical": lambda: [variance * np.eye(n_features) for variance in given],
    }[mixture.covariance_type]()
    return GaussianMixtureDensity(mixture.weights_, mixture.means_, covariances, dtype=dtype)
