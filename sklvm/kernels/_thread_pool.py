"""Python threads that run BLAS products: as many of the one as of the other would be too many."""

import contextvars
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache

from threadpoolctl import ThreadpoolController

__all__ = ["map_on_threads", "single_threaded_blas"]


class _CountedLimit:
    """BLAS has one thread for as long as anybody in this process asks for that.

    The number of BLAS's threads is a property of the process. Were each of several Python threads
    to remember it, and to set it again when done, the one that came second would remember 1, and if
    it ended last leave 1.
    """

    def __init__(self):
        self._lock, self._count, self._limit = threading.Lock(), 0, None

    def acquire(self):
        with self._lock:
            if self._count == 0:
                self._limit = _blas().limit(limits=1)
            self._count += 1

    def release(self):
        with self._lock:
            self._count -= 1
            if self._count == 0:
                self._limit.restore_original_limits()
                self._limit = None

    def renew_lock(self):
        """In the child of a fork: another thread of the parent may hold the old one for good."""
        self._lock = threading.Lock()


@cache
def _blas():
    # To look for the libraries takes milliseconds.
    return ThreadpoolController().select(user_api="blas")


_LIMIT = _CountedLimit()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_LIMIT.renew_lock)


@contextmanager
def single_threaded_blas():
    """A context in which BLAS uses one thread; several threads may be in it at a time.

    Examples
    --------
    >>> from threadpoolctl import threadpool_info
    >>> from sklvm.kernels import single_threaded_blas
    >>> with single_threaded_blas():
    ...     blas = [library for library in threadpool_info() if library["user_api"] == "blas"]
    >>> {library["num_threads"] for library in blas}
    {1}
    """
    _LIMIT.acquire()
    try:
        yield
    finally:
        _LIMIT.release()


def map_on_threads(task, arguments, n_threads):
    """``[task(argument) for argument in arguments]`` on Python threads, BLAS having one on each.

    Parameters
    ----------
    task : callable
        It runs under the caller's ``numpy.errstate``.
    arguments : sequence
    n_threads : int
        With 1 everything runs in the calling thread, and BLAS has the threads that it has.

    Returns
    -------
    results : list
        In the order of `arguments`.
    """
    n_threads = min(n_threads, len(arguments))
    if n_threads <= 1:
        return [task(argument) for argument in arguments]
    with single_threaded_blas(), ThreadPoolExecutor(n_threads) as pool:
        try:
            waiting = [
                pool.submit(contextvars.copy_context().run, task, argument)
                for argument in arguments
            ]
            return [each.result() for each in waiting]
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
