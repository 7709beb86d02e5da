"""The one training loop: epochs of mini-batches, or iterations of a full-batch optimiser."""

from collections import Counter

import numpy as np

from sklvm.exceptions import DivergenceError
from sklvm.training._incomplete_rows import as_dense
from sklvm.training._training import slices

__all__ = ["run_epochs", "run_stream", "split_rows"]


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
    training,
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
    training : Training
    X : ndarray or CSR array of shape (n, d)
    weights : ndarray of shape (n,)
        Positive, of X's dtype; only their ratios count.
    monitor : Monitor
    callbacks : EpochCallbacks
    rows, validation_rows : ndarray of int, ndarray of int or None
        Which rows to train on, and which to hold out; with held-out rows the parameters of the
        epoch that was best on them are restored at the end.
    max_iter, batch_size : int
    shuffle : bool
    diagnose : callable, default=dict
        () → what else an epoch's record is to hold: floats by name.

    Raises
    ------
    DivergenceError
        With the parameters of the last epoch that ended well.
    """
    run = _run_full_batch if training.optimizer.full_batch else _run_mini_batches
    held_out = None if validation_rows is None else (X[validation_rows], weights[validation_rows])

    def end_epoch(**values):
        """Record, keep, and tell whether to stop."""
        validation = None if held_out is None else training.evaluate(*held_out, batch_size)
        monitor.record(**values, validation_objective=validation, **diagnose())
        if held_out is None or monitor.is_best:
            training.keep()
        monitor.was_interrupted = callbacks.end_epoch()
        return monitor.was_interrupted or monitor.converged

    try:
        run(training, X, weights, rows, max_iter, batch_size, shuffle, callbacks, end_epoch)
    finally:
        if held_out is not None:
            training.restore()
    callbacks.end()


def _run_mini_batches(
    training, X, weights, rows, max_iter, batch_size, shuffle, callbacks, end_epoch
):
    training.plan(max_iter * len(slices(len(rows), batch_size)))
    weights = weights / weights[rows].mean()
    full_batch = min(batch_size, len(rows))
    for _ in range(max_iter):
        callbacks.begin_epoch()
        order = training.shuffle_rng.permutation(rows) if shuffle else rows
        batches = (order[part] for part in slices(len(order), batch_size))
        if end_epoch(**_mean_of_steps(training, X, weights, batches, full_batch)):
            break


def _run_full_batch(
    training, X, weights, rows, max_iter, batch_size, shuffle, callbacks, end_epoch
):
    """Iterations of L-BFGS; the criterion is summed over blocks of rows, for memory's sake.

    Every sum starts from the same state, which goes from block to block.
    """
    total = weights[rows].sum()
    blocks = [rows[part] for part in slices(len(rows), max(batch_size, 1000))]

    def criterion(theta):
        value, gradient, state = 0.0, np.zeros_like(theta), training.objective_state
        for block in blocks:
            block_value, block_gradient, state = training.objective.step(
                training.energy,
                theta,
                as_dense(X[block]),
                weights[block] / total,
                state,
                training.rng,
            )
            value += block_value
            gradient += block_gradient
        return training.penalty.add(training.energy, theta, value, gradient, training.means)

    def on_iteration(theta, value):
        if not (np.isfinite(value) and np.all(np.isfinite(theta))):
            training.restore()
            raise DivergenceError("L-BFGS left the finite numbers. Scale the data.")
        training.theta = theta
        training.n_steps += 1
        if end_epoch(objective=float(value)):
            raise StopIteration
        if training.n_steps - first_step < max_iter:
            callbacks.begin_epoch()

    first_step = training.n_steps
    if max_iter == 0:
        return
    callbacks.begin_epoch()
    with np.errstate(over="ignore", invalid="ignore"):
        theta, training.optimizer_converged, training.optimizer_message = (
            training.optimizer.minimize(criterion, training.theta, max_iter, on_iteration)
        )
    if training.n_steps == first_step:
        # The start was a minimum already: no iteration was made, and it counts as one.
        training.theta = theta
        end_epoch(objective=float(criterion(theta)[0]))


def run_stream(training, X, weights, *, batch_size):
    """One pass over the rows of X in their order; what ``partial_fit`` does.

    Here the weights themselves count, for the rows to come are unknown: 1 is an average row's. A
    batch of fewer than `batch_size` rows counts by its rows.

    Returns
    -------
    values : dict of str to float
        The pass's means of the criterion, the gradient's norm and the objective's diagnostics.
    """
    training.plan(None)
    batches = slices(len(weights), batch_size)
    values = _mean_of_steps(training, X, weights, batches, batch_size)
    training.keep()
    return values


def _mean_of_steps(training, X, weights, batches, full_batch):
    """One step a batch; weighted means of the criterion, the gradient's norm, the diagnostics."""
    totals, total_weight = Counter(), 0.0
    for batch in batches:
        batch_weight = float(weights[batch].sum())
        value, gradient_norm = training.step(X[batch], weights[batch], full_batch)
        values = {"objective": value, "gradient_norm": gradient_norm, **training.diagnostics}
        totals.update({name: batch_weight * value for name, value in values.items()})
        total_weight += batch_weight
    return {name: total / total_weight for name, total in totals.items()}
