"""Symmetric matrices with given zeros, as vectors of their free entries."""

from functools import cached_property

import numpy as np
from scipy.sparse import csr_array

__all__ = ["SymmetricPattern"]


class SymmetricPattern:
    """The free entries of a symmetric matrix: coordinates of the matrices with given zeros.

    A matrix V of the space is the vector v of its entries (i, j), i ≤ j, of the mask, row by row.

    Parameters
    ----------
    mask : ndarray of bool of shape (d, d)
        Symmetric, with a true diagonal.

    Attributes
    ----------
    rows, columns : ndarray of shape (m,)
        i and j of the free entries.
    multiplicity : ndarray of shape (m,)
        How often an entry occurs in the matrix: 1 on the diagonal, 2 off it.
    identity : ndarray of shape (m,)
        The vector of the identity matrix.
    degree : int
        Greatest number of free entries in a row of the matrix.
    """

    def __init__(self, mask):
        self.n_features = len(mask)
        self.mask = mask
        self.rows, self.columns = np.nonzero(np.triu(mask))
        self.identity = (self.rows == self.columns).astype(np.float64)
        self.multiplicity = 2.0 - self.identity
        self.degree = int(mask.sum(axis=1).max())

    def dot(self, v, w):
        """⟨V, W⟩ = tr VW."""
        return float((self.multiplicity * v) @ w)

    def gather(self, dense):
        """The free entries of a symmetric dense matrix."""
        return dense[self.rows, self.columns]

    def gather_symmetrized(self, dense):
        """The free entries of the symmetric part of a dense matrix."""
        return (dense[self.rows, self.columns] + dense[self.columns, self.rows]) / 2

    def dense(self, v):
        """V as a dense matrix."""
        dense = np.zeros((self.n_features, self.n_features), dtype=v.dtype)
        dense[self.rows, self.columns] = v
        dense[self.columns, self.rows] = v
        return dense

    def sparse(self, v):
        """V as a CSR array."""
        positions, columns, row_starts = self._csr_structure
        shape = (self.n_features, self.n_features)
        return csr_array((v[positions], columns, row_starts), shape=shape)

    @cached_property
    def neighbours(self):
        """Free entries of each whole row, padded to the same length.

        Returns
        -------
        columns : ndarray of int of shape (d, degree)
            The columns of row j's free entries; the padding repeats column 0.
        positions : ndarray of int of shape (d, degree)
            Where those entries lie in the vector.
        valid : ndarray of bool of shape (d, degree)
            False on the padding.
        """
        flat_positions, flat_columns, row_starts = self._csr_structure
        counts = np.diff(row_starts)
        valid = np.arange(self.degree) < counts[:, np.newaxis]
        columns = np.zeros(valid.shape, dtype=np.intp)
        positions = np.zeros(valid.shape, dtype=np.intp)
        columns[valid] = flat_columns
        positions[valid] = flat_positions
        return columns, positions, valid

    @cached_property
    def _csr_structure(self):
        off_diagonal = np.flatnonzero(self.rows != self.columns)
        rows = np.concatenate([self.rows, self.columns[off_diagonal]])
        columns = np.concatenate([self.columns, self.rows[off_diagonal]])
        positions = np.concatenate([np.arange(len(self.rows)), off_diagonal])
        order = np.lexsort((columns, rows))
        counts = np.bincount(rows, minlength=self.n_features)
        row_starts = np.concatenate([[0], np.cumsum(counts)])
        return positions[order], columns[order], row_starts
