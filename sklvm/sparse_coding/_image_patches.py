"""Patches of images as filters to start from."""

import math

import numpy as np
from scipy.ndimage import maximum_filter

from sklvm.sparse_coding._initial_dictionary import unit_atoms

__all__ = ["initial_filters", "unit_filters", "worst_patches"]


def initial_filters(init, shape, geometry, X, weights, *, positive, rng):
    """Filters to start from.

    Parameters
    ----------
    init : "data" or ndarray
        Patches of the images, drawn at random in proportion to their energy and to the weights of
        the images; or these filters.
    shape : tuple of int
        (K, height, width, channels)
    geometry : ConvolutionGeometry
    X : ndarray of shape (n, n_features)
        NaN: not known.
    weights : ndarray of shape (n,)
    positive : bool
        Whether taps are to be non-negative.
    rng : Generator

    Returns
    -------
    filters : ndarray of float64, of that shape
        Of norm 1; given filters of norm at most 1.

    Raises
    ------
    ValueError
        If given filters are of another size.
    """
    if not isinstance(init, str):
        given = (shape[0], *geometry.filter_shape)
        fitting = {given, (*given, shape[3]), (shape[0], math.prod(shape[1:]))}
        if init.shape not in fitting or (init.shape == given and shape[3] != 1):
            raise ValueError(
                f"init must have shape (n_components, *filter_shape, n_channels) = "
                f"{(*given, shape[3])}, got {init.shape}."
            )
        filters = np.maximum(init, 0) if positive else np.asarray(init, dtype=np.float64)
        norms = np.linalg.norm(filters.reshape(shape[0], -1), axis=1)
        return filters.reshape(shape) / np.maximum(norms, 1)[:, np.newaxis, np.newaxis, np.newaxis]
    chances = weights.astype(np.float64) * (np.nan_to_num(X) != 0).any(axis=1)
    patches = np.zeros(shape)
    if chances.any():
        drawn = rng.choice(len(X), shape[0], p=chances / chances.sum())
        for index in np.unique(drawn):
            image, _ = geometry.image(X[index].astype(np.float64))
            chosen = np.flatnonzero(drawn == index)
            patches[chosen] = _drawn_patches(image, shape[1:], len(chosen), rng)
    return unit_filters(patches, positive, rng)


def unit_filters(patches, positive, rng):
    """Patches scaled to norm 1, without their negative entries on demand; noise for zeros."""
    rows = unit_atoms(patches.reshape(len(patches), -1), positive, rng)
    return rows.reshape(patches.shape)


def worst_patches(residuals, shape, n_patches):
    """Patches of greatest energy, of each image in turn; none of them overlap, as long as there is
    room.

    Parameters
    ----------
    residuals : list of ndarray of shape (rows, columns, channels)
    shape : tuple of int
        (height, width, channels)
    n_patches : int

    Returns
    -------
    patches : ndarray of shape (n_patches, height, width, channels)
        Zero where there is none.
    """
    patches = np.zeros((n_patches, *shape))
    energies = [_energies(residual, shape) for residual in residuals]
    for n in range(n_patches):
        index = n % len(residuals)
        energy = energies[index]
        i, j = np.unravel_index(np.argmax(energy), energy.shape)
        if energy[i, j] > 0:
            patches[n] = residuals[index][i : i + shape[0], j : j + shape[1]]
        low = max(i - shape[0] + 1, 0), max(j - shape[1] + 1, 0)
        energy[low[0] : i + shape[0], low[1] : j + shape[1]] = 0
    return patches


def _drawn_patches(image, shape, n_patches, rng):
    """Patches around peaks of the energy, and around any places where peaks are too few."""
    energy = _energies(image, shape)
    peaks = np.where(energy == maximum_filter(energy, size=shape[:2]), energy, 0).ravel()
    places = _drawn(peaks, n_patches, rng)
    places = np.append(places, _drawn(energy.ravel(), n_patches - len(places), rng))
    patches = np.zeros((n_patches, *shape))
    for n, place in enumerate(places):
        i, j = np.unravel_index(place, energy.shape)
        patches[n] = image[i : i + shape[0], j : j + shape[1]]
    return patches


def _drawn(chances, n, rng):
    n = min(n, np.count_nonzero(chances))
    if n == 0:
        return np.empty(0, dtype=int)
    return rng.choice(len(chances), n, replace=False, p=chances / chances.sum())


def _energies(image, shape):
    """Sums of squares under each place of a filter, those near its middle counting more: where they
    are greatest what is to be learned lies in the middle. A filter that has only a part of it at
    its edge would stay there."""
    squares = np.einsum("ijc,ijc->ij", image, image)
    for axis, length in enumerate(shape[:2]):
        windows = np.lib.stride_tricks.sliding_window_view(squares, length, axis=axis)
        squares = windows @ np.sin(np.pi * (np.arange(length) + 0.5) / length) ** 2
    return squares
