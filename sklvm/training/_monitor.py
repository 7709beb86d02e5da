"""What happened in each epoch, and whether to stop."""

import math
import time

import numpy as np

__all__ = ["Monitor"]


class Monitor:
    """Records epochs and applies the stopping rule.

    The rule watches the criterion on held-out rows where there are any, and otherwise the training
    criterion. It stops after `patience` epochs without an improvement by more than `tol`.

    Parameters
    ----------
    tol : float
        In the units of the criterion. Without held-out rows, 0 switches the rule off.
    patience : int
    verbose : int
        1 prints a line for each epoch.
    owner : str
        The estimator's name, for that line.
    max_iter : int
        The greatest number of epochs.

    Attributes
    ----------
    records : list of dict
        One for each epoch.
    converged : bool
        Whether the rule has ended the fit.
    was_interrupted : bool
        Whether a callback has ended the fit.
    is_settled : bool
        Whether the fit was cut short at a plateau of the criterion.
    """

    def __init__(self, *, tol, patience, verbose, owner, max_iter):
        self._tol, self._patience, self._verbose = tol, patience, verbose
        self._owner, self.max_iter = owner, max_iter
        self.records = []
        self.converged = False
        self.was_interrupted = False
        self.is_settled = False
        self.is_best = False
        self._best, self._stale = math.inf, 0
        self._clock = time.perf_counter()

    def record(self, **values):
        """Take in an epoch's values; those that are None or NaN are left out."""
        known = {name: value for name, value in values.items() if value is not None}
        self._watch(known)
        record = {name: value for name, value in known.items() if not math.isnan(value)}
        self.records.append(record)
        now = time.perf_counter()
        if self._verbose:
            shown = ", ".join(f"{name} {value:.6g}" for name, value in record.items())
            epoch = f"{len(self.records)}/{self.max_iter}"
            print(f"[{self._owner}] epoch {epoch}: {shown} ({now - self._clock:.2f} s)")
        self._clock = now

    def _watch(self, record):
        validates = "validation_objective" in record
        watched = record.get("validation_objective", record.get("objective"))
        if watched is None or not (validates or self._tol > 0):
            return
        # A criterion that is not a number is never the best.
        self.is_best = watched < self._best
        self._stale = 0 if watched < self._best - self._tol else self._stale + 1
        self._best = watched if self.is_best else self._best
        self.converged = self._stale >= self._patience

    def history(self):
        """The records as arrays by name, with one value for each epoch; NaN where it has none."""
        names = dict.fromkeys(name for record in self.records for name in record)
        return {name: np.array([r.get(name, math.nan) for r in self.records]) for name in names}
