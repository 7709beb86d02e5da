"""Score matching."""

import numpy as np

from sklvm.energies import Laplacian
from sklvm.objectives._base import Objective

__all__ = ["ScoreMatching"]


class ScoreMatching(Objective):
    """J(θ) = E_x[½‖ψ(x; θ)‖² + tr ∇ₓψ(x; θ)],  ψ = ∇ₓ log p̃ (Hyvärinen, JMLR 2005, theorem 1).

    Free of log Z, consistent, and deterministic: L-BFGS may minimise it. The data have to have a
    smooth density; on data with ties or constant features a learned scale has no minimum.

    On finite data the criterion of a flexible model is unbounded below: its score may bend ever
    more sharply at the training rows themselves, as the likelihood of a mixture may put ever
    narrower peaks there. Few epochs of a stochastic optimiser do not get that far; a full-batch
    optimiser run to its end on few rows does. ``early_stopping`` stops it, and many rows for each
    parameter prevent it.

    Examples
    --------
    >>> from sklvm.objectives import ScoreMatching
    >>> ScoreMatching()
    ScoreMatching()
    """

    requires = (Laplacian,)
    deterministic = True

    def step(self, energy, theta, X, weights, state, rng):
        psi, laplacian, pullback = energy.score_and_laplacian(theta.energy, X)
        per_row = 0.5 * np.einsum("ij,ij->i", psi, psi) + laplacian
        gradient = pullback(weights[:, np.newaxis] * psi, weights)
        return float(weights @ per_row), theta.like(gradient), state
