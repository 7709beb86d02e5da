"""What the solvers of the holistic problem solve, and how they certify it."""

import numpy as np

__all__ = ["HolisticProblem"]

# An objective is compared with no less than this part of ½‖x‖².
_SMALL_OBJECTIVE = 1e-6


class HolisticProblem:
    """The codes of all layers at once, each an exact combination of the atoms of the next. ::

        min_z ½‖x − γ_0‖² + Σ_l α_l ‖γ_l‖₁,   γ_K = z,  γ_{l−1} = γ_l D_l

    With non-negative codes γ_l ≥ 0 on all layers l ≥ 1. The dual has a θ for data and multipliers
    v_l with |v_l| ≤ α_l (v_l ≤ α_l for non-negative codes) for l < K: ::

        max ⟨θ, x⟩ − ½‖θ‖²   subject to   |v_K| ≤ α_K,   v_l' = v_{l−1}' D_lᵀ − v_l,  v_0' = θ,

    where v_K is the sum v_{K−1}' D_Kᵀ that what is below leaves to the last layer.

    Parameters
    ----------
    chain : ComposedDictionary
    alphas : ndarray of shape (n_layers,)
        That of the last layer is positive.
    positive : bool
    """

    def __init__(self, chain, alphas, positive):
        self.chain, self.alphas, self.positive = chain, np.asarray(alphas, float), positive

    def shrink(self, U, threshold):
        """The proximal map of threshold · ‖·‖₁, on non-negative codes if these are asked for."""
        if self.positive:
            return np.maximum(U - threshold, 0)
        return U - np.clip(U, -threshold, threshold)

    def clip(self, V, alpha):
        """The nearest multipliers that are allowed."""
        return np.minimum(V, alpha) if self.positive else np.clip(V, -alpha, alpha)

    def objective(self, X, codes):
        """Of codes that belong together, see ``ComposedDictionary.codes_below``."""
        residual = X - codes[0]
        values = 0.5 * np.einsum("ij,ij->i", residual, residual)
        for alpha, code in zip(self.alphas, codes[1:], strict=True):
            values += alpha * np.abs(code).sum(axis=1)
        return values

    def leftover(self, theta, multipliers):
        """v_K: what θ and the multipliers of all layers but the last leave to that."""
        *layers, last = self.chain.layers
        for layer, v in zip(layers, multipliers, strict=True):
            theta = layer.correlate(theta) - v
        return last.correlate(theta)

    def certificates(self, X, codes, multipliers, leftover=None):
        """Objective of each row, and its duality gap relative to that.

        θ is the residual. It and the multipliers are scaled down, or up, together until they are
        allowed and the dual is greatest. Where non-negative codes of lower layers are not yet
        non-negative, the certificate is at least by how much, relative to the greatest of them.
        """
        theta = X - codes[0]
        if leftover is None:
            leftover = self.leftover(theta, multipliers)
        scale = np.full(len(X), np.inf)
        for alpha, v in zip(self.alphas, [*multipliers, leftover], strict=True):
            largest = np.max(v if self.positive else np.abs(v), axis=1, initial=0)
            # Where nothing is left, any scale is allowed.
            with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
                np.minimum(scale, alpha / largest, out=scale, where=largest > 0)
        product = np.einsum("ij,ij->i", theta, X)
        square = np.einsum("ij,ij->i", theta, theta)
        best = np.divide(product, square, out=np.zeros(len(X)), where=square > 0)
        scale = np.clip(best, 0, scale)
        dual = scale * product - 0.5 * scale**2 * square
        primal = self.objective(X, codes)
        floor = _SMALL_OBJECTIVE * 0.5 * np.einsum("ij,ij->i", X, X)
        relative_to = np.maximum(np.maximum(primal, floor), 1e-300)
        certificates = np.abs(primal - dual) / relative_to
        if self.positive:
            for code in codes[1:-1]:
                largest = np.abs(code).max(axis=1, initial=0)
                below = -code.min(axis=1, initial=0) / np.maximum(largest, 1e-300)
                np.maximum(certificates, below, out=certificates)
        return primal, certificates
