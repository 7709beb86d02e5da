"""Statistics of the sparse maps of an image."""

import numpy as np

from sklvm.kernels._arrays import check_matching_array, check_out
from sklvm.kernels._map_statistics_loops import map_products_loop

_FLOAT64 = np.dtype(np.float64)


def add_map_products(places, codes, weight, image, map_scatter, map_data, *, circular=False):
    """Add correlations of sparse maps with one another, and with an image, to what is there.

    ::

        map_scatter[k, l, δ] += weight Σ_p z_k(p) z_l(p + δ),   |δ| < filter_shape along each axis
        map_data[k, a] += weight Σ_p z_k(p) x(p + a),           0 ≤ a < filter_shape

    Parameters
    ----------
    places : tuple of ndarray of int, each of shape (n_nonzero,)
        Row, column and filter of each code, in lexicographic order.
    codes : ndarray of float64, shape (n_nonzero,)
    weight : float
    image : ndarray of float64, shape (rows, columns, channels)
    map_scatter : ndarray of float64, shape (K, K, 2 * height - 1, 2 * width - 1)
        The index of δ is δ + filter_shape − 1.
    map_data : ndarray of float64, shape (K, height, width, channels)
    circular : bool, default=False
        Whether p + δ and p + a wrap around the borders of the image.

    Raises
    ------
    ValueError
        If shapes do not fit together, or filters at these places leave the image.
    """
    n_filters, height, width, channels = map_data.shape
    rows, columns, _ = image.shape
    check_matching_array(image, "image", (rows, columns, channels), _FLOAT64)
    check_out(map_data, map_data.shape, _FLOAT64, "map_data")
    shape = (n_filters, n_filters, 2 * height - 1, 2 * width - 1)
    check_out(map_scatter, shape, _FLOAT64, "map_scatter")
    places = [np.asarray(array, dtype=np.int64) for array in places]
    own = (rows, columns) if circular else (rows - height + 1, columns - width + 1)
    names = ("row", "column", "filter")
    for name, values, end in zip(names, places, (*own, n_filters), strict=True):
        if len(values) and not (values.min() >= 0 and values.max() < end):
            raise ValueError(f"{name} of a code must be from 0 to below {end}.")
    codes = np.asarray(codes, dtype=np.float64)
    if circular:
        image = np.pad(image, [(0, height - 1), (0, width - 1), (0, 0)], mode="wrap")
        places, codes = _with_neighbours(places, codes, own, (height - 1, width - 1))
    n_rows = own[0] + (height - 1 if circular else 0)
    starts = np.searchsorted(places[0], np.arange(n_rows + 1))
    map_products_loop(
        *(array.astype(np.intc) for array in places),
        codes,
        starts.astype(np.int64),
        *own,
        float(weight),
        np.ascontiguousarray(image),
        map_scatter,
        map_data,
    )


def _with_neighbours(places, codes, shape, reach):
    """Codes repeated to the left and right of a circular image, and below."""
    row, column, filters = places
    for axis, sides in ((1, (-1, 1)), (0, (1,))):
        parts = [(row, column, filters, codes)]
        for side in sides:
            at = (row, column)[axis]
            near = at >= shape[axis] - reach[axis] if side < 0 else at < reach[axis]
            moved = [row[near], column[near]]
            moved[axis] = moved[axis] + side * shape[axis]
            parts.append((*moved, filters[near], codes[near]))
        row, column, filters, codes = (np.concatenate(p) for p in zip(*parts, strict=True))
    order = np.lexsort((filters, column, row))
    return (row[order], column[order], filters[order]), codes[order]
