"""Sliced score matching."""

from numbers import Integral

import numpy as np

from sklvm._compat import Interval, StrOptions
from sklvm.energies import DirectionalCurvature, free_entries
from sklvm.kernels import standard_normal
from sklvm.objectives._base import Objective

__all__ = ["SlicedScoreMatching"]


class SlicedScoreMatching(Objective):
    """J(θ) = E_x E_v[vᵀ∇ψ(x; θ) v + ½(vᵀψ(x; θ))²],  E[vvᵀ] = I  (Song, Garg, Shi & Ermon, 2019).

    Random slices v stand for the trace in exact score matching. The variance-reduced form has
    ½‖ψ‖², which is E_v[½(vᵀψ)²], in the place of the second term; in expectation over v both are J
    of ``ScoreMatching``, so that the estimate is consistent for any number of slices. A slice costs
    a few forward passes at any width and depth.

    Parameters
    ----------
    n_slices : int, default=1
        Slices a row, drawn anew for every batch.
    slices : {"rademacher", "gaussian"}, default="rademacher"
        Distribution of v: independent signs, or N(0, I). Signs have the lesser variance.
    variance_reduced : bool, default=True
        Whether the norm of the score is exact rather than sliced.

    References
    ----------
    Song, Garg, Shi, Ermon, "Sliced score matching: a scalable approach to density and score
    estimation", UAI 2019.

    Examples
    --------
    >>> from sklvm.objectives import SlicedScoreMatching
    >>> SlicedScoreMatching(n_slices=4)
    SlicedScoreMatching(n_slices=4)
    """

    requires = (DirectionalCurvature,)
    unbounded_on_ties = True
    _parameter_constraints = {
        "n_slices": [Interval(Integral, 1, None, closed="left")],
        "slices": [StrOptions({"rademacher", "gaussian"})],
        "variance_reduced": ["boolean"],
    }

    def __init__(self, n_slices=1, slices="rademacher", variance_reduced=True):
        self.n_slices = n_slices
        self.slices = slices
        self.variance_reduced = variance_reduced

    def step(self, energy, theta, X, weights, state, rng):
        directions = self._draw(X, rng)
        if (free := free_entries(energy)) is not None:
            directions *= free
        psi, curvature, pullback = energy.score_and_directional_curvature(
            theta.energy, X, directions
        )
        # The quadratic term is ½ψᵀφ and its slope in ψ is φ: φ is ψ, or the mean of (vᵀψ)v.
        projected = psi
        if not self.variance_reduced:
            along = np.einsum("mij,ij->mi", directions, psi)
            projected = np.einsum("mi,mij->ij", along, directions) / self.n_slices
        per_row = 0.5 * np.einsum("ij,ij->i", psi, projected) + curvature / self.n_slices
        gradient = pullback(weights[:, np.newaxis] * projected, weights / self.n_slices)
        return float(weights @ per_row), theta.like(gradient), state

    def _draw(self, X, rng):
        """Slices of shape (n_slices, n, d) and X's dtype."""
        n, d = X.shape
        if self.slices == "gaussian":
            seed = int(rng.integers(2**63))
            draws = standard_normal((self.n_slices * n, d), seed, dtype=X.dtype)
        else:
            draws = 2 * rng.integers(0, 2, (self.n_slices * n, d), dtype=np.int8).astype(X.dtype)
            draws -= 1
        return draws.reshape(self.n_slices, n, d)
