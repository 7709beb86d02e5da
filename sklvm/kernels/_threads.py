"""How many threads a kernel may start."""

import os
import threading
from functools import cache
from numbers import Integral

import joblib
from joblib.parallel import get_active_backend

from sklvm.kernels._openmp import max_threads

# A pass over fewer elements takes a millisecond or two. Threads would save part of that, and cost
# more: when done they go on spinning for some milliseconds, on CPUs that BLAS, whose threads are
# others, wants for its next product (15 ms instead of 4 for a training step of 0.8 million
# parameters), and on a busy machine the first one spins while the others wait for their turn.
MIN_ELEMENTS_FOR_THREADS = 2**22


def effective_n_threads(n_threads=None):
    """Number of threads that a kernel will use.

    Parameters
    ----------
    n_threads : int or None, default=None
        A positive number is taken as it is. None stands for what OpenMP allows (its environment
        variables and :func:`threadpoolctl.threadpool_limits` are honoured), at most the number of
        CPUs that this process may use, and 1 inside a thread that joblib started: its siblings
        already fill the machine. A kernel that gets None for little work uses one thread anyway.
        In the child of a fork it is always 1: the parent's threads are not there, and OpenMP
        would wait for them for good.

    Returns
    -------
    n_threads : int
        At least 1. None gives 1 where sklvm was built without OpenMP.

    Raises
    ------
    TypeError
        If `n_threads` is neither None nor an integer.
    ValueError
        If `n_threads` is an integer below 1.

    Examples
    --------
    >>> from sklvm.kernels import effective_n_threads
    >>> effective_n_threads(1)
    1
    """
    if n_threads is None:
        if _is_forked or _is_joblib_thread():
            return 1
        return min(max_threads(), _n_cpus())
    if not isinstance(n_threads, Integral) or isinstance(n_threads, bool):
        raise TypeError(f"n_threads must be None or an integer of at least 1, got {n_threads!r}.")
    if n_threads < 1:
        raise ValueError(f"n_threads must be None or an integer of at least 1, got {n_threads!r}.")
    return 1 if _is_forked else int(n_threads)


def threads_for(n_elements, n_threads):
    """Threads for a pass over `n_elements`; one for few, unless a number was asked for."""
    if n_threads is None and n_elements < MIN_ELEMENTS_FOR_THREADS:
        return 1
    return effective_n_threads(n_threads)


_is_forked = False


def _note_fork():
    global _is_forked
    _is_forked = True


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_note_fork)

# Reading the limits of the process takes longer than a small kernel.
_n_cpus = cache(joblib.cpu_count)


def _is_joblib_thread():
    # A loky worker is nested too, but runs its tasks in its main thread, under thread limits of
    # its own that max_threads() already reflects.
    if threading.current_thread() is threading.main_thread():
        return False
    backend, _ = get_active_backend()
    return bool(getattr(backend, "nesting_level", 0))
