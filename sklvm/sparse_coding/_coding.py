"""Codes of many rows: chunk by chunk on several threads, missing entries by pattern."""

import numpy as np
from scipy import sparse

from sklvm.kernels import effective_n_threads, map_on_threads
from sklvm.rows import rows_by_gaps
from sklvm.sparse_coding.solvers import CodeResults

__all__ = ["encode_rows"]

# Numbers in the correlations of one chunk: few enough for the caches, enough for BLAS.
_CHUNK_SIZE = 2**19
_SMALLEST_CHUNK = 64
# Chunks into which few rows are cut, for as many threads. The cut must not depend on the number of
# threads, so that codes do not.
_N_CHUNKS = 16
# An objective below this part of ½‖x‖² has lost digits in differences from that.
_SMALL_OBJECTIVE = 1e-6
# Correlations that are worth a thread: fewer are coded in a millisecond or two.
_THREAD_SIZE = 2**16


def encode_rows(problem, solver, X, start, *, tol, max_iter, sparse_output):
    """Codes of all rows of X.

    Parameters
    ----------
    problem : CodingProblem
    solver : callable
        See :mod:`sklvm.sparse_coding.solvers`.
    X : ndarray of shape (n, n_features)
        NaN: not known. Such a row is coded on the features that are.
    start : array or CSR matrix of shape (n, n_components) or None
        Codes to start from; None: zero for a convex penalty, the best of the greedy path otherwise.
    tol, max_iter : float, int
    sparse_output : bool
        Whether the codes come as a CSR array.

    Returns
    -------
    results : CodeResults
        Its codes are of X's dtype.
    """
    n_rows, n_atoms = len(X), problem.n_components
    worth_a_thread = max(_SMALLEST_CHUNK, _THREAD_SIZE // n_atoms)
    n_chunks = min(_N_CHUNKS, max(1, n_rows // worth_a_thread))
    chunk_rows = max(_SMALLEST_CHUNK, min(_CHUNK_SIZE // n_atoms, -(-n_rows // n_chunks)))
    begins = range(0, n_rows, chunk_rows)
    certificates, objectives = np.empty(n_rows), np.empty(n_rows)
    n_iter = np.empty(n_rows, dtype=np.intc)
    parts = [None] * len(begins)
    dense = None if sparse_output else np.empty((n_rows, n_atoms), dtype=X.dtype)

    def encode(index):
        rows = slice(begins[index], begins[index] + chunk_rows)
        chunk = np.asarray(X[rows], dtype=np.float64, order="C")
        given = None if start is None else start[rows]
        result = _encode_chunk(problem, solver, chunk, given, tol, max_iter)
        certificates[rows], objectives[rows] = result.certificates, result.objectives
        n_iter[rows] = result.n_iter
        if sparse_output:
            parts[index] = _as_csr(result.codes, X.dtype)
        else:
            _copy_codes(result.codes, dense[rows])

    map_on_threads(encode, range(len(begins)), _n_threads(problem, n_rows * n_atoms))
    codes = sparse.vstack(parts, format="csr") if sparse_output else dense
    return CodeResults(codes, certificates, objectives, n_iter)


def _n_threads(problem, size):
    if problem.n_threads is None and size < _THREAD_SIZE:
        return 1
    return effective_n_threads(problem.n_threads)


def _as_csr(codes, dtype):
    if sparse.issparse(codes):
        return codes.astype(dtype, copy=False)
    # Several times as fast as scipy's own conversion.
    is_nonzero = codes != 0
    row_ends = np.cumsum(np.count_nonzero(is_nonzero, axis=1))
    positions = np.flatnonzero(is_nonzero)
    data = codes.ravel()[positions].astype(dtype, copy=False)
    indices = (positions % codes.shape[1]).astype(np.int32)
    indptr = np.concatenate([[0], row_ends]).astype(np.int32)
    return sparse.csr_array((data, indices, indptr), shape=codes.shape)


def _copy_codes(codes, out):
    if sparse.issparse(codes):
        codes.astype(out.dtype, copy=False).toarray(out=out)
    else:
        out[...] = codes


def _solve(problem, solver, X, start, tol, max_iter):
    """Rows that the solver takes. Objectives that are rounding of ‖x‖² are computed anew."""
    result = solver(problem, X, start, tol, max_iter)
    if getattr(problem.penalty, "on_lasso_path", False):
        return result  # its objective has no ‖x‖²
    known = np.nan_to_num(X)
    half_squares = 0.5 * np.einsum("ij,ij->i", known, known)
    small = result.objectives < _SMALL_OBJECTIVE * half_squares
    if small.any():
        result.objectives[small] = problem.objective(X[small], result.codes[small])
    return result


def _encode_chunk(problem, solver, X, start, tol, max_iter):
    # Every other value is finite.
    if not np.isnan(X.sum()):
        return _solve(problem, solver, X, start, tol, max_iter)
    if getattr(solver, "takes_gaps", False) and problem.penalty.convex:
        return _solve(problem, solver, X, start, tol, max_iter)
    n_rows = len(X)
    result = CodeResults(
        np.zeros((n_rows, problem.n_components)),
        np.zeros(n_rows),
        np.zeros(n_rows),
        np.zeros(n_rows, dtype=np.intc),
    )
    for rows, missing in rows_by_gaps(X):
        if missing.all():
            continue  # nothing is known, and a code of zero is the best
        part = _solve(
            problem.on_features(~missing) if missing.any() else problem,
            solver,
            np.ascontiguousarray(X[np.ix_(rows, ~missing)]),
            None if start is None else start[rows],
            tol,
            max_iter,
        )
        dense = part.codes.toarray() if sparse.issparse(part.codes) else part.codes
        for array, values in zip(result, (dense, *part[1:]), strict=True):
            array[rows] = values
    return result
