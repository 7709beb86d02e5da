"""Ratio matching."""

from sklvm.kernels import sigmoid
from sklvm.objectives._bit_flips import BitFlipObjective

__all__ = ["RatioMatching"]


class RatioMatching(BitFlipObjective):
    """J(θ) = E_x[Σ_j g(p(x)/p(x with bit j flipped))²], g(u) = 1/(1 + u) (Hyvärinen, 2007) [1]_.

    Score matching for binary data: up to a constant, the squared distance between the ratios
    p(x)/p(x̄_j) of model and data, each mapped into [0, 1] by g. Consistent, free of log Z, and
    deterministic. Unlike in pseudo-likelihood, a bit that the model is sure of and wrong about
    costs at most 1, and moves it little.

    References
    ----------
    .. [1] Hyvärinen, "Some extensions of score matching", Computational Statistics & Data Analysis
       51 (2007).

    Examples
    --------
    >>> from sklvm.objectives import RatioMatching
    >>> RatioMatching()
    RatioMatching()
    """

    def _loss(self, differences):
        wrong = sigmoid(-differences)
        return wrong**2, -2 * wrong**2 * sigmoid(differences)
