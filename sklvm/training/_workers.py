"""Workers among which blocks of rows are divided."""

from contextlib import contextmanager, nullcontext
from itertools import islice

from joblib import Parallel, delayed, effective_n_jobs

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
        self._parallel = None

    @contextmanager
    def running(self):
        """The workers stay, and know again what they have met, until the context ends."""
        with single_threaded_blas() if self.is_limited else nullcontext():
            if self.n_workers == 1:
                yield self
                return
            with Parallel(n_jobs=self.n_jobs, prefer="threads") as self._parallel:
                try:
                    yield self
                finally:
                    self._parallel = None

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
        if self._parallel is None:
            for argument in arguments:
                yield function(*argument)
            return
        arguments = iter(arguments)
        while some := list(islice(arguments, BLOCKS_A_WORKER * self.n_workers)):
            try:
                results = self._parallel(delayed(_on_one_thread)(function, each) for each in some)
            except Exception:
                # Of a worker that was lost, or of the function, which then raises once more.
                results = [_on_one_thread(function, each) for each in some]
            yield from results


def _on_one_thread(function, argument):
    with single_threaded_blas():
        return function(*argument)
