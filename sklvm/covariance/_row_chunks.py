"""Row-wise functions of large data: a few rows at a time, on several threads."""

from concurrent.futures import ThreadPoolExecutor

from threadpoolctl import threadpool_limits

from sklvm.kernels import effective_n_threads

__all__ = ["apply_to_rows"]

# Few enough rows for what is computed from them to stay in the cache.
_CHUNK_ROWS = 2048


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
    starts = range(0, len(X), _CHUNK_ROWS)
    n_threads = min(effective_n_threads(), len(starts))

    def apply(start):
        rows = slice(start, start + _CHUNK_ROWS)
        out[rows] = function(X[rows])

    if n_threads == 1:
        for start in starts:
            apply(start)
        return out
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(n_threads) as pool:
        for _ in pool.map(apply, starts):
            pass
    return out
