"""How long a fit may go on, by its rows and batches."""

import math
from typing import NamedTuple

__all__ = ["AUTO_ITERATIONS", "Budget"]

# Of max_iter="auto", as the study of the documentation chose them: passes over the rows, and the
# least and the most steps that they may come to.
AUTO_PASSES = 20
MIN_STEPS, MAX_STEPS = 2000, 20_000
# Steps that an epoch has at least: a few rows are gone through several times in it.
EPOCH_STEPS = 25
# Of a full-batch optimiser, which knows by itself when it has converged.
AUTO_ITERATIONS = 1000


class Budget(NamedTuple):
    """The epochs of a fit.

    Attributes
    ----------
    max_iter : int
        Epochs at most.
    n_passes : int
        How often an epoch goes through the rows.
    ends_at_plateau : bool
        Whether the fit is to be cut short where the criterion falls no more.

    Examples
    --------
    >>> from sklvm.training import Budget
    >>> Budget.auto(150, batch_size=100)
    Budget(max_iter=77, n_passes=13, ends_at_plateau=True)
    >>> Budget.auto(1_000_000, batch_size=100)
    Budget(max_iter=2, n_passes=1, ends_at_plateau=True)
    """

    max_iter: int
    n_passes: int = 1
    ends_at_plateau: bool = False

    @classmethod
    def auto(cls, n_rows, *, batch_size):
        """The budget of ``max_iter="auto"`` for steps of `batch_size` rows.

        20 passes over the rows, but no fewer than 2,000 steps, and no more than 20,000 unless that
        is less than one pass.
        """
        n_batches = math.ceil(n_rows / batch_size)
        n_steps = min(max(AUTO_PASSES * n_batches, MIN_STEPS), MAX_STEPS)
        n_passes = math.ceil(EPOCH_STEPS / n_batches)
        return cls(max(1, math.ceil(n_steps / (n_passes * n_batches))), n_passes, True)

    @property
    def n_planned_passes(self):
        """Passes over the rows, if the fit is not cut short."""
        return self.max_iter * self.n_passes
