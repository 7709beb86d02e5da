"""log Z that is one number: estimated when it is first asked for, and then remembered."""

import threading
import time

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from sklvm._warnings import warn
from sklvm.base._log_partition import LogPartition
from sklvm.partition import log_partition

__all__ = ["TRUSTED_FRACTION", "ConstantLogPartition"]

# Effective share of the chains below which log Z is reported with a warning, and the width of its
# bracket, in nats, above which it is.
TRUSTED_FRACTION = 0.05
TRUSTED_WIDTH = 2.0


class ConstantLogPartition(LogPartition):
    """A ``LogPartition`` that is one number for all rows.

    The estimate is remembered together with the number of training steps at which it was made.
    After further training it no longer counts.
    """

    def __init__(self, energy, partition, seed, **options):
        super().__init__(energy, partition, seed, **options)
        self._known = (None, None)
        self._lock = threading.Lock()

    def known(self, n_steps):
        known_steps, estimate = self._known
        return estimate if known_steps == n_steps else None

    def estimate(self, theta, n_steps):
        """The estimate, made now unless it is known; one thread makes it while the others wait.

        Returns
        -------
        estimate : PartitionEstimate
        """
        if (estimate := self.known(n_steps)) is not None:
            return estimate
        with self._lock:
            if (estimate := self.known(n_steps)) is None:
                rng = np.random.default_rng([self._seed, n_steps])
                estimate = self._estimate(
                    theta, self._partition, self.reference, rng, self._n_entries, self._verbose
                )
                self._known = (n_steps, estimate)
        return estimate

    def estimate_anew(self, theta, n_steps, *, X=None, partition=None, rng=None, verbose=None):
        """Estimate log Z by other settings than those of the fit, and remember that estimate.

        Parameters
        ----------
        theta : ndarray
        n_steps : int
        X : ndarray or sparse array of shape (n, d), default=None
            Rows to fit another reference to, for this estimate only.
        partition : {"auto", "exact", "ais"} or AnnealedImportanceSampling, default=None
        rng : Generator, default=None
        verbose : int, default=None
            Arguments that are None keep their value of the fit.

        Returns
        -------
        estimate : PartitionEstimate
        """
        partition = self._partition if partition is None else partition
        with self._lock:
            reference, n_entries = self.reference, self._n_entries
            if X is not None:
                reference = self._fit_reference(X, np.ones(X.shape[0], dtype=X.dtype))
                n_entries = X.shape[0] * X.shape[1]
            if rng is None:
                rng = np.random.default_rng([self._seed, n_steps])
            verbose = self._verbose if verbose is None else verbose
            estimate = self._estimate(theta, partition, reference, rng, n_entries, verbose)
            self._known = (n_steps, estimate)
        return estimate

    def values(self, theta, n_steps, X):
        return self.estimate(theta, n_steps).value

    def _estimate(self, theta, partition, reference, rng, n_entries, verbose):
        method, budget = self._method_and_budget(partition, n_entries)
        began = time.perf_counter()
        estimate = log_partition(
            self.energy,
            theta,
            reference,
            method=method,
            budget=budget,
            rng=rng,
            progress=self._print_progress if verbose else None,
        )
        if verbose:
            print(
                f"[{self.owner}] log Z = {estimate.value:.6g} ± {estimate.std_err:.2g} nats "
                f"({estimate.method}, {time.perf_counter() - began:.2f} s)"
            )
        if not np.isfinite(estimate.value):
            raise ValueError(
                f"log Z of {self.owner} is {estimate.value} ({estimate.method}): the reference, or "
                "the model, is too narrow or too wide for its data type. Scale the data."
            )
        self._warn_untrusted(estimate, budget)
        return estimate

    def _print_progress(self, done, total):
        if self._reports(done, total):
            print(f"[{self.owner}] log Z: temperature {done} of {total}")

    def _warn_untrusted(self, estimate, budget):
        size = estimate.effective_sample_size
        if estimate.method == "ais" and size < TRUSTED_FRACTION * budget.n_chains:
            warn(
                f"log Z by annealing rests on {size:.1f} of {budget.n_chains} chains: it is likely "
                "too low, by more than log_partition_std_err_ says, and score_samples too high by "
                "the same constant. More temperatures help: "
                "partition=AnnealedImportanceSampling(n_temperatures=...).",
                ConvergenceWarning,
            )
        if estimate.bracket is not None:
            lower, upper = estimate.bracket
            if abs(upper - lower) > TRUSTED_WIDTH:
                warn(
                    f"Annealing to the model and back leaves log Z between {lower:.2f} and "
                    f"{upper:.2f}: a bracket wider than {TRUSTED_WIDTH:g} nats. More temperatures "
                    "make it narrower: partition=AnnealedImportanceSampling(n_temperatures=..., "
                    "bracket=True).",
                    ConvergenceWarning,
                )

    def __getstate__(self):
        state = super().__getstate__()
        del state["_lock"]
        return state

    def __setstate__(self, state):
        super().__setstate__(state)
        self._lock = threading.Lock()
