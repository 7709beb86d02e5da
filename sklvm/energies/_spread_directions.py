"""Directions that are far from one another."""

import numpy as np

__all__ = ["spread_directions"]


def spread_directions(n_vectors, n_dimensions, rng):
    """Unit vectors: a random orthonormal set, its opposites, another set, and so on."""
    blocks, n_made = [], 0
    while n_made < n_vectors:
        normal = rng.standard_normal((n_dimensions, min(n_dimensions, n_vectors)))
        orthonormal = np.linalg.qr(normal)[0].T
        blocks += [orthonormal, -orthonormal]
        n_made += 2 * len(orthonormal)
    return np.vstack(blocks)[:n_vectors]
