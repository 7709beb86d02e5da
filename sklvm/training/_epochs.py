"""The one loop of iterative fits: epochs, held-out rows, callbacks, and when to stop."""

from typing import Protocol

import numpy as np

__all__ = ["Learner", "run_epochs", "run_stream", "split_rows"]


class Learner(Protocol):
    """What the loop asks of that which learns: parameters, state, and an epoch.

    ``Training`` (steps along gradients) and ``StatisticsTraining`` (expectation and maximisation)
    are learners.

    Attributes
    ----------
    shuffle_rng : Generator
        Which orders and divides rows.
    drives_epochs : bool
        Whether its optimiser iterates by itself. Then it has ``minimize`` in place of ``epoch``: ::

            minimize(X, weights, rows, *, max_iter, batch_size, begin_epoch, end_epoch)

        ``end_epoch(values)`` is true where the fit is to stop.
    converged : bool or None
        What such an optimiser says of its last fit; None: the monitor's rule decides.
    """

    shuffle_rng: np.random.Generator
    drives_epochs: bool
    converged: bool | None

    def begin(self, X, weights, rows, *, max_iter, batch_size):
        """Get ready for a fit of that many epochs."""

    def epoch(self, X, weights, rows, *, batch_size, shuffle):
        """Learn from these rows of X once; what to record of it, floats by name."""

    def stream(self, X, weights, *, batch_size):
        """Learn from all rows of X once, in their order, knowing nothing of those to come.

        Here the weights themselves count: 1 is an average row's.
        """

    def evaluate(self, X, weights, batch_size):
        """The criterion on rows that are not learned from; the same every time."""

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
    max_iter,
    batch_size,
    shuffle,
    diagnose=dict,
):
    """Train until `max_iter`, the monitor's rule, or a callback says stop.

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
    max_iter : int
    batch_size : int or None
        None: all rows at once.
    shuffle : bool
    diagnose : callable, default=dict
        () → what else an epoch's record is to hold: floats by name.

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

    learner.begin(X, weights, rows, max_iter=max_iter, batch_size=batch_size)
    try:
        if learner.drives_epochs:
            learner.minimize(
                X,
                weights,
                rows,
                max_iter=max_iter,
                batch_size=batch_size,
                begin_epoch=callbacks.begin_epoch,
                end_epoch=end_epoch,
            )
        else:
            for _ in range(max_iter):
                callbacks.begin_epoch()
                if end_epoch(
                    learner.epoch(X, weights, rows, batch_size=batch_size, shuffle=shuffle)
                ):
                    break
    finally:
        if held_out is not None:
            learner.restore()
    callbacks.end()


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
