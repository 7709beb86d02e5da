"""log Z(x) of a fitted conditional model: one number for each row, estimated with its score."""

import time

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from sklvm._warnings import warn
from sklvm.base._constant_log_partition import TRUSTED_FRACTION
from sklvm.base._log_partition import LogPartition
from sklvm.partition import conditional_log_partition

__all__ = ["ConditionalLogPartition"]


class ConditionalLogPartition(LogPartition):
    """log Z(x), one value for the inputs x of each row; nothing is remembered between calls.

    The estimate for a row depends on the fit's seed, the number of training steps, θ and the row
    itself. It does not depend on the other rows, nor on earlier calls.
    """

    def values(self, theta, n_steps, X):
        """log Z(x) of each row, shape (n,)."""
        return self.estimate_rows(theta, n_steps, X).value

    def estimate_rows(self, theta, n_steps, X, *, partition=None, seed=None, verbose=None):
        """log Z(x) of each row, by the settings of the fit or by those given here.

        Parameters
        ----------
        theta : ndarray
        n_steps : int
        X : ndarray of shape (n, d)
        partition : {"auto", "exact", "ais"} or AnnealedImportanceSampling, default=None
        seed : int, default=None
        verbose : int, default=None
            Arguments that are None keep their value of the fit.

        Returns
        -------
        estimate : PartitionEstimate
            With arrays of shape (n,).
        """
        partition = self._partition if partition is None else partition
        method, budget = self._method_and_budget(partition)
        verbose = self._verbose if verbose is None else verbose
        began = time.perf_counter()
        estimate = conditional_log_partition(
            self.energy,
            theta,
            X,
            self.reference,
            method=method,
            budget=budget,
            seed=[self._seed, n_steps] if seed is None else seed,
            progress=self._print_progress if verbose else None,
        )
        if verbose:
            print(
                f"[{self.owner}] log Z(x) of {len(X)} rows "
                f"({estimate.method}, {time.perf_counter() - began:.2f} s)"
            )
        untrusted = int(np.sum(estimate.effective_sample_size < TRUSTED_FRACTION * budget.n_chains))
        if untrusted:
            warn(
                f"log Z(x) by annealing rests on less than {TRUSTED_FRACTION:.0%} of the chains in "
                f"{untrusted} of {len(X)} rows: their scores are likely too high. More "
                "temperatures help: partition=AnnealedImportanceSampling(n_temperatures=...).",
                ConvergenceWarning,
            )
        return estimate

    def _print_progress(self, done, total):
        if self._reports(done, total):
            print(f"[{self.owner}] log Z(x): row {done} of {total}")
