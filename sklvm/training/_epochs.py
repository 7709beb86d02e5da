"""The one loop of iterative fits: epochs, held-out rows, callbacks, and when to stop."""

import math
from collections import Counter
from typing import Protocol

import numpy as np

from sklvm.training._plateau import Plateau

__all__ = ["Learner", "run_epochs", "run_stream", "split_rows"]

# Where a plateau may end the fit: no sooner than after this share of the planned epochs; and the
# share of those left that are still made, along the rest of the schedule.
BEFORE_PLATEAU, AFTER_PLATEAU = 0.3, 0.2


class Learner(Protocol):
    """What the loop of epochs trains: an object with parameters, state and an ``epoch`` method.

    ``Training`` (steps along gradients) and ``StatisticsTraining`` (expectation and maximisation)
    are learners.

    Attributes
    ----------
    shuffle_rng : Generator
        It shuffles the rows and divides them into training and held-out rows.
    drives_epochs : bool
        Whether its optimiser iterates by itself. Then it has ``minimize`` instead of ``epoch``: ::

            minimize(X, weights, rows, *, max_iter, batch_size, begin_epoch, end_epoch)

        ``end_epoch(values)`` is true where the fit is to stop.
    converged : bool or None
        Whether such an optimiser has converged in the last fit. None: the monitor's rule decides.
    """

    shuffle_rng: np.random.Generator
    drives_epochs: bool
    converged: bool | None

    def begin(self, X, weights, rows, *, max_iter, batch_size):
        """Get ready for a fit of that many passes over the rows."""

    def hasten(self, n_passes):
        """Go through the rest of the schedule in so many passes.

        Asked of learners whose budget ends at a plateau, where their ``can_hasten`` is true.
        """

    def epoch(self, X, weights, rows, *, batch_size, shuffle):
        """Learn from these rows of X once; return what to record, floats by name."""

    def stream(self, X, weights, *, batch_size):
        """Learn from all rows of X once, in their order, without knowing how many are to come.

        Weights count by their size, not relative to their mean: an average row has weight 1.
        """

    def evaluate(self, X, weights, batch_size):
        """The criterion on held-out rows; its random numbers are the same every time."""

    def keep(self):
        """Keep the current parameters as the ones to return to."""

    def restore(self):
        """Return to what ``keep`` last kept."""


def split_rows(n_rows, validation_fraction, rng):
    """Indices of the training rows and of the held-out ones (None for a fraction of 0)."""
    if validation_fraction == 0:
        return np.arange(n_rows), None
    n_validation = round(validation_fraction * n_rows)
    if not 0 < n_validation < n_rows:
        raise ValueError(
            f"validation_fraction={validation_fraction} of {n_rows} samples leaves no row to "
            "train on or none to validate on."
        )
    order = rng.permutation(n_rows)
    return np.sort(order[n_validation:]), np.sort(order[:n_validation])


def run_epochs(
    learner,
    X,
    weights,
    monitor,
    callbacks,
    *,
    rows,
    validation_rows,
    budget,
    batch_size,
    shuffle,
    diagnose=dict,
):
    """Train until the budget's end, the monitor's rule, or a callback says stop.

    A budget that ends at a plateau is cut short where the criterion falls no more: the schedule of
    the learning rate then runs to its end in a fifth of the steps that were left. A fit that
    stopped at once would keep the noise of steps that are still long.

    Parameters
    ----------
    learner : Learner
    X : ndarray or CSR array of shape (n, d)
    weights : ndarray of shape (n,)
        Positive, of X's dtype.
    monitor : Monitor
    callbacks : EpochCallbacks
    rows, validation_rows : ndarray of int, ndarray of int or None
        Which rows to train on, and which to hold out; with held-out rows the parameters of the
        epoch that was best on them are restored at the end.
    budget : Budget
    batch_size : int or None
        None: all rows at once.
    shuffle : bool
    diagnose : callable, default=dict
        A function () → floats by name, which join the record of an epoch.

    Raises
    ------
    DivergenceError
        With the parameters of the last epoch that ended well.
    """
    held_out = None if validation_rows is None else (X[validation_rows], weights[validation_rows])

    def end_epoch(values):
        """Record, keep, and tell whether to stop."""
        validation = None if held_out is None else learner.evaluate(*held_out, batch_size)
        monitor.record(**values, validation_objective=validation, **diagnose())
        if held_out is None or monitor.is_best:
            learner.keep()
        monitor.was_interrupted = callbacks.end_epoch()
        return monitor.was_interrupted or monitor.converged

    def one_pass():
        return learner.epoch(X, weights, rows, batch_size=batch_size, shuffle=shuffle)

    learner.begin(X, weights, rows, max_iter=budget.n_planned_passes, batch_size=batch_size)
    try:
        if learner.drives_epochs:
            learner.minimize(
                X,
                weights,
                rows,
                max_iter=budget.max_iter,
                batch_size=batch_size,
                begin_epoch=callbacks.begin_epoch,
                end_epoch=end_epoch,
            )
        else:
            _run(learner, budget, monitor, callbacks.begin_epoch, one_pass, end_epoch)
    finally:
        if held_out is not None:
            learner.restore()
    callbacks.end()


def _run(learner, budget, monitor, begin_epoch, one_pass, end_epoch):
    """The epochs of a learner that does not iterate by itself."""
    plateau, n_left = None, budget.max_iter
    if budget.ends_at_plateau:
        plateau = Plateau(math.ceil(BEFORE_PLATEAU * budget.max_iter))
    while n_left > 0:
        begin_epoch()
        if end_epoch(_mean_of_passes(one_pass, budget.n_passes)):
            return
        n_left -= 1
        if plateau is not None and plateau.is_reached(monitor.records) and learner.can_hasten:
            monitor.is_settled, plateau = True, None
            n_left = math.ceil(AFTER_PLATEAU * n_left)
            learner.hasten(n_left * budget.n_passes)


def _mean_of_passes(one_pass, n_passes):
    """What is recorded of an epoch that goes through the rows so often."""
    if n_passes == 1:
        return one_pass()
    totals = Counter()
    for _ in range(n_passes):
        totals.update(one_pass())
    return {name: total / n_passes for name, total in totals.items()}


def run_stream(learner, X, weights, *, batch_size):
    """One pass over the rows of X in their order; what ``partial_fit`` does.

    Returns
    -------
    values : dict of str to float
        What the learner records of the pass.
    """
    values = learner.stream(X, weights, batch_size=batch_size)
    learner.keep()
    return values
