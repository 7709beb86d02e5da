"""Workers among which blocks of rows are divided."""

import contextvars
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from itertools import islice

from joblib import Parallel, delayed, effective_n_jobs, parallel_config
from joblib.parallel import BACKENDS, get_active_backend

from sklvm.kernels import single_threaded_blas

__all__ = ["Workers"]

# Blocks that are under way at a time, for each worker: their results are held in memory.
BLOCKS_A_WORKER = 4


class Workers:
    """Does something to each block of rows, on as many workers as joblib has.

    Parameters
    ----------
    n_jobs : int or None
        Workers, −1 for all CPUs: threads, unless ``joblib.parallel_config`` says otherwise. None:
        those of joblib's configuration, and without one a single worker, which may use the threads
        that OpenMP and BLAS allow. A worker that was asked for has one thread.
    """

    def __init__(self, n_jobs=None):
        self.n_jobs = n_jobs
        self.n_workers = effective_n_jobs(n_jobs)
        self.is_limited = n_jobs is not None or self.n_workers > 1
        self._map_some = None

    @contextmanager
    def running(self):
        """The workers stay, and know again what they have met, until the context ends."""
        with ExitStack() as stack:
            if self.is_limited:
                stack.enter_context(single_threaded_blas())
            if self.n_workers > 1:
                backend, _ = get_active_backend(prefer="threads")
                if isinstance(backend, BACKENDS["threading"]):
                    # To hand blocks to joblib's threads takes as long as small blocks take.
                    pool = ThreadPoolExecutor(self.n_workers, initializer=_join_joblib)
                    stack.callback(pool.shutdown, cancel_futures=True)
                    self._map_some = _ThreadMap(pool)
                else:
                    self._map_some = _JoblibMap(
                        stack.enter_context(Parallel(n_jobs=self.n_jobs, prefer="threads"))
                    )
            try:
                yield self
            finally:
                self._map_some = None

    def map(self, function, arguments):
        """Results of ``function(*argument)``, in order.

        What workers that were lost leave undone is done by this process.

        Parameters
        ----------
        function : callable
            Of a module, so that other processes find it.
        arguments : iterable of tuple

        Yields
        ------
        result : object
        """
        arguments = iter(arguments)
        while some := list(islice(arguments, BLOCKS_A_WORKER * self.n_workers)):
            if self._map_some is None or len(some) == 1:
                yield from (function(*argument) for argument in some)
            else:
                yield from self._map_some(function, some)


class _ThreadMap:
    def __init__(self, pool):
        self._pool = pool

    def __call__(self, function, arguments):
        """What is left waiting when one fails is not begun."""
        waiting = [
            self._pool.submit(contextvars.copy_context().run, function, *each) for each in arguments
        ]
        try:
            return [each.result() for each in waiting]
        finally:
            for each in waiting:
                each.cancel()


def _join_joblib():
    """Let kernels know that this thread has siblings, as they know it of joblib's threads."""
    parallel_config(backend=BACKENDS["sequential"](nesting_level=1), n_jobs=1)


class _JoblibMap:
    def __init__(self, parallel):
        self._parallel = parallel

    def __call__(self, function, arguments):
        try:
            return self._parallel(delayed(_on_one_thread)(function, each) for each in arguments)
        except Exception:
            # Of a worker that was lost, or of the function, which then raises once more.
            return [_on_one_thread(function, each) for each in arguments]


def _on_one_thread(function, argument):
    with single_threaded_blas():
        return function(*argument)
