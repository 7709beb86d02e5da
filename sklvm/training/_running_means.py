"""Running means of the data's visible and hidden units: the offsets of centred parameters."""

from typing import NamedTuple

import numpy as np

__all__ = ["RunningMeans"]

# Share of a batch in the new mean.
RATE = 0.01

# Hidden units cost a product with W, a fifth of a step's work if it were made for all rows. One
# batch in so many is looked at, with as much weight as all of them, and so many rows of it.
STEPS_BETWEEN = 10
N_ROWS = 50

# Rows whose hidden units make the first mean.
N_STARTING_ROWS = 1000


class RunningMeans(NamedTuple):
    """Means of x and of p(z | x) over the data, never over the model's draws.

    Offsets taken from the model's means make training diverge (Melchior, Fischer & Wiskott, JMLR
    17, 2016, section 5).

    Attributes
    ----------
    visible : ndarray of shape (d,)
    hidden : ndarray of shape (K,)
    """

    visible: np.ndarray
    hidden: np.ndarray

    @classmethod
    def start(cls, energy, theta, X, weights):
        """The means over X at the parameters θ, those of hidden units over some of its rows."""
        return cls(_shares(weights) @ X, _mean_hidden(energy, theta, X, weights, N_STARTING_ROWS))

    def update(self, energy, theta, X, weights, n_steps):
        """Move towards the means of a batch, in place, after `n_steps` others."""
        _move(self.visible, _shares(weights) @ X, RATE)
        if n_steps % STEPS_BETWEEN == 0:
            hidden = _mean_hidden(energy, theta, X, weights, N_ROWS)
            _move(self.hidden, hidden, STEPS_BETWEEN * RATE)


def _mean_hidden(energy, theta, X, weights, n_rows):
    """Of p(z | x), over `n_rows` rows spread over X."""
    few = slice(None, None, -(-len(X) // n_rows))
    return _shares(weights[few]) @ energy.posterior(theta, X[few])


def _move(mean, target, rate):
    mean += mean.dtype.type(rate) * (target - mean)


def _shares(weights):
    return weights / weights.sum()
