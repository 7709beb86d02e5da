"""Iterations of a full-batch optimiser, each of them an epoch."""

import numpy as np

from sklvm.exceptions import DivergenceError
from sklvm.layouts import Parameters
from sklvm.rows import as_dense, slices

__all__ = ["minimize"]

# Rows of a block at least: the criterion is summed over blocks, for memory's sake.
MIN_BLOCK_ROWS = 1000


def minimize(training, X, weights, rows, *, max_iter, batch_size, begin_epoch, end_epoch):
    """Minimise the criterion over all rows, by an optimiser that iterates by itself.

    Every evaluation starts from the same state of the objective, so that all see one function.

    Parameters
    ----------
    training : Training
    X : ndarray or CSR array of shape (n, d)
    weights : ndarray of shape (n,)
    rows : ndarray of int
    max_iter, batch_size : int
    begin_epoch, end_epoch : callable
        () → None and dict → bool: whether to stop.

    Raises
    ------
    DivergenceError
        Where the criterion or θ becomes infinite or NaN.
    """
    total = weights[rows].sum()
    blocks = [rows[part] for part in slices(len(rows), max(batch_size, MIN_BLOCK_ROWS))]

    def criterion(theta):
        value, gradient, state = 0.0, np.zeros_like(theta), training.objective_state
        for block in blocks:
            block_value, block_gradient, state = training.criterion(
                Parameters(theta, training.own_layout),
                as_dense(X[block]),
                weights[block] / total,
                state,
                training.rng,
            )
            value += block_value
            gradient += block_gradient
        return training.links.pull(theta, value, gradient)

    def on_iteration(theta, value):
        training.theta = theta
        if not (np.isfinite(value) and training.has_finite_parameters()):
            training.restore()
            raise DivergenceError("L-BFGS left the finite numbers. Scale the data.")
        training.n_steps += 1
        if end_epoch({"objective": float(value)}):
            raise StopIteration
        if training.n_steps - first_step < max_iter:
            begin_epoch()

    first_step = training.n_steps
    if max_iter == 0:
        return
    begin_epoch()
    with np.errstate(over="ignore", invalid="ignore"):
        theta, training.converged, _ = training.optimizer.minimize(
            criterion, training.theta, max_iter, on_iteration
        )
    if training.n_steps == first_step:
        # The start was a minimum already: no iteration was made, and it counts as one.
        training.theta = theta
        end_epoch({"objective": float(criterion(theta)[0])})
