"""Row-wise functions of large data: a few rows at a time, on several threads."""

from sklvm.kernels import effective_n_threads, map_on_threads

__all__ = ["apply_to_rows"]

# Few enough rows for what is computed from them to stay in the cache, and of wide data so few that
# they take no memory worth the name.
_CHUNK_ROWS = 2048
_CHUNK_ENTRIES = 2**19


def apply_to_rows(function, X, out):
    """``out[rows] = function(X[rows])`` for all rows of X, chunk by chunk.

    Parameters
    ----------
    function : callable
        Maps rows to one value, or one row, each. It runs on several threads at once, with BLAS on
        one.
    X : ndarray of shape (n_samples, n_features)
        Data.
    out : ndarray of shape (n_samples, ...)
        Where the values go.

    Returns
    -------
    out : ndarray
    """
    n_rows = max(1, min(_CHUNK_ROWS, _CHUNK_ENTRIES // X.shape[1]))
    starts = range(0, len(X), n_rows)

    def apply(start):
        rows = slice(start, start + n_rows)
        out[rows] = function(X[rows])

    map_on_threads(apply, starts, effective_n_threads())
    return out
