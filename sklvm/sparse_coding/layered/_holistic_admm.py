"""The holistic problem by alternating directions, where the chain can be written out."""

import numpy as np
from scipy import linalg

__all__ = ["SplitSystem", "balanced", "split_step"]

# Penalties of a row change by this factor where one residual is so many times the other.
_FACTOR, _IMBALANCE = 2.0, 5.0
_RELAXATION = 1.6


class SplitSystem:
    """z ↦ argmin ½‖x − z A_0‖² + ½ρ Σ_l ‖z A_l − w_l‖², with a ρ for each row. ::

        A_0 A_0ᵀ V = T V Λ,   Vᵀ T V = I,   T = Σ_l A_l A_lᵀ,   z = b V (Λ + ρ)⁻¹ Vᵀ,

    where A_l = D_K … D_{l+1} and b is the sum of the right sides. T contains A_K = I.

    Parameters
    ----------
    chain : ComposedDictionary
    """

    def __init__(self, chain):
        self.data, *self.layers = chain.codes_below(np.eye(chain.n_components))
        total = sum(A @ A.T for A in self.layers)
        self._values, self._vectors = linalg.eigh(self.data @ self.data.T, total)

    def solve(self, b, rho):
        return ((b @ self._vectors) / (self._values + rho[:, np.newaxis])) @ self._vectors.T


def split_step(problem, system, correlations, splits, scaled, rho):
    """One iteration, in place; returns the squared primal and dual residuals of each row.

    Parameters
    ----------
    problem : HolisticProblem
    system : SplitSystem
    correlations : ndarray of shape (n, n_components)
        x A_0ᵀ.
    splits, scaled : list of ndarray
        w_l and u_l, the multipliers over ρ.
    rho : ndarray of shape (n,)
    """
    column = rho[:, np.newaxis]
    pairs = zip(splits, scaled, system.layers, strict=True)
    b = correlations + column * sum((w - u) @ A.T for w, u, A in pairs)
    z = system.solve(b, rho)
    primal, dual = np.zeros(len(z)), np.zeros(len(z))
    for layer, (A, alpha) in enumerate(zip(system.layers, problem.alphas, strict=True)):
        code = z @ A if layer < len(system.layers) - 1 else z
        relaxed = _RELAXATION * code + (1 - _RELAXATION) * splits[layer]
        moved = relaxed + scaled[layer]
        new = problem.shrink(moved, alpha / column)
        scaled[layer] = moved - new
        primal += ((code - new) ** 2).sum(axis=1)
        dual += ((new - splits[layer]) ** 2).sum(axis=1)
        splits[layer] = new
    return primal, dual * rho**2


def balanced(rho, primal, dual, scaled, splits):
    """Penalties that bring the two residuals closer together (Boyd et al., 2011, section 3.4.1),
    relative to the size of what they are residuals of; the scaled multipliers follow in place."""
    of_primal = sum((w**2).sum(axis=1) for w in splits)
    of_dual = sum((u**2).sum(axis=1) for u in scaled) * rho**2
    ratio = np.sqrt((primal * np.maximum(of_dual, 1e-300)) / np.maximum(dual * of_primal, 1e-300))
    change = np.where(ratio > _IMBALANCE, _FACTOR, np.where(ratio * _IMBALANCE < 1, 1 / _FACTOR, 1))
    for u in scaled:
        u /= change[:, np.newaxis]
    return rho * change
