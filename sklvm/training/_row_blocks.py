"""Rows of the data in blocks, whose size depends on the number of rows only."""

from collections.abc import Sequence

import numpy as np
from scipy.sparse import issparse

from sklvm.rows import as_dense, slices

__all__ = ["RowBlocks"]

# Rows of a block. It does not depend on the number of workers, so that results do not; small data
# make a few blocks all the same.
MIN_BLOCK_ROWS, MAX_BLOCK_ROWS = 256, 8192
N_BLOCKS = 8


class RowBlocks(Sequence):
    """A sequence of pairs: a block of rows, and their weights.

    A block of consecutive rows of an array is a view, and always the same object: workers in other
    processes recognise it and need not receive it again, and memory-mapped data are read by the
    worker.

    Parameters
    ----------
    X : ndarray or CSR array of shape (n, d)
    weights : ndarray of shape (n,)
    rows : ndarray of int, default=None
        Which rows, in this order; None: all of them.
    min_rows : int, default=256
        Least number of rows of a block.

    Attributes
    ----------
    weights : ndarray of float64
        The weights of the chosen rows.
    """

    def __init__(self, X, weights, rows=None, min_rows=MIN_BLOCK_ROWS):
        n_rows = len(weights) if rows is None else len(rows)
        size = min(max(-(-n_rows // N_BLOCKS), min_rows), MAX_BLOCK_ROWS)
        self._blocks = [
            part if rows is None else _as_slice(rows[part]) for part in slices(n_rows, size)
        ]
        self._X, self._rows, self._all_weights = X, rows, weights
        self.weights = (weights if rows is None else weights[rows]).astype(np.float64)
        self._views = {}

    def __len__(self):
        return len(self._blocks)

    def __getitem__(self, index):
        if index in self._views:
            return self._views[index]
        rows = self._blocks[index]
        block = self._X[rows], self._all_weights[rows]
        if isinstance(rows, slice) and not issparse(self._X):
            self._views[index] = block
        return block

    def take(self, positions):
        """Dense rows at these positions among those chosen."""
        rows = positions if self._rows is None else self._rows[positions]
        return as_dense(self._X[rows])


def _as_slice(rows):
    """The slice that these indices are, if they are one."""
    return slice(rows[0], rows[-1] + 1) if np.all(np.diff(rows) == 1) else rows
