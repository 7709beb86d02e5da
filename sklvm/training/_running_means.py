"""Running means of the data's visible and hidden units: the offsets of centred parameters."""

from typing import NamedTuple

import numpy as np

__all__ = ["RunningMeans"]

# Share of a batch in the new mean.
RATE = 0.01

# Rows of a batch whose hidden units are looked at: a product with W for all rows is a fifth of a
# step's work, and the mean over many batches needs few rows of each.
N_ROWS = 20


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
        """The means over all rows of X at the parameters θ."""
        share = _shares(weights)
        return cls(share @ X, share @ energy.posterior(theta, X))

    def update(self, energy, theta, X, weights):
        """Move towards the means of a batch, in place."""
        few = slice(None, None, -(-len(X) // N_ROWS))
        batch = _shares(weights) @ X, _shares(weights[few]) @ energy.posterior(theta, X[few])
        for mean, batch_mean in zip(self, batch, strict=True):
            mean += mean.dtype.type(RATE) * (batch_mean - mean)


def _shares(weights):
    return weights / weights.sum()
