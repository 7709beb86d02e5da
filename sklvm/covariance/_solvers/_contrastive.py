"""Contrastive estimates of a precision matrix with given zeros, by mini-batches."""

import numpy as np
from scipy.linalg import LinAlgError, cholesky
from sklearn.base import clone

from sklvm.covariance._solvers._clique_energy import CliqueEnergy
from sklvm.covariance._solvers._clique_sum import CliqueSum
from sklvm.covariance._solvers._solution import Solution
from sklvm.exceptions import DivergenceError
from sklvm.optimizers import Adam
from sklvm.training import Budget, Monitor, NoCallbacks, Training, run_epochs

__all__ = ["solve_by_contrast"]

_LEARNING_RATE = 0.02
# Epochs are as many as show the criterion that many rows; more gain little.
_ENOUGH_ROWS = 200_000
_MOST_EPOCHS = 100


def solve_by_contrast(
    X, weights, location, covariance, pattern, objective, *, ridge, n_epochs, batch_size, rng
):
    """Train Λ by noise-contrastive or conditional noise-contrastive estimation.

    The rows are standardised; noise of the variances `ridge` joins them, once and for all. Λ is
    trained in the coordinates of ``CliqueEnergy``, by Adam with a rate that falls to zero.

    Parameters
    ----------
    X : ndarray of shape (n, d)
    weights : ndarray of shape (n,) or None
        Non-negative.
    location : ndarray of shape (d,)
        μ, held fixed.
    covariance : ndarray of shape (d, d)
        Of the rows, `ridge` included; positive definite on the pattern's cliques.
    pattern : SymmetricPattern
    objective : NoiseContrastiveEstimation or ConditionalNoiseContrastiveEstimation
    ridge : ndarray of shape (d,)
    n_epochs : int or "auto"
    batch_size : int
    rng : Generator

    Returns
    -------
    solution : Solution
        `n_iter` counts epochs; `residual` is NaN, for a random criterion leaves no certificate.

    Raises
    ------
    DivergenceError
        Where Λ ends without being positive definite, or training left the finite numbers.
    """
    if weights is None:
        weights = np.ones(len(X))
    else:
        X, weights = X[weights > 0], weights[weights > 0]
    weights = weights / weights.mean()
    scale = np.sqrt(np.diag(covariance))
    rows = X.astype(np.float64)
    rows -= location
    if ridge.any():
        rows += np.sqrt(ridge) * rng.standard_normal(rows.shape)
    rows /= scale
    reference = getattr(objective, "reference", "auto")
    if not isinstance(reference, str):
        objective = clone(objective).set_params(
            reference=_StandardizedDensity(reference, location, scale)
        )

    if n_epochs == "auto":
        n_epochs = min(-(-_ENOUGH_ROWS // len(rows)), _MOST_EPOCHS)
    correlation = covariance / np.outer(scale, scale)
    energy = CliqueEnergy(correlation, pattern, CliqueSum(pattern))
    optimizer = Adam(_LEARNING_RATE, schedule="linear")
    training = Training(energy, objective, optimizer, rows, weights, rng)
    run_epochs(
        training,
        rows,
        weights,
        Monitor(tol=0, patience=1, verbose=0, owner="ConstrainedGaussian", max_iter=n_epochs),
        NoCallbacks(),
        rows=np.arange(len(rows)),
        validation_rows=None,
        budget=Budget(n_epochs),
        batch_size=batch_size,
        shuffle=True,
    )

    precision = energy.precision(training.energy_theta)
    _check_positive_definite(precision, objective)
    return Solution(precision / np.outer(scale, scale), float("nan"), n_epochs)


def _check_positive_definite(precision, objective):
    try:
        cholesky(precision)
    except LinAlgError:
        raise DivergenceError(
            f"The precision matrix that {type(objective).__name__} arrived at is not positive "
            "definite. More rows, a larger `max_iter` or some `regularization` may help; "
            "objective='mle' always gives one that is."
        ) from None


class _StandardizedDensity:
    """The distribution of (x − μ)/s where x has a given density."""

    def __init__(self, density, location, scale):
        self._density, self._location, self._scale = density, location, scale

    def log_density(self, X):
        return (
            self._density.log_density(self._location + self._scale * X) + np.log(self._scale).sum()
        )

    def sample(self, n_samples, rng):
        return (self._density.sample(n_samples, rng) - self._location) / self._scale
