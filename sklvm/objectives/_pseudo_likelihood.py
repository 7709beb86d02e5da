"""Pseudo-likelihood."""

import numpy as np
from scipy.special import log_softmax

from sklvm.kernels import sigmoid, softplus
from sklvm.objectives._site_objective import SiteObjective

__all__ = ["PseudoLikelihood"]


class PseudoLikelihood(SiteObjective):
    """J(θ) = −E_x[Σ_j log p(x_j | all others)], exactly, for discrete data (Besag, 1975) [1]_.

    For binary units each term is S(−Δ_j) with Δ_j = log p(x) − log p(x with bit j flipped); log Z
    cancels. Consistent, and deterministic: L-BFGS may minimise it. A row costs as much as
    evaluating the energy of all its neighbours, that is rows that differ in one unit.

    Rows are compared with neighbours only. How much mass lies far from all data is not seen, and
    where no neighbour of a row is a row the minimum is at infinity: a full-batch optimiser run to
    its end on such data needs a penalty, or early stopping.

    References
    ----------
    .. [1] Besag, "Statistical analysis of non-lattice data", The Statistician 24 (1975).

    Examples
    --------
    >>> from sklvm.objectives import PseudoLikelihood
    >>> PseudoLikelihood()
    PseudoLikelihood()
    """

    def _loss(self, logits, states):
        if logits.shape[2] == 2:
            return _loss_of_bits(logits, states[:, :, 0])
        log_p = log_softmax(logits, axis=2)
        slope = np.exp(log_p)
        np.put_along_axis(slope, states, np.take_along_axis(slope, states, 2) - 1, 2)
        return -np.take_along_axis(log_p, states, 2)[:, :, 0], slope


def _loss_of_bits(logits, states):
    """The same for two states: S(−Δ), by the difference Δ of the logits."""
    sign = (2 * states - 1).astype(logits.dtype)
    difference = sign * (logits[:, :, 1] - logits[:, :, 0])
    slope = sign * sigmoid(-difference)
    return softplus(-difference), np.stack([slope, -slope], axis=2)
