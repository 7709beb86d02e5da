"""Functions of rows, a few rows at a time: memory that does not grow with their number."""

import numpy as np

from sklvm.kernels import effective_n_threads, map_on_threads

__all__ = ["fill_row_blocks", "map_row_blocks", "row_blocks"]

# 4 MB in double precision: enough for BLAS, and a few of them do not count beside the data.
BLOCK_ENTRIES = 2**19
# Rows of a block on one of several threads: few enough for what is computed from them to stay in
# the cache.
THREAD_ROWS = 2048


def row_blocks(n_rows, width, max_rows=None):
    """Consecutive slices of rows, each so short that ``rows × width`` entries take 4 MB.

    Parameters
    ----------
    n_rows : int
    width : int
        Entries that a row takes in the widest array of the computation.
    max_rows : int, default=None
        Rows of a slice at most.

    Returns
    -------
    blocks : list of slice
        At least one, of no rows where there are none.
    """
    step = max(1, BLOCK_ENTRIES // max(width, 1))
    if max_rows is not None:
        step = min(step, max_rows)
    return [slice(start, min(start + step, n_rows)) for start in range(0, max(n_rows, 1), step)]


def map_row_blocks(function, n_rows, width):
    """Apply `function` to one slice of rows after the other, and join the results.

    Parameters
    ----------
    function : callable
        Takes a slice; returns an array with a row, or value, for each of its rows.
    n_rows, width : int
        As in :func:`row_blocks`.

    Returns
    -------
    results : ndarray
    """
    blocks = row_blocks(n_rows, width)
    first = function(blocks[0])
    if len(blocks) == 1:
        return first
    # One array, and no list of parts that would be there a second time.
    results = np.empty((n_rows, *first.shape[1:]), dtype=first.dtype)
    results[blocks[0]] = first
    for rows in blocks[1:]:
        results[rows] = function(rows)
    return results


def fill_row_blocks(function, out, width):
    """``out[rows] = function(rows)`` for slices of rows, on several threads.

    Parameters
    ----------
    function : callable
        Takes a slice; returns an array with a row, or value, for each of its rows. It runs on
        several threads at once, with BLAS on one.
    out : ndarray of shape (n_rows, ...)
        Where the results go.
    width : int
        As in :func:`row_blocks`.

    Returns
    -------
    out : ndarray
    """

    def fill(rows):
        out[rows] = function(rows)

    map_on_threads(fill, row_blocks(len(out), width, THREAD_ROWS), effective_n_threads())
    return out
