"""Squared slopes of the units along given directions, q_l = Σ_v (∂u_l/∂x v)², and their pullback.

They stand where ``gradient_norms`` stands for all of space: over an orthonormal set of d directions
they add up to ‖∇ₓ u_l‖². A direction costs what a forward pass costs, at any depth: with the
tangents u̇₁ = V₁v, ḣ_l = f′(u_l) u̇_l, u̇_{l+1} = V_{l+1} ḣ_l, the next derivative along v is
ḧ_l = f″(u_l) u̇_l² + f′(u_l) ü_l, which asks for the squares of the first ones only.
"""

import math

import numpy as np

__all__ = ["directional_slopes"]


def directional_slopes(coefs, firsts, directions):
    """q_l for every layer, and the pullback.

    Parameters
    ----------
    coefs : list of ndarray of shape (width_l, width_{l−1})
        V₁, …, V_L.
    firsts : list of ndarray of shape (n, width_l)
        f′(u₁), …, f′(u_{L−1}); the last layer's is not needed.
    directions : ndarray of shape (n_directions, n, d)
        Directions v for every row of X.

    Returns
    -------
    squares : list of ndarray of shape (n, width_l)
    pullback : callable
        ``pullback(squares_bar)`` → (cotangents of the coefs, cotangents of the firsts).
    """
    h_tangents, u_tangents = [directions], []
    for layer, V in enumerate(coefs):
        u_tangents.append(h_tangents[-1] @ V.T)
        if layer < len(firsts):
            h_tangents.append(firsts[layer] * u_tangents[-1])

    def pullback(squares_bar):
        coefs_bar, firsts_bar = [], []
        from_above = 0.0
        for layer in reversed(range(len(coefs))):
            u_bar = 2 * squares_bar[layer] * u_tangents[layer] + from_above
            coefs_bar.append(_flat(u_bar).T @ _flat(h_tangents[layer]))
            if layer > 0:
                h_bar = u_bar @ coefs[layer]
                firsts_bar.append((h_bar * u_tangents[layer - 1]).sum(axis=0))
                from_above = firsts[layer - 1] * h_bar
        return coefs_bar[::-1], firsts_bar[::-1]

    return [np.einsum("mnk,mnk->nk", slope, slope) for slope in u_tangents], pullback


def _flat(slopes):
    """The directions of all rows, one below the other."""
    return slopes.reshape(math.prod(slopes.shape[:-1]), slopes.shape[-1])
