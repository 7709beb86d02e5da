"""log Z of a fitted model: estimated when it is first asked for, and then remembered."""

import threading
import time
import warnings

import numpy as np
from scipy.sparse import csr_array, issparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from sklvm.partition import (
    AnnealedImportanceSampling,
    annealing_path,
    can_anneal,
    check_partition,
    fit_reference,
    log_partition,
)
from sklvm.rows import starting_rows

__all__ = ["LogPartition"]

# Effective share of the chains below which log Z is reported with a warning, and the width of its
# bracket, in nats, above which it is.
TRUSTED_FRACTION = 0.05
TRUSTED_WIDTH = 2.0

# Lines that a verbose estimate prints on its way.
N_PROGRESS_LINES = 10


class LogPartition:
    """log Z of an energy: what it takes to estimate it, and the estimate once there is one.

    A model makes one at the start of each fit, from the parameters of that fit, and keeps it. The
    estimate is a function of the fit's seed, the number of steps taken, θ and the rows it was shown
    first: it is the same whenever, however often and by however many threads it is asked for. It is
    remembered for the number of steps at which it was made, so that further training makes it
    unknown again.

    Parameters
    ----------
    energy : Energy
    partition : {"auto", "exact", "ais", "none"} or AnnealedImportanceSampling
        How log Z is found. With "none" it is estimated only where it is asked for explicitly.
    seed : int
        Of the fit.
    owner : str, default="The model"
        The estimator's name, for messages.
    verbose : int, default=0
        Whether an estimate by annealing prints how it goes.

    Attributes
    ----------
    reference : object
        The start of annealing, fitted to the first rows shown; None where there is no path.

    Raises
    ------
    ValueError
        Where `partition` is something that the energy cannot give.
    """

    def __init__(self, energy, partition, seed, *, owner="The model", verbose=0):
        check_partition(energy, partition)
        self.energy, self.owner = energy, owner
        self.reference = None
        self._partition = partition if isinstance(partition, str) else clone(partition)
        self._seed, self._verbose = seed, verbose
        self._n_entries = 0
        self._known = (None, None)
        self._lock = threading.Lock()

    def show(self, X, weights):
        """Take in rows of the training data: the first fit the reference, all set the budget."""
        if self.reference is None:
            self.reference = self._fit_reference(X, weights)
        self._n_entries += X.shape[0] * X.shape[1]
        return self

    @property
    def is_normalizing(self):
        """Whether scores are to be normalised without being asked to."""
        return self._partition != "none"

    @property
    def budget(self):
        """What annealing may spend, its number of temperatures settled for the rows seen."""
        return _budget(self._partition, self._n_entries)

    def known(self, n_steps):
        """The estimate for the parameters after `n_steps` steps, or None: never starts work."""
        known_steps, estimate = self._known
        return estimate if known_steps == n_steps else None

    def estimate(self, theta, n_steps):
        """The same, made now where it is not known; one thread makes it, others wait.

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
        """An estimate by other means than those of the fit, to be known from now on.

        Parameters
        ----------
        theta : ndarray
        n_steps : int
        X : ndarray or sparse array of shape (n, d), default=None
            Rows to fit another reference to, for this estimate only.
        partition : {"auto", "exact", "ais"} or AnnealedImportanceSampling, default=None
        rng : Generator, default=None
        verbose : int, default=None
            What is None is as in the fit.

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

    def path(self, theta, free=None, current=None):
        """The path from the reference to p(·; θ), or to p(free entries | those of `current`; θ)."""
        return annealing_path(
            self.energy,
            theta,
            self.reference,
            n_leapfrog_steps=self.budget.n_leapfrog_steps,
            free=free,
            current=current,
        )

    def _fit_reference(self, X, weights):
        if not can_anneal(self.energy):
            return None
        rng = np.random.default_rng(self._seed)
        return fit_reference(self.energy, *starting_rows(X, weights, rng))

    def _estimate(self, theta, partition, reference, rng, n_entries, verbose):
        partition = _asked_for(partition)
        check_partition(self.energy, partition)
        budget = _budget(partition, n_entries)
        began = time.perf_counter()
        estimate = log_partition(
            self.energy,
            theta,
            reference,
            method=partition if isinstance(partition, str) else "ais",
            budget=budget,
            rng=rng,
            progress=self._print_progress if verbose else None,
        )
        if verbose:
            print(
                f"[{self.owner}] log Z = {estimate.value:.6g} ± {estimate.std_err:.2g} nats "
                f"({estimate.method}, {time.perf_counter() - began:.2f} s)"
            )
        self._warn_untrusted(estimate, budget)
        return estimate

    def _print_progress(self, done, total):
        if done * N_PROGRESS_LINES // total > (done - 1) * N_PROGRESS_LINES // total:
            print(f"[{self.owner}] log Z: temperature {done} of {total}")

    def _warn_untrusted(self, estimate, budget):
        size = estimate.effective_sample_size
        if estimate.method == "ais" and size < TRUSTED_FRACTION * budget.n_chains:
            warnings.warn(
                f"log Z by annealing rests on {size:.1f} of {budget.n_chains} chains: it is likely "
                "too low, by more than log_partition_std_err_ says, and score_samples too high by "
                "the same constant. More temperatures help: "
                "partition=AnnealedImportanceSampling(n_temperatures=...).",
                ConvergenceWarning,
                stacklevel=5,
            )
        if estimate.bracket is not None:
            lower, upper = estimate.bracket
            if abs(upper - lower) > TRUSTED_WIDTH:
                warnings.warn(
                    f"Annealing to the model and back leaves log Z between {lower:.2f} and "
                    f"{upper:.2f}: a bracket wider than {TRUSTED_WIDTH:g} nats. More temperatures "
                    "make it narrower: partition=AnnealedImportanceSampling(n_temperatures=..., "
                    "bracket=True).",
                    ConvergenceWarning,
                    stacklevel=5,
                )

    def __getstate__(self):
        state = {name: value for name, value in vars(self).items() if name != "_lock"}
        if isinstance(self.reference, np.ndarray):
            # Parameters of a model without couplings: nearly all of them are 0.
            state["reference"] = csr_array(self.reference[np.newaxis])
        return state

    def __setstate__(self, state):
        vars(self).update(state)
        if issparse(self.reference):
            self.reference = self.reference.toarray()[0]
        self._lock = threading.Lock()


def _budget(partition, n_entries):
    budget = AnnealedImportanceSampling() if isinstance(partition, str) else partition
    return budget.for_data(n_entries) if n_entries else budget


def _asked_for(partition):
    """What "none" means once log Z is asked for after all: whatever can be had."""
    return "auto" if isinstance(partition, str) and partition == "none" else partition
