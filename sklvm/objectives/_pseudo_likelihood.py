"""Pseudo-likelihood."""

from sklvm.kernels import sigmoid, softplus
from sklvm.objectives._bit_flips import BitFlipObjective

__all__ = ["PseudoLikelihood"]


class PseudoLikelihood(BitFlipObjective):
    """J(θ) = −E_x[Σ_j log p(x_j | all others)], exactly, for binary data (Besag, 1975) [1]_.

    Each term is S(−Δ_j) with Δ_j = log p(x) − log p(x with bit j flipped), which is free of log Z.
    Consistent, and deterministic: L-BFGS may minimise it. A row costs as much as evaluating the
    energy of all its d neighbours.

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

    def _loss(self, differences):
        return softplus(-differences), -sigmoid(-differences)
