"""Which pairs of features belong together: the `structure` of estimators as a mask."""

import math
from numbers import Integral

import numpy as np

__all__ = ["lattice_mask", "resolve_mask"]


def resolve_mask(structure, n_features, image_shape, radius):
    """The mask of free entries that the estimator's parameters stand for.

    Raises
    ------
    ValueError
        If they do not fit `n_features`, or an explicit mask is not symmetric with a true diagonal.
    """
    if isinstance(structure, str):
        if structure == "full":
            return np.ones((n_features, n_features), dtype=bool)
        if structure == "diagonal":
            return np.eye(n_features, dtype=bool)
        return lattice_mask(_check_image_shape(image_shape, n_features), radius)
    mask = np.asarray(structure)
    if mask.dtype != bool:
        raise ValueError(f"A mask given as `structure` must be of dtype bool, got {mask.dtype}.")
    if mask.shape != (n_features, n_features):
        raise ValueError(
            f"A mask given as `structure` must have the shape ({n_features}, {n_features}) of all "
            f"pairs of features, got {mask.shape}."
        )
    if not (mask == mask.T).all() or not mask.diagonal().all():
        raise ValueError("A mask given as `structure` must be symmetric and true on its diagonal.")
    return mask


def lattice_mask(image_shape, radius):
    """Pairs of pixels within Chebyshev distance `radius` of each other on a grid.

    Parameters
    ----------
    image_shape : tuple of int
        Extent of the grid along each axis; pixels are numbered in C order.
    radius : int
        0 is the diagonal; on a plane 1 leaves 9 and 2 leaves 25 neighbours, the pixel itself
        included.

    Returns
    -------
    mask : ndarray of bool of shape (n_pixels, n_pixels)
        Symmetric, with a true diagonal.
    """
    mask = np.ones((1, 1), dtype=bool)
    for extent in image_shape:
        positions = np.arange(extent)
        is_near = np.abs(positions[:, np.newaxis] - positions) <= radius
        mask = np.kron(mask, is_near)
    return mask


def _check_image_shape(image_shape, n_features):
    if image_shape is None:
        raise ValueError("structure='lattice' needs `image_shape`, got None.")
    image_shape = tuple(image_shape)
    is_shape = all(isinstance(extent, Integral) and extent > 0 for extent in image_shape)
    if not is_shape or math.prod(image_shape) != n_features:
        raise ValueError(
            f"`image_shape` must be positive integers whose product is the number of features, "
            f"{n_features}; got {image_shape}."
        )
    return image_shape
