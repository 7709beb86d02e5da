"""Squared norms of the units' input gradients, q_l = ‖∇ₓ u_l‖², and their pullback.

They are the part of a Laplacian that a backward pass does not give. Tangents with respect to the
input would be d wide. But every ∇ₓ u_l lies in the row space of V₁, so with u₁ = V₁x + d₁ and
M = V₁V₁ᵀ

    ∂u_l/∂x = U_l V₁,   q_l = diag(U_l M U_lᵀ),   U₁ = I,   U_l = V_l diag(f′(u_{l−1})) U_{l−1},

and no product is wider than the first hidden layer.
"""

from functools import lru_cache

import numpy as np

from sklvm.kernels import pairwise_products, pairwise_products_vjp

__all__ = ["gradient_norms"]

# In an array over pairs of units, beyond which they are taken in tiles, and in that of a tile.
_MOST_ENTRIES = 2**21
_TILE_ENTRIES = 2**20


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
    n_pairs = len(gram) * (len(gram) + 1) // 2
    if len(coefs) == 2 and n_pairs * max(len(firsts[0]), len(coefs[1])) > _MOST_ENTRIES:
        upper, upper_pullback = _second_layer_in_tiles(coefs[1], firsts[0], gram)
    elif len(coefs) == 2:
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
    upper, twice = _upper_triangle(W.shape[1], W.dtype)
    pair_gram = twice * gram.take(upper)
    pair_weights = pairwise_products(W)
    products = pairwise_products(first)
    coupling = pair_weights * pair_gram

    def pullback(norms_bar):
        (q_bar,) = norms_bar
        coupling_bar = q_bar.T @ products
        first_bar = pairwise_products_vjp(first, q_bar @ coupling)
        gram_bar = np.zeros_like(gram)
        gram_bar.put(upper, twice * np.einsum("kp,kp->p", coupling_bar, pair_weights))
        coupling_bar *= pair_gram
        W_bar = pairwise_products_vjp(W, coupling_bar)
        return gram_bar, [W_bar], [first_bar]

    return [products @ coupling.T], pullback


@lru_cache(maxsize=4)
def _upper_triangle(width, dtype):
    """Where the pairs i ≤ j lie in a flat matrix, and how often each is in it: 1 where i = j."""
    rows, columns = np.triu_indices(width)
    upper, twice = rows * width + columns, np.where(rows == columns, 1, 2).astype(dtype)
    for array in (upper, twice):
        array.setflags(write=False)
    return upper, twice


def _second_layer_in_tiles(W, first, gram):
    """The same for wide layers: tiles of pairs, i in one block of units and j in it or a later one.

    No array is larger than a tile's products for all rows, or all units of the second layer.
    """
    n_rows, width = first.shape
    size = max(8, int(np.sqrt(_TILE_ENTRIES / max(n_rows, len(W)))))
    blocks = [slice(start, start + size) for start in range(0, width, size)]
    tiles = [(some, others) for i, some in enumerate(blocks) for others in blocks[i:]]

    def pairs(A, some, others):
        return (A[:, some, np.newaxis] * A[:, np.newaxis, others]).reshape(len(A), -1)

    def weighted_gram(some, others):
        # Off the diagonal a tile stands for its transpose, too.
        return (gram[some, others] if some == others else 2 * gram[some, others]).ravel()

    norms = sum(pairs(first, *tile) @ (pairs(W, *tile) * weighted_gram(*tile)).T for tile in tiles)

    def pullback(norms_bar):
        (q_bar,) = norms_bar
        gram_bar, W_bar, first_bar = (np.zeros_like(A) for A in (gram, W, first))
        for some, others in tiles:
            shape = (-1, *gram[some, others].shape)
            weights, products = pairs(W, some, others), pairs(first, some, others)
            coupling_bar = q_bar.T @ products
            factor = 1 if some == others else 2
            tile_bar = factor * (coupling_bar * weights).sum(axis=0)
            gram_bar[some, others] = tile_bar.reshape(shape[1:])
            coupling = weighted_gram(some, others)
            for A, A_bar, pairs_bar in (
                (W, W_bar, coupling_bar * coupling),
                (first, first_bar, q_bar @ (weights * coupling)),
            ):
                pairs_bar = pairs_bar.reshape(shape)
                A_bar[:, some] += np.einsum("nij,nj->ni", pairs_bar, A[:, others])
                A_bar[:, others] += np.einsum("nij,ni->nj", pairs_bar, A[:, some])
        return gram_bar, [W_bar], [first_bar]

    return [norms], pullback


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
