"""log Z of a model, as far as it is one number or one a row: how it is to be found."""

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
    """log Z of an energy: what it takes to estimate it, whatever the rows that it is to score.

    A model makes one at the start of each fit, from the parameters of that fit, and keeps it. Its
    estimates are a function of the fit's seed, the number of steps taken, θ and the rows it was
    shown: they are the same whenever, however often and by however many threads they are asked for.

    A subclass gives ``values``.

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
        """The estimate that is remembered for so many steps, or None; never starts work."""
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
        """How to estimate by `partition`, checked; "none" that is asked for after all is "auto"."""
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
