"""What a penalty is."""

import numpy as np

from sklvm.kernels import power_penalty, proximal_map
from sklvm.settings import Settings

__all__ = ["Constraint", "PowerPenalty"]


class PowerPenalty(Settings):
    """α Σ_k w_k (a |z_k|^q + ½ b z_k²), with a, b ≥ 0 and 0 ≤ q ≤ 1: what all solvers minimise.

    A subclass says ``exponent`` (q), ``slope`` (a) and ``curvature`` (b), as attributes or
    properties. Solvers ask for ``separable`` (a prox for each coordinate) and ``convex``.

    Parameters
    ----------
    weights : array-like of shape (n_components,), default=None
        w, non-negative; None: 1 for each.
    """

    _parameter_constraints: dict = {"weights": ["array-like", None]}
    exponent = 1.0
    slope = 1.0
    curvature = 0.0
    separable = True
    allows_positive = True

    def __init__(self, *, weights=None):
        self.weights = weights

    @property
    def convex(self):
        return self.exponent == 1

    def bounds(self, alpha, n_components):
        """α w a, and α w b where that is not zero, one for each component.

        Returns
        -------
        bound : ndarray of shape (n_components,)
        ridge : ndarray of shape (n_components,) or None
        """
        strength = self.weigh(alpha, n_components)
        return self.slope * strength, self.curvature * strength if self.curvature > 0 else None

    def weigh(self, alpha, n_components):
        """α w, one for each component.

        Raises
        ------
        ValueError
            If ``weights`` are not one for each, finite and non-negative.
        """
        if self.weights is None:
            return np.full(n_components, float(alpha))
        weights = np.asarray(self.weights, dtype=np.float64)
        if weights.shape != (n_components,):
            raise ValueError(
                f"The 'weights' of {type(self).__name__} must have shape ({n_components},), one "
                f"for each component, got {weights.shape}."
            )
        if not (np.isfinite(weights).all() and (weights >= 0).all()):
            raise ValueError(
                f"The 'weights' of {type(self).__name__} must be finite and non-negative, got a "
                f"minimum of {weights.min()}."
            )
        return alpha * weights

    def value(self, Z, alpha=1.0):
        """The penalty of each row.

        Parameters
        ----------
        Z : array-like of shape (n_samples, n_components)
        alpha : float, default=1.0

        Returns
        -------
        values : ndarray of shape (n_samples,)
        """
        Z = np.asarray(Z, dtype=np.float64)
        strength = self.weigh(alpha, Z.shape[1])
        values = power_penalty(Z, self.slope * strength, self.exponent)
        return values + 0.5 * self.curvature * (Z**2 @ strength) if self.curvature else values

    def prox(self, Z, alpha=1.0, positive=False):
        """argmin over each entry of ½(u − z)² + penalty(u): a step of size 1.

        Parameters
        ----------
        Z : array-like of shape (n_samples, n_components)
        alpha : float, default=1.0
            For a step of size τ, τα.
        positive : bool, default=False
            Whether u ≥ 0.

        Returns
        -------
        U : ndarray of shape (n_samples, n_components)
        """
        Z = np.asarray(Z, dtype=np.float64)
        strength = self.weigh(alpha, Z.shape[1])
        shrinkage = 1 + self.curvature * strength
        thresholds = self.slope * strength / shrinkage
        return proximal_map(Z / shrinkage, thresholds, self.exponent, positive)


class Constraint(Settings):
    """A hard bound in the place of a penalty; ``alpha`` does not enter.

    A subclass says which way it is solved: ``greedy``, with ``max_nonzero``, the greatest number of
    coefficients or None, and ``max_residual``, the residual norm that suffices; or
    ``on_lasso_path``, with ``residual``.
    """

    max_nonzero = None
    max_residual = 0.0
    exponent = 0.0
    separable = convex = greedy = on_lasso_path = allows_positive = False

    def bounds(self, alpha, n_components):
        """The weight of each component in what is minimised, or None if that has no weights; and
        None, for there is no ridge."""
        return None, None
