"""Squared norms of the units' input gradients, q_l = ‖∇ₓ u_l‖², and their pullback.

They are the part of a Laplacian that a backward pass does not give. Tangents with respect to the
input would be d wide. But every ∇ₓ u_l lies in the row space of V₁, so with u₁ = V₁x + d₁ and
M = V₁V₁ᵀ

    ∂u_l/∂x = U_l V₁,   q_l = diag(U_l M U_lᵀ),   U₁ = I,   U_l = V_l diag(f′(u_{l−1})) U_{l−1},

and no product is wider than the first hidden layer.
"""

import numpy as np

from sklvm.kernels import pairwise_products, pairwise_products_vjp

__all__ = ["gradient_norms"]


def gradient_norms(coefs, firsts):
    """q_l for every layer, and the pullback.

    Parameters
    ----------
    coefs : list of ndarray of shape (width_l, width_{l−1})
        V₁, …, V_L.
    firsts : list of ndarray of shape (n, width_l)
        f′(u₁), …, f′(u_{L−1}); the last layer's is not needed.

    Returns
    -------
    norms : list of ndarray
        q₁ of shape (width₁,), the same for every row; q_l of shape (n, width_l).
    pullback : callable
        ``pullback(norms_bar)`` → (cotangents of the coefs, cotangents of the firsts).
    """
    gram = coefs[0] @ coefs[0].T
    if len(coefs) == 2:
        upper, upper_pullback = _second_layer(coefs[1], firsts[0], gram)
    else:
        upper, upper_pullback = _upper_layers(coefs, firsts, gram)

    def pullback(norms_bar):
        gram_bar, coefs_bar, firsts_bar = upper_pullback(norms_bar[1:])
        gram_bar[np.diag_indices_from(gram_bar)] += norms_bar[0].sum(axis=0)
        return [(gram_bar + gram_bar.T) @ coefs[0], *coefs_bar], firsts_bar

    return [np.diagonal(gram), *upper], pullback


def _second_layer(W, first, gram):
    """The closed form q_k = Σ_{ij} W_ki W_kj M_ij f′_i f′_j: one product over the pairs i ≤ j."""
    rows, columns = np.triu_indices(W.shape[1])
    twice = np.where(rows == columns, 1, 2).astype(W.dtype)
    pair_gram = twice * gram[rows, columns]
    pair_weights = pairwise_products(W)
    products = pairwise_products(first)
    coupling = pair_weights * pair_gram

    def pullback(norms_bar):
        (q_bar,) = norms_bar
        coupling_bar = q_bar.T @ products
        first_bar = pairwise_products_vjp(first, q_bar @ coupling)
        gram_bar = np.zeros_like(gram)
        gram_bar[rows, columns] = twice * (coupling_bar * pair_weights).sum(axis=0)
        W_bar = pairwise_products_vjp(W, coupling_bar * pair_gram)
        return gram_bar, [W_bar], [first_bar]

    return [products @ coupling.T], pullback


def _upper_layers(coefs, firsts, gram):
    """Any depth: the tangents U_l, of shape (n, width_l, width₁), layer after layer."""
    norms, tangents, gram_products, scaled = [], [], [], []
    tangent = np.eye(len(gram), dtype=gram.dtype)[np.newaxis]
    for V, first in zip(coefs[1:], firsts, strict=False):
        scaled.append(first[:, :, np.newaxis] * tangent)
        tangent = V @ scaled[-1]
        tangents.append(tangent)
        gram_products.append(tangent @ gram)
        norms.append(np.einsum("nij,nij->ni", gram_products[-1], tangent))

    def pullback(norms_bar):
        gram_bar = np.zeros_like(gram)
        coefs_bar, firsts_bar = [], []
        from_above = 0.0
        for layer in reversed(range(len(norms))):
            U = tangents[layer]
            weighted = norms_bar[layer][:, :, np.newaxis] * U
            gram_bar += np.tensordot(weighted, U, axes=([0, 1], [0, 1]))
            U_bar = 2 * norms_bar[layer][:, :, np.newaxis] * gram_products[layer] + from_above
            coefs_bar.append(np.tensordot(U_bar, scaled[layer], axes=([0, 2], [0, 2])))
            scaled_bar = coefs[layer + 1].T @ U_bar
            if layer > 0:
                firsts_bar.append(np.einsum("nij,nij->ni", scaled_bar, tangents[layer - 1]))
                from_above = firsts[layer][:, :, np.newaxis] * scaled_bar
            else:
                firsts_bar.append(np.einsum("nii->ni", scaled_bar).copy())
        return gram_bar, coefs_bar[::-1], firsts_bar[::-1]

    return norms, pullback
