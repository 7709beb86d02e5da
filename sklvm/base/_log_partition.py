"""log Z of a fitted model: how and when it is estimated."""

import numpy as np
from scipy.sparse import csr_array, issparse
from sklearn.base import clone

from sklvm.partition import (
    AnnealedImportanceSampling,
    annealing_path,
    can_anneal,
    check_partition,
    fit_reference,
)
from sklvm.rows import starting_rows

__all__ = ["LogPartition"]

# Lines that a verbose estimate prints on its way.
N_PROGRESS_LINES = 10


class LogPartition:
    """The log Z of a model: the settings by which it is estimated, and what the estimate needs.

    A model makes such an object at the start of each fit, from the parameters of that fit.
    Estimates depend on the fit's seed, the number of training steps, θ and the rows that were
    shown; they do not depend on when and how often they are asked for, or on the number of threads.

    A subclass implements ``values``.

    Parameters
    ----------
    energy : Energy
    partition : {"auto", "exact", "ais", "none"} or AnnealedImportanceSampling
        How log Z is estimated. With "none" it is estimated only on explicit request.
    seed : int
        Of the fit.
    owner : str, default="The model"
        The estimator's name, for messages.
    verbose : int, default=0
        Whether an estimate by annealing prints its progress.

    Attributes
    ----------
    reference : object
        The start of annealing, fitted to the first rows shown; None where there is no path.

    Raises
    ------
    ValueError
        Where the energy does not allow `partition`.
    """

    def __init__(self, energy, partition, seed, *, owner="The model", verbose=0):
        check_partition(energy, partition)
        self.energy, self.owner = energy, owner
        self.reference = None
        self._partition = partition if isinstance(partition, str) else clone(partition)
        self._seed, self._verbose = seed, verbose
        self._n_entries = 0

    def show(self, X, weights):
        """Show rows of training data; the reference is fitted to those that are shown first."""
        if self.reference is None:
            self.reference = self._fit_reference(X, weights)
        self._n_entries += X.shape[0] * X.shape[1]
        return self

    @property
    def is_normalizing(self):
        """Whether ``score_samples`` normalises without an explicit request."""
        return self._partition != "none"

    @property
    def budget(self):
        """The budget of annealing, with the number of temperatures that suits the rows shown."""
        return _budget(self._partition, self._n_entries)

    def known(self, n_steps):
        """The estimate remembered at `n_steps` training steps, or None; starts no estimate."""
        return None

    def values(self, theta, n_steps, X):
        """log Z of the parameters after `n_steps` steps: a float, or one for each row of X."""
        raise NotImplementedError

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

    def _method_and_budget(self, partition, n_entries=None):
        """The checked method and budget of `partition`; an explicit request makes "none" "auto"."""
        if isinstance(partition, str) and partition == "none":
            partition = "auto"
        check_partition(self.energy, partition)
        budget = _budget(partition, self._n_entries if n_entries is None else n_entries)
        return (partition if isinstance(partition, str) else "ais"), budget

    def _reports(self, done, total):
        """Whether a verbose estimate prints a line at this point."""
        return done * N_PROGRESS_LINES // total > (done - 1) * N_PROGRESS_LINES // total

    def __getstate__(self):
        state = vars(self).copy()
        if isinstance(self.reference, np.ndarray):
            # Parameters of a model without couplings: nearly all of them are 0.
            state["reference"] = csr_array(self.reference[np.newaxis])
        return state

    def __setstate__(self, state):
        vars(self).update(state)
        if issparse(self.reference):
            self.reference = self.reference.toarray()[0]


def _budget(partition, n_entries):
    budget = AnnealedImportanceSampling() if isinstance(partition, str) else partition
    return budget.for_data(n_entries) if n_entries else budget
