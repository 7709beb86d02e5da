"""Long loops over rows, cut so that Python has its turn several times a second."""

import time

__all__ = ["rows_of_next_block", "run_in_row_blocks"]

_FIRST_ROWS = 16  # a thread
_SECONDS = 0.2


def run_in_row_blocks(run, n_rows, n_threads):
    """``run(slice)`` over consecutive rows, in blocks that take about a fifth of a second.

    Parameters
    ----------
    run : callable
        Takes a slice of rows; what it does to a row must not depend on the other rows.
    n_rows, n_threads : int
    """
    start, size = 0, _FIRST_ROWS * n_threads
    while start < n_rows:
        begun = time.perf_counter()
        run(slice(start, min(start + size, n_rows)))
        start += size
        elapsed = time.perf_counter() - begun
        size = max(n_threads, rows_of_next_block(size, elapsed))


def rows_of_next_block(n_rows, elapsed):
    """As many rows as take about a fifth of a second, where the last `n_rows` took `elapsed`."""
    return max(1, min(int(n_rows * _SECONDS / max(elapsed, 1e-6)), 4 * n_rows))
