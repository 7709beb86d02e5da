"""Sparse codes of an l1 penalty by block active sets."""

import threading
import time
from typing import NamedTuple

import numpy as np

from sklvm.kernels._active_set_loops import active_set_loop
from sklvm.kernels._arrays import (
    check_csr_array,
    check_matching_array,
    finite_squared_norms,
)
from sklvm.kernels._row_blocks import rows_of_next_block

# Atoms of a row are padded to a multiple of this, for vectors of any length.
_ATOM_BLOCK = 64
# Passes over all atoms are of double where the error of single precision may exceed this fraction
# of the smallest bound, or norms this number.
_LARGEST_ERROR = 1e-2
_LARGEST_SINGLE = 1e15
_SINGLE_ROUNDING = 2.0**-24
# Rows after which Python has its turn, at first.
_FIRST_ROWS = 64
# Non-zero coefficients of a row for which there is room at first.
_EXPECTED_NONZERO = 32


class SparseRows(NamedTuple):
    """Sparse codes, and how good they are.

    Attributes
    ----------
    ends : ndarray of int32, shape (n,)
        Row i's entries end here; they begin where those of the row before end.
    atoms : ndarray of int32, shape (n_nonzero,)
        Increasing in each row.
    values : ndarray of float64, shape (n_nonzero,)
    gaps : ndarray of shape (n,)
        Relative duality gap that each row reached.
    objectives : ndarray of shape (n,)
        ½‖x − zD‖² + Σ_k bound_k |z_k| (and the ridge).
    curvatures : ndarray of shape (n,)
        (b s) G⁻¹ (b s)ᵀ on the support, where codes have signs s and bounds b.
    n_iter : ndarray of int32, shape (n,)
        Rounds.
    """

    ends: np.ndarray
    atoms: np.ndarray
    values: np.ndarray
    gaps: np.ndarray
    objectives: np.ndarray
    curvatures: np.ndarray
    n_iter: np.ndarray


class ActiveSetCoder:
    """Minimises ½‖x − zD‖² + Σ_k bound_k |z_k| (+ ½ Σ_k ridge_k z_k²) by block working sets.

    A round adds the atoms of largest violation and minimises over the support directly, by a
    Cholesky factor that is kept and changed. Passes over all atoms are of single precision where
    its error is far below the bounds; codes and certificates are of double all the same.

    Parameters
    ----------
    dictionary : ndarray of float64, shape (K, m), C-contiguous
    gram : ndarray of float64, shape (K, K), C-contiguous
        D Dᵀ, plus the ridge on its diagonal.
    bound : ndarray of float64, shape (K,)
        Non-negative.
    positive : bool, default=False
        Whether z ≥ 0.
    rank : int, default=None
        What the rank of `gram` cannot exceed; None: K.
    ridge : ndarray of float64, shape (K,), default=None
        What `gram` has on its diagonal besides D Dᵀ; None: nothing.

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm.kernels import ActiveSetCoder
    >>> coder = ActiveSetCoder(np.eye(2), np.eye(2), np.ones(2))
    >>> rows = coder.codes(np.array([[3.0, -0.5], [0.0, -2.0]]))
    >>> rows.ends, rows.atoms, rows.values
    (array([1, 2], dtype=int32), array([0, 1], dtype=int32), array([ 2., -1.]))
    """

    def __init__(self, dictionary, gram, bound, *, positive=False, rank=None, ridge=None):
        n_atoms, n_features = np.shape(dictionary)
        self._dictionary = _checked(dictionary, "dictionary", (n_atoms, n_features))
        self._gram = _checked(gram, "gram", (n_atoms, n_atoms))
        self._bound = _checked(bound, "bound", (n_atoms,))
        self._positive = positive
        self._ridge = None if ridge is None else _checked(ridge, "ridge", (n_atoms,))
        self._largest_support = n_atoms if rank is None else max(1, min(rank, n_atoms))
        # The largest norm of an atom, which the ridge extends.
        self._norm = float(np.sqrt(np.diagonal(self._gram).max(initial=0)))
        self._scans, self._lock = {}, threading.Lock()

    def codes(self, X, start=None, *, tol=1e-6, max_iter=1000):
        """Codes of the rows of X, on one thread; other threads may run it at the same time.

        Parameters
        ----------
        X : ndarray of float64, shape (n, m)
            NaN: missing. Such a row is coded on the features that are known, at the cost of a
            complete one with as many more atoms as entries are missing.
        start : CSR array of float64, shape (n, K), default=None
            Codes to start from; None: zero.
        tol : float, default=1e-6
            Relative duality gap at which a row ends, and for unpenalised coefficients their
            max |(x − zD)Dᵀ| relative to max |x Dᵀ|.
        max_iter : int, default=1000
            Greatest number of rounds.

        Returns
        -------
        rows : SparseRows

        Raises
        ------
        ValueError
            Where the square of a row's norm leaves the range of double precision, or `start` has
            entries outside of its shape.
        """
        X = _checked(X, "X", (len(X), self._dictionary.shape[1]))
        observed = None
        if np.isnan(X.sum()):  # every other value is finite
            missing = np.isnan(X)
            X, observed = np.where(missing, 0.0, X), 1.0 - missing
        squared_norms = finite_squared_norms(X, "data")
        scan = self._scan(squared_norms, start, observed is not None)
        correlations = X.astype(scan.dictionary.dtype, copy=False) @ scan.dictionary.T
        # What unpenalised coefficients are held to.
        scales = np.zeros(len(X))
        if not self._bound.all():
            scales = np.abs(correlations).max(axis=1)
        starts = (None, None, None)
        if start is not None:
            check_csr_array(start, "start", (len(X), len(self._dictionary)))
            starts = start.indptr.astype(np.intc), start.indices.astype(np.intc), start.data
        results = (*np.empty((3, len(X))), np.empty(len(X), dtype=np.intc))
        parts, room = [], self._room(scan)
        n_features, support = X.shape[1], self._largest_support
        gaps_room = (
            np.empty(support + 2 * n_features, dtype=np.intp),
            np.empty(support + 2 * n_features),
        )
        begin, n_rows, ends = 0, _FIRST_ROWS, np.zeros(len(X), dtype=np.intc)
        atoms = np.empty(max(self._largest_support, _EXPECTED_NONZERO * len(X)), dtype=np.intc)
        values = np.empty(len(atoms))
        while begin < len(X):
            begun = time.perf_counter()
            end = active_set_loop(
                self._dictionary,
                self._gram,
                self._bound,
                scan.gram,
                self._norm,
                self._positive,
                X[: begin + n_rows],
                correlations,
                squared_norms,
                scales,
                *starts,
                begin,
                ends,
                atoms,
                values,
                *results,
                tol,
                max_iter,
                *room,
                self._ridge,
                observed,
                *gaps_room,
            )
            parts.append((atoms[: ends[end - 1]].copy(), values[: ends[end - 1]].copy()))
            if begin:
                ends[begin:end] += ends[begin - 1]
            elapsed = time.perf_counter() - begun
            n_rows = rows_of_next_block(end - begin, elapsed)
            begin = end
        return SparseRows(ends, *map(np.concatenate, zip(*parts, strict=True)), *results)

    def _room(self, scan):
        n = self._largest_support
        n_padded = len(scan.bound)
        return (
            scan.bound.copy(),
            np.empty(n_padded + _ATOM_BLOCK, dtype=scan.bound.dtype),
            np.empty(n, dtype=np.intp),
            np.empty(6 * n),
            np.empty(n * (n + 1)),
        )

    def _scan(self, squared_norms, start, has_gaps):
        norm = np.sqrt(squared_norms.max(initial=0))
        error = _SINGLE_ROUNDING * (self._dictionary.shape[1] + 8) * self._norm * norm
        largest = max(norm, 0 if start is None else np.abs(start.data).max(initial=0))
        fits = (
            error < _LARGEST_ERROR * self._bound.min()
            and max(largest, self._bound.max()) < _LARGEST_SINGLE
            and 1 / _LARGEST_SINGLE < self._norm < _LARGEST_SINGLE
        )
        dtype = np.dtype(np.float32 if fits else np.float64)
        key = dtype, has_gaps
        with self._lock:
            if key not in self._scans:
                self._scans[key] = self._padded(dtype, has_gaps)
        return self._scans[key]

    def _padded(self, dtype, has_gaps):
        n_atoms, n_features = self._dictionary.shape
        n_padded = -(-n_atoms // _ATOM_BLOCK) * _ATOM_BLOCK
        dictionary = np.zeros((n_padded, n_features), dtype=dtype)
        gram = np.zeros((n_atoms + has_gaps * n_features, n_padded), dtype=dtype)
        bound = np.full(n_padded, np.inf, dtype=dtype)
        dictionary[:n_atoms], gram[:n_atoms, :n_atoms] = self._dictionary, self._gram
        if has_gaps:
            gram[n_atoms:, :n_atoms] = self._dictionary.T
        bound[:n_atoms] = self._bound
        return _Scan(dictionary, gram, bound)


class _Scan(NamedTuple):
    """What passes over all atoms read. For rows with gaps `gram` has features behind the atoms."""

    dictionary: np.ndarray
    gram: np.ndarray
    bound: np.ndarray


def _checked(array, name, shape):
    return np.ascontiguousarray(check_matching_array(array, name, shape, np.dtype(np.float64)))
