"""Sums over the places of filters, as matrix products of the windows of images."""

import numpy as np

__all__ = ["correlate_filters", "filter_gradient", "synthesize_filters"]

# Values of a window that are worth a matrix product: of fewer, several rows of a filter are taken
# together.
_WINDOW = 64
# Numbers in the windows of the images that are worked on at a time: 4 MB.
_BLOCK = 2**19


def correlate_filters(images, filters):
    """Σ_a d_k(a) x(p + a) for each filter at each place p at which it lies within the image.

    Parameters
    ----------
    images : ndarray of shape (n, rows, columns, channels)
    filters : ndarray of shape (K, height, width, channels)

    Returns
    -------
    maps : ndarray of shape (n, rows - height + 1, columns - width + 1, K)
    """
    n_filters, height, width, channels = filters.shape
    n, rows, columns, _ = images.shape
    shape = rows - height + 1, columns - width + 1
    together = _rows_together(filters.shape)
    out = np.empty((n, shape[0] * shape[1], n_filters))
    for block in _blocks(n, rows * shape[1] * together * width * channels):
        windows, maps = _windows(images[block], together, width), out[block]
        for first, done in _starts(height, together):
            taps = filters[:, first : first + together].copy()
            taps[:, :done] = 0
            of_rows = windows[:, first : first + shape[0]].reshape(*maps.shape[:2], -1)
            product = of_rows @ taps.reshape(n_filters, -1).T
            if first == 0:
                maps[...] = product
            else:
                maps += product
    return out.reshape(n, *shape, n_filters)


def synthesize_filters(maps, filters):
    """Σ_k Σ_p z_k(p) d_k(a − p), the adjoint of :func:`correlate_filters`.

    Parameters
    ----------
    maps : ndarray of shape (n, map_rows, map_columns, K)
    filters : ndarray of shape (K, height, width, channels)

    Returns
    -------
    images : ndarray of shape (n, map_rows + height - 1, map_columns + width - 1, channels)
    """
    n_filters, height, width, channels = filters.shape
    n, rows, columns, _ = maps.shape
    out = np.zeros((n, rows + height - 1, columns + width - 1, channels))
    for block in _blocks(n, rows * columns * max(n_filters, width * channels)):
        codes, images = maps[block].reshape(-1, n_filters), out[block]
        for i in range(height):
            products = (codes @ filters[:, i].reshape(n_filters, -1)).reshape(
                -1, rows, columns, width, channels
            )
            for j in range(width):
                images[:, i : i + rows, j : j + columns] += products[:, :, :, j]
    return out


def filter_gradient(maps, images, filter_shape):
    """Σ over images and places of z_k(p) x(p + a): the gradient of ⟨x, Σ_k d_k ∗ z_k⟩ in d.

    Parameters
    ----------
    maps : ndarray of shape (n, rows - height + 1, columns - width + 1, K)
    images : ndarray of shape (n, rows, columns, channels)
    filter_shape : tuple of int
        (height, width)

    Returns
    -------
    gradient : ndarray of shape (K, height, width, channels)
    """
    n_filters, channels = maps.shape[-1], images.shape[-1]
    height, width = filter_shape
    n, rows = images.shape[:2]
    out = np.zeros((n_filters, height, width * channels))
    for block in _blocks(n, rows * maps.shape[2] * width * channels):
        windows = _windows(images[block], 1, width)
        codes = maps[block].reshape(-1, n_filters).T
        for i in range(height):
            out[:, i] += codes @ windows[:, i : i + maps.shape[1]].reshape(-1, width * channels)
    return out.reshape(n_filters, height, width, channels)


def _blocks(n, size):
    step = max(1, _BLOCK // max(size, 1))
    return [slice(first, first + step) for first in range(0, n, step)]


def _windows(images, height, width):
    """Of shape (n, rows - height + 1, columns - width + 1, height * width * channels)."""
    views = np.lib.stride_tricks.sliding_window_view(images, (height, width), axis=(1, 2))
    windows = np.ascontiguousarray(views.transpose(0, 1, 2, 4, 5, 3))
    return windows.reshape(*windows.shape[:3], -1)


def _rows_together(shape):
    _, height, width, channels = shape
    return min(height, max(1, _WINDOW // (width * channels)))


def _starts(height, together):
    """First rows of groups of as many, and how many rows of each an earlier group has had."""
    firsts = list(range(0, height - together + 1, together))
    starts = [(first, 0) for first in firsts]
    if left := height - together * len(firsts):
        starts.append((height - together, together - left))
    return starts
