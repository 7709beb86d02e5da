"""Score matching."""

from numbers import Real

import numpy as np

from sklvm._compat import Interval
from sklvm.energies import DirectionalCurvature, Laplacian
from sklvm.objectives._base import Objective

__all__ = ["ScoreMatching"]


class ScoreMatching(Objective):
    """J(θ) = E_x[½‖ψ(x; θ)‖² + tr ∇ₓψ(x; θ)],  ψ = ∇ₓ log p̃ (Hyvärinen, JMLR 2005, theorem 1) [1]_.

    Free of log Z, consistent, and deterministic: L-BFGS may minimise it. The data have to have a
    smooth density; on data with ties or constant features a learned scale has no minimum.

    On finite data the criterion of a flexible model is unbounded below: its score may bend ever
    more sharply at the training rows themselves, as the likelihood of a mixture may put ever
    narrower peaks there. Few epochs of a stochastic optimiser do not get that far; a full-batch
    optimiser run to its end on few rows does. ``early_stopping`` stops it, many rows for each
    parameter prevent it, and a regularisation puts a price on it [2]_: ::

        J_λ = J + ½ λ E_x[Σ_i (∂ψ_i/∂x_i)²].

    It is bounded below, by −d/(2λ), and at λ = 0 it is the criterion itself. Kingma and LeCun
    derive it from Gaussian noise on the data whose variance is in proportion to λ.

    Parameters
    ----------
    regularization : float, default=0.0
        λ, in the squared units of x. A positive one looks at each feature's second derivative by
        itself: a step costs as much as one of n_features times as many rows.

    References
    ----------
    .. [1] Hyvärinen, "Estimation of non-normalized statistical models by score matching", JMLR 6
       (2005).
    .. [2] Kingma, LeCun, "Regularized estimation of image statistics by score matching", NIPS 2010.

    Examples
    --------
    >>> from sklvm.objectives import ScoreMatching
    >>> ScoreMatching(regularization=0.01)
    ScoreMatching(regularization=0.01)
    """

    deterministic = True
    _state_ignores = ("regularization",)
    _parameter_constraints = {"regularization": [Interval(Real, 0, None, closed="left")]}

    def __init__(self, regularization=0.0):
        self.regularization = regularization

    @property
    def unbounded_on_ties(self):
        return self.regularization == 0

    @property
    def requires(self):
        return (DirectionalCurvature,) if self.regularization > 0 else (Laplacian,)

    def step(self, energy, theta, X, weights, state, rng):
        if self.regularization > 0:
            return *self._regularized(energy, theta, X, weights), state
        psi, laplacian, pullback = energy.score_and_laplacian(theta.energy, X)
        per_row = 0.5 * np.einsum("ij,ij->i", psi, psi) + laplacian
        gradient = pullback(weights[:, np.newaxis] * psi, weights)
        return float(weights @ per_row), theta.like(gradient), state

    def _regularized(self, energy, theta, X, weights):
        """J_λ and its gradient, with the curvature along each axis in turn."""
        n, d = X.shape
        axes = np.repeat(np.eye(d, dtype=X.dtype), n, axis=0)[np.newaxis]
        psi, curvature, pullback = energy.score_and_directional_curvature(
            theta.energy, np.tile(X, (d, 1)), axes
        )
        psi, second = psi[:n], curvature.reshape(d, n)
        penalty = X.dtype.type(self.regularization)
        per_row = 0.5 * np.einsum("ij,ij->i", psi, psi)
        per_row += (second + 0.5 * penalty * second**2).sum(axis=0)
        psi_bar = np.zeros((d * n, d), dtype=X.dtype)
        psi_bar[:n] = weights[:, np.newaxis] * psi
        gradient = pullback(psi_bar, (weights * (1 + penalty * second)).ravel())
        return float(weights @ per_row), theta.like(gradient)
