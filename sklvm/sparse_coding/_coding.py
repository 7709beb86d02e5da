"""Codes of many rows: chunk by chunk, missing entries by pattern."""

import numpy as np
from scipy import sparse

from sklvm.sparse_coding.solvers import CodeResults, best_of_path

__all__ = ["encode_rows"]

# Numbers in the correlations of one chunk: few enough for the caches, enough for BLAS.
_CHUNK_SIZE = 2**18


def encode_rows(problem, solver, X, start, *, tol, max_iter, sparse_output):
    """Codes of all rows of X.

    Parameters
    ----------
    problem : CodingProblem
    solver : callable
    X : ndarray of shape (n, n_features)
        NaN: not known. Such a row is coded on the features that are.
    start : array or sparse matrix of shape (n, n_components) or None
        Codes to start from; None: zero for a convex penalty, the best of the greedy path otherwise.
    tol, max_iter : float, int
    sparse_output : bool
        Whether the codes come as a CSR array.

    Returns
    -------
    results : CodeResults
        Its codes are of X's dtype.
    """
    n_rows, n_atoms = len(X), len(problem.dictionary)
    chunk_rows = max(64, _CHUNK_SIZE // n_atoms)
    certificates, objectives = np.empty(n_rows), np.empty(n_rows)
    n_iter = np.empty(n_rows, dtype=np.intc)
    parts, dense = [], None if sparse_output else np.empty((n_rows, n_atoms), dtype=X.dtype)
    for begin in range(0, n_rows, chunk_rows):
        rows = slice(begin, begin + chunk_rows)
        chunk = np.asarray(X[rows], dtype=np.float64, order="C")
        result = _encode_chunk(problem, solver, chunk, _dense_rows(start, rows), tol, max_iter)
        certificates[rows], objectives[rows] = result.certificates, result.objectives
        n_iter[rows] = result.n_iter
        if sparse_output:
            parts.append(_to_csr(result.codes, X.dtype))
        else:
            dense[rows] = result.codes
    codes = sparse.vstack(parts, format="csr") if sparse_output else dense
    return CodeResults(codes, certificates, objectives, n_iter)


def _to_csr(codes, dtype):
    # Several times as fast as scipy's own conversion.
    is_nonzero = codes != 0
    row_ends = np.cumsum(np.count_nonzero(is_nonzero, axis=1))
    positions = np.flatnonzero(is_nonzero)
    data = codes.ravel()[positions].astype(dtype, copy=False)
    indices = (positions % codes.shape[1]).astype(np.int32)
    indptr = np.concatenate([[0], row_ends]).astype(np.int32)
    return sparse.csr_array((data, indices, indptr), shape=codes.shape)


def _dense_rows(start, rows):
    if start is None:
        return None
    chunk = start[rows].toarray() if sparse.issparse(start) else start[rows]
    return np.array(chunk, dtype=np.float64, order="C")


def _encode_chunk(problem, solver, X, start, tol, max_iter):
    missing = np.isnan(X)
    if not missing.any():
        return _solve(problem, solver, X, start, tol, max_iter)
    n_rows = len(X)
    result = CodeResults(
        np.empty((n_rows, len(problem.dictionary))),
        np.empty(n_rows),
        np.empty(n_rows),
        np.empty(n_rows, dtype=np.intc),
    )
    patterns, pattern_of_row = np.unique(missing, axis=0, return_inverse=True)
    for index, pattern in enumerate(patterns):
        rows = np.flatnonzero(pattern_of_row == index)
        part = _solve(
            problem.on_features(~pattern) if pattern.any() else problem,
            solver,
            np.ascontiguousarray(X[np.ix_(rows, ~pattern)]),
            None if start is None else start[rows],
            tol,
            max_iter,
        )
        for array, values in zip(result, part, strict=True):
            array[rows] = values
    return result


def _solve(problem, solver, X, start, tol, max_iter):
    correlations = X @ problem.dictionary.T
    squared_norms = np.einsum("ij,ij->i", X, X)
    if start is None and problem.bound is not None and problem.exponent < 1:
        start = best_of_path(problem, correlations, squared_norms)
    elif start is None:
        start = np.zeros_like(correlations)
    return solver(problem, correlations, squared_norms, start, tol, max_iter)
